"""Outside ids to integer keys, made as needed. Safe with any number of writers at once."""

from collections.abc import Collection, Mapping

from tandem.models import CatalogueKey, EventKey, ItemKey, UserKey

BATCH = 5_000


def user_keys(user_ids: Collection[str]) -> dict[str, int]:
    """Keys of users. Missing rows are added in sorted order, so that two writers never wait for each other in a ring."""
    known = _known_users(user_ids)
    missing = sorted(set(user_ids) - known.keys())
    if missing:
        UserKey.objects.bulk_create([UserKey(user_id=name) for name in missing], ignore_conflicts=True, batch_size=BATCH)
        known |= _known_users(missing)
    return known


def item_keys(catalogue: int, item_ids: Collection[str]) -> dict[str, int]:
    """Keys of a catalogue's items, as `user_keys`."""
    known = _known_items(catalogue, item_ids)
    missing = sorted(set(item_ids) - known.keys())
    if missing:
        fresh = [ItemKey(catalogue_id=catalogue, item_id=name) for name in missing]
        ItemKey.objects.bulk_create(fresh, ignore_conflicts=True, batch_size=BATCH)
        known |= _known_items(catalogue, missing)
    return known


def catalogue_key(name: str) -> int:
    """Key of a catalogue."""
    return CatalogueKey.objects.get_or_create(name=name)[0].pk


def event_keys(names: Collection[str]) -> Mapping[str, int]:
    """Keys of event names."""
    known = dict(EventKey.objects.filter(name__in=names).values_list("name", "pk"))
    return known | {name: EventKey.objects.get_or_create(name=name)[0].pk for name in sorted(set(names) - known.keys())}


def _known_users(user_ids: Collection[str]) -> dict[str, int]:
    names = list(user_ids)
    keys: dict[str, int] = {}
    for start in range(0, len(names), BATCH):
        batch = UserKey.objects.filter(user_id__in=names[start : start + BATCH])
        keys.update(batch.values_list("user_id", "pk"))
    return keys


def _known_items(catalogue: int, item_ids: Collection[str]) -> dict[str, int]:
    names = list(item_ids)
    keys: dict[str, int] = {}
    for start in range(0, len(names), BATCH):
        batch = ItemKey.objects.filter(catalogue=catalogue, item_id__in=names[start : start + BATCH])
        keys.update(batch.values_list("item_id", "pk"))
    return keys
