"""The site's own items, as its ItemSource declares them."""

from collections.abc import Collection, Iterable, Iterator, Sequence
from typing import Any

from django.db.models import QuerySet

from recommendation_service.domain.ids import public_id
from recommendation_service.domain.query import Profile
from recommendation_service.errors import Gone, NotFound
from tandem.item_ids import column_values, site_ids
from tandem.models import ItemKey
from tandem.sources import ItemSource, source_of, values_of

STEP = 200
BATCH = 5_000  # ids in one query


def items_by_id(*, source: type[ItemSource], item_ids: Iterable[str]) -> dict[str, Any]:
    """Return the items that exist now, by item id; one query."""
    rows = source.items()
    keys = _keys(rows, source, item_ids)
    items = rows.filter(**{f"{source.item_id}__in": keys}) if keys else ()
    return {id_of(source, item): item for item in items}


def existing_ids(*, source: type[ItemSource], item_ids: Collection[str]) -> set[str]:
    """Return the ids of the items that the catalogue has now; queries that read ids only."""
    return _ids_in(source.items(), source, item_ids)


def available_ids(*, source: type[ItemSource], item_ids: Collection[str], user_id: str | None) -> set[str]:
    """Return the ids of the items that may be recommended to the user now; queries that read ids only."""
    return _ids_in(source.offered_to(user_id), source, item_ids)


def invisible_ids(*, source: type[ItemSource], user_id: str | None, at_most: int) -> list[str]:
    """Return ids of items that the user may not see, as many as a request to the service can exclude."""
    visible = source.visible_to(user_id)
    if visible is None:
        return []
    rows = source.offered().exclude(pk__in=source.offered_to(user_id).order_by().values("pk"))
    return [public_id(str(item_id)) for item_id in rows.values_list(source.item_id, flat=True)[:at_most]]


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
    order = f"-{source.created}" if source.created else "pk"
    ordered = source.offered_to(user_id).order_by(order, "pk")
    for start in range(0, at_most, STEP):
        page = list(ordered[start : start + STEP])
        yield from ((id_of(source, item), item) for item in page)
        if len(page) < STEP:
            return


def title_of(*, source: type[ItemSource], item: Any) -> str:
    """Return the item's title alone, without the rest of its record."""
    return str(next(iter(values_of(item, source.title or source.text[0])), ""))


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
    declared = {"category": source.category, "tags": source.tags}
    field = name if name in source.filters else declared.get(name, "")
    return tuple(str(value) for value in values_of(item, field)) if field else ()


def _carries(values: Iterable[str], wanted: Iterable[str]) -> bool:
    folded = {value.casefold() for value in wanted}
    return any(value.casefold() in folded for value in values)


def id_of(source: type[ItemSource], item: Any) -> str:
    """Return the item's id, in the form that the export writes."""
    return source.id_of(item)


def _ids_in(rows: QuerySet[Any], source: type[ItemSource], item_ids: Collection[str]) -> set[str]:
    """Return those of the ids that are in `rows`, in the form that the export writes: "01" is not the id of item 1."""
    keys, existing = _keys(rows, source, item_ids), set[str]()
    for start in range(0, len(keys), BATCH):
        batch = rows.filter(**{f"{source.item_id}__in": keys[start : start + BATCH]}).order_by()
        existing.update(public_id(str(value)) for value in batch.values_list(source.item_id, flat=True))
    return existing.intersection(item_ids)


def _keys(rows: QuerySet[Any], source: type[ItemSource], item_ids: Iterable[str]) -> list[Any]:
    """Return the ids as the database column holds them, without those that it cannot hold."""
    meta = rows.model._meta
    field: Any = meta.pk if source.item_id == "pk" else meta.get_field(source.item_id)
    return list(column_values(field, site_ids(rows, source.item_id, item_ids)).values())
