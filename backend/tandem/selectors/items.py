"""The site's own items, as its ItemSource declares them."""

from collections.abc import Iterable, Iterator, Sequence
from typing import Any

from django.core.exceptions import ValidationError

from recommendation_service.domain.query import Profile
from recommendation_service.errors import Gone, NotFound
from tandem.models import ItemKey
from tandem.sources import ItemSource, values_of

STEP = 200


def items_by_id(*, source: type[ItemSource], item_ids: Sequence[str]) -> dict[str, Any]:
    """Those of the items that exist now, by outside id; one query."""
    wanted = list(_database_ids(source, item_ids))
    if not wanted:
        return {}
    found = source.items().filter(**{f"{source.item_id}__in": wanted})
    return {_id_of(source, item): item for item in found}


def alive(*, source: type[ItemSource], item_ids: Sequence[str]) -> set[str]:
    """Which of the items may be shown now; one query that reads ids only."""
    wanted = list(_database_ids(source, item_ids))
    if not wanted:
        return set()
    found = source.offered().filter(**{f"{source.item_id}__in": wanted}).order_by()
    return {str(value) for value in found.values_list(source.item_id, flat=True)}


def require_items(*, source: type[ItemSource], item_ids: Sequence[str]) -> None:
    """Raise NotFound unless every item exists; Gone for one that was known once and was taken away."""
    existing = items_by_id(source=source, item_ids=item_ids)
    missing = [item_id for item_id in item_ids if item_id not in existing]
    if not missing:
        return
    if ItemKey.objects.filter(catalogue__name=source.catalogue, item_id__in=missing).count() == len(set(missing)):
        raise Gone(f"this item of {source.catalogue} is not there any more")
    raise NotFound(f"{source.catalogue} has no such item")


def any_items(*, source: type[ItemSource], at_most: int) -> Iterator[tuple[str, Any]]:
    """Items of the catalogue, the newest first where the source says when they were made, read in steps."""
    order = f"-{source.created}" if source.created else "pk"
    ordered = source.offered().order_by(order, "pk")
    for start in range(0, at_most, STEP):
        page = list(ordered[start : start + STEP])
        yield from ((_id_of(source, item), item) for item in page)
        if len(page) < STEP:
            return


def title_of(*, source: type[ItemSource], item: Any) -> str:
    """The item's title alone, without reading the rest of it."""
    return str(next(iter(values_of(item, source.title or source.text[0])), ""))


def matches(*, source: type[ItemSource], item: Any, filters: Profile) -> bool:
    """Whether the item carries at least one wanted value of every filter; letter case is ignored."""
    return all(_carries(facet_values(source, item, name), wanted) for name, wanted in filters.items())


def facet_values(source: type[ItemSource], item: Any, name: str) -> tuple[str, ...]:
    """Return the item's values of a filter, of "category" or of "tags"."""
    declared = {"category": source.category, "tags": source.tags}
    field = name if name in source.filters else declared.get(name, "")
    return tuple(str(value) for value in values_of(item, field)) if field else ()


def _carries(values: Iterable[str], wanted: Iterable[str]) -> bool:
    folded = {value.casefold() for value in wanted}
    return any(value.casefold() in folded for value in values)


def _id_of(source: type[ItemSource], item: Any) -> str:
    return str(next(iter(values_of(item, source.item_id))))


def _database_ids(source: type[ItemSource], item_ids: Iterable[str]) -> Iterator[Any]:
    """The ids in the column's own type; those that cannot be of it name no item of ours."""
    meta = source.items().model._meta
    field = meta.pk if source.item_id == "pk" else meta.get_field(source.item_id)
    for item_id in item_ids:
        try:
            value = field.to_python(item_id)
        except (ValidationError, ValueError, TypeError):
            continue
        yield value
