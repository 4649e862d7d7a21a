"""The site's own items, as its ItemSource declares them."""

import heapq
from collections.abc import Collection, Iterable, Iterator, Sequence
from itertools import chain, islice
from typing import Any

from django.db.models import QuerySet

from recommendation_service.domain.ids import public_id
from recommendation_service.domain.query import Profile
from recommendation_service.errors import Gone, NotFound
from tandem.fields import NewestFirst
from tandem.item_ids import column_values, is_hashed, site_ids
from tandem.models import ItemKey
from tandem.sources import ItemSource, seconds_of, source_of, values_of

STEP = 200
BATCH = 5_000  # ids in one query


def items_by_id(*, source: type[ItemSource], item_ids: Iterable[str]) -> dict[str, Any]:
    """Return the items that exist now, by item id; one query for each model that the ids name."""
    found: dict[str, Any] = {}
    for part, ids in _by_part(source, item_ids):
        rows = part.items()
        keys = _keys(rows, part, ids)
        items = rows.filter(**{f"{part.item_id}__in": keys}) if keys else ()
        found |= {id_of(part, item): item for item in items}
    return found


def existing_ids(*, source: type[ItemSource], item_ids: Collection[str]) -> set[str]:
    """Return the ids of the items that the catalogue has now; queries that read ids only."""
    return {each for part, ids in _by_part(source, item_ids) for each in _ids_in(part.items(), part, ids)}


def available_ids(*, source: type[ItemSource], item_ids: Collection[str], user_id: str | None) -> set[str]:
    """Return the ids of the items that may be recommended to the user now; queries that read ids only."""
    return {each for part, ids in _by_part(source, item_ids) for each in _ids_in(part.offered_to(user_id), part, ids)}


def invisible_ids(*, source: type[ItemSource], user_id: str | None, at_most: int) -> list[str]:
    """Return ids of items that the user may not see, as many as a request to the service can exclude."""
    ids: list[str] = []
    for part in source.parts():
        if part.visible_to(user_id) is None:
            continue
        rows = part.offered().exclude(pk__in=part.offered_to(user_id).order_by().values("pk"))
        keys = rows.values_list(part.item_id, flat=True)[: at_most - len(ids)]
        ids += [public_id(f"{part.item_prefix}{key}") for key in keys]
    return ids


def require_items(*, source: type[ItemSource], item_ids: Sequence[str]) -> None:
    """Raise NotFound unless every item exists, or Gone if all missing ones existed before."""
    missing = set(item_ids) - existing_ids(source=source, item_ids=item_ids)
    if not missing:
        return
    if ItemKey.objects.filter(catalogue__name=source.catalogue, item_id__in=missing).count() == len(missing):
        raise Gone(f"this item of {source.catalogue} no longer exists")
    raise NotFound(f"{source.catalogue} has no such item")


def any_items(*, source: type[ItemSource], at_most: int, user_id: str | None) -> Iterator[tuple[str, Any]]:
    """Iterate over the items that may be recommended to the user, newest first if the source has `created`; read in pages."""
    parts = source.parts()
    pages = [_items_of_part(part, at_most, user_id) for part in parts]
    if len(parts) > 1 and all(part.created for part in parts):
        items: Iterable[tuple[type[ItemSource], Any]] = heapq.merge(*pages, key=_age_order)
    else:
        items = chain.from_iterable(pages)
    return ((id_of(part, item), item) for part, item in islice(items, at_most))


def _age_order(entry: tuple[type[ItemSource], Any]) -> float:
    """Return a number that is smaller for newer items; items without a time come last."""
    part, item = entry
    seconds = seconds_of(next(iter(values_of(item, part.created)), None))
    return float("inf") if seconds is None else -seconds


def _items_of_part(part: type[ItemSource], at_most: int, user_id: str | None) -> Iterator[tuple[type[ItemSource], Any]]:
    order = NewestFirst(part.created) if part.created else "pk"
    ordered = part.offered_to(user_id).order_by(order, "pk")
    for start in range(0, at_most, STEP):
        page = list(ordered[start : start + STEP])
        yield from ((part, item) for item in page)
        if len(page) < STEP:
            return


def title_of(*, source: type[ItemSource], item: Any) -> str:
    """Return the item's title alone, without the rest of its record."""
    part = source.part_of(item)
    return str(next(iter(values_of(item, part.title or part.text[0])), ""))


def titles_of(keys: Sequence[ItemKey]) -> dict[int, str]:
    """Return the titles of the items that exist now, by integer key; one query per catalogue."""
    titles: dict[int, str] = {}
    for name in {key.catalogue.name for key in keys}:
        source = source_of(name)
        if source is None:
            continue
        ids = {key.item_id: key.pk for key in keys if key.catalogue.name == name}
        items = items_by_id(source=source, item_ids=ids)
        titles |= {ids[item_id]: title_of(source=source, item=item) for item_id, item in items.items() if item_id in ids}
    return titles


def matches(*, source: type[ItemSource], item: Any, filters: Profile) -> bool:
    """True if the item has at least one of the values of every filter; upper and lower case are equal."""
    return all(_carries(facet_values(source, item, name), wanted) for name, wanted in filters.items())


def facet_values(source: type[ItemSource], item: Any, name: str) -> tuple[str, ...]:
    """Return the item's values of a filter, of "category" or of "tags"."""
    part = source.part_of(item)
    declared = {"category": part.category, "tags": part.tags}
    field = name if name in part.filters else declared.get(name, "")
    return tuple(str(value) for value in values_of(item, field)) if field else ()


def _carries(values: Iterable[str], wanted: Iterable[str]) -> bool:
    folded = {value.casefold() for value in wanted}
    return any(value.casefold() in folded for value in values)


def id_of(source: type[ItemSource], item: Any) -> str:
    """Return the item's id, in the form that the export writes."""
    return source.id_of(item)


def _by_part(source: type[ItemSource], item_ids: Iterable[str]) -> Iterator[tuple[type[ItemSource], list[str]]]:
    """Yield each model's declaration with those of the ids that its items may have; a hash may be of any."""
    parts, ids = source.parts(), list(item_ids)
    for part in parts:
        yield part, ids if len(parts) == 1 else [each for each in ids if is_hashed(each) or source.part_of_id(each) is part]


def _ids_in(rows: QuerySet[Any], source: type[ItemSource], item_ids: Collection[str]) -> set[str]:
    """Return those of the ids that are in `rows`, in the form that the export writes: "01" is not the id of item 1."""
    keys, existing = _keys(rows, source, item_ids), set[str]()
    for start in range(0, len(keys), BATCH):
        batch = rows.filter(**{f"{source.item_id}__in": keys[start : start + BATCH]}).order_by()
        existing.update(public_id(f"{source.item_prefix}{value}") for value in batch.values_list(source.item_id, flat=True))
    return existing.intersection(item_ids)


def _keys(rows: QuerySet[Any], source: type[ItemSource], item_ids: Iterable[str]) -> list[Any]:
    """Return the ids as the database column holds them, without those that it cannot hold."""
    meta = rows.model._meta
    field: Any = meta.pk if source.item_id == "pk" else meta.get_field(source.item_id)
    return list(column_values(field, site_ids(rows, source.item_id, item_ids, prefix=source.item_prefix)).values())
