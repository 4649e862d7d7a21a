"""Ids of the site and their integer keys. Missing keys are added; safe with any number of writers at once."""

from collections.abc import Collection
from typing import Any

from tandem.models import CatalogueKey, EventKey, ItemKey, UserAlias, UserKey

BATCH = 5_000


def user_keys(user_ids: Collection[str]) -> dict[str, int]:
    """Return the keys of users; the id of a merged user gives the key of the user it was merged into."""
    keys = _known(UserKey, "user_id", list(user_ids), {})
    missing = set(user_ids) - keys.keys()
    if missing:
        keys |= _known(UserAlias, "merged_id", list(missing), {}, key="user_id")
    return keys | _keys(UserKey, "user_id", missing - keys.keys())


def item_keys(catalogue: int, item_ids: Collection[str]) -> dict[str, int]:
    """Return the keys of a catalogue's items."""
    return _keys(ItemKey, "item_id", item_ids, catalogue_id=catalogue)


def catalogue_key(name: str) -> int:
    """Return the key of a catalogue."""
    return CatalogueKey.objects.get_or_create(name=name)[0].pk


def event_keys(names: Collection[str]) -> dict[str, int]:
    """Return the keys of events."""
    return _keys(EventKey, "name", names)


def _keys(model: Any, column: str, ids: Collection[str], **fixed: int) -> dict[str, int]:
    keys = _known(model, column, list(ids), fixed)
    missing = sorted(set(ids) - keys.keys())  # sorted, so that two writers never wait for each other in a ring
    if missing:
        rows = [model(**{column: each}, **fixed) for each in missing]
        model.objects.bulk_create(rows, ignore_conflicts=True, batch_size=BATCH)
        keys |= _known(model, column, missing, fixed)
    return keys


def _known(model: Any, column: str, ids: list[str], fixed: dict[str, int], *, key: str = "pk") -> dict[str, int]:
    keys: dict[str, int] = {}
    for start in range(0, len(ids), BATCH):
        rows = model.objects.filter(**{f"{column}__in": ids[start : start + BATCH]}, **fixed)
        keys.update(rows.values_list(column, key))
    return keys
