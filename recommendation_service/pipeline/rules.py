"""Rules about a list: masks decide before retrieval which items may be shown, caps shorten the list after reranking."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import replace

import numpy as np

from recommendation_service.core.numeric import Bools, Ints
from recommendation_service.domain.answer import Relaxed
from recommendation_service.domain.catalogue import Facet
from recommendation_service.domain.query import Query
from recommendation_service.domain.request import pointer_step
from recommendation_service.domain.rules import ListCaps
from recommendation_service.domain.slate import Candidates
from recommendation_service.errors import InvalidInput
from recommendation_service.use_cases.schema import Part

Mask = Callable[[Query, Bools], None]  # sets the items that may not be shown to False, in place: (n_items,)


def apply_masks(
    query: Query, filters: Mapping[str, tuple[str, ...]], excluded: Ints, masks: Iterable[Mask], masks_again: Iterable[Mask]
) -> Query:
    """Return the query with the items that may be shown: those that pass the filters, the exclusions and all masks.

    If that leaves no item because the user has seen every one, `masks_again` decide. Raises InvalidInput for unknown filters.
    """
    eligible = _passing(query, filters, excluded, masks)
    if eligible.any():
        return replace(query, eligible=eligible)
    again = _passing(query, filters, excluded, masks_again)
    return replace(query, eligible=again, seen_again=bool(again.any()))


def _passing(query: Query, filters: Mapping[str, tuple[str, ...]], excluded: Ints, masks: Iterable[Mask]) -> Bools:
    passing = exclude_rows(query, excluded)
    if filters:
        passing &= wanted(query, filters)
    for mask in masks:
        mask(query, passing)
    return passing


def apply_caps(
    query: Query, candidates: Candidates, rules: Iterable[Part], relax: Sequence[str] | None = None, needed: int | None = None
) -> tuple[Candidates, list[Relaxed]]:
    """Return the best candidates that the caps among `rules` allow, at most `query.limit`, and the caps that were relaxed.

    A cap is relaxed, in the order of `relax`, while fewer than `needed` candidates pass, by default `query.limit`. The order
    stays that of the candidates. See `ListCaps`.
    """
    wanted, needed = query.limit, min(needed or query.limit, query.limit)
    caps = ListCaps([(rule.kind, rule.options) for rule in rules], relax)
    facets, rows = query.catalogue.facets, candidates.rows.tolist()
    if not caps:
        return candidates.take(np.arange(min(query.limit, len(rows)))), []
    chosen: list[int] = []
    left, relaxed = list(range(len(rows))), list[Relaxed]()
    dropped: Relaxed | None = None
    while True:
        before, passed_over = len(chosen), list[int]()
        for index in left:
            values_of = _values_of(facets, rows[index])
            if len(chosen) < wanted and caps.allows(values_of):
                caps.add(values_of)
                chosen.append(index)
            else:
                passed_over.append(index)
        if dropped is not None and len(chosen) > before:
            relaxed.append(dropped)
        left = passed_over
        next_cap = caps.relax() if left and len(chosen) < needed else None
        if next_cap is None:
            return candidates.take(np.array(sorted(chosen), dtype=np.int64)), relaxed
        wanted, dropped = needed, Relaxed(rule=next_cap[0], detail=next_cap[1])


def _values_of(facets: Mapping[str, Facet], row: int) -> Callable[[str], Sequence[str]]:
    return lambda name: facets[name].of(row) if name in facets else ()


def exclude_seen(query: Query, allowed: Bools) -> None:
    """Exclude every item of the history, whether liked, disliked or only viewed."""
    allowed[query.history.rows] = False
    allowed[query.history.older] = False


def exclude_disliked(query: Query, allowed: Bools) -> None:
    """Exclude disliked items; replaces `exclude_seen` for users who have seen everything."""
    allowed[query.history.disliked()] = False


def available(query: Query, allowed: Bools) -> None:
    """Exclude items that are not available now, such as products that are out of stock."""
    if query.catalogue.available is not None:
        allowed &= query.catalogue.available


def exclude_rows(query: Query, rows: Ints) -> Bools:
    """Return (n_items,), False for these rows and for the subject of the request."""
    allowed = np.ones(len(query.catalogue), dtype=np.bool_)
    allowed[rows] = False
    allowed[query.subject] = False
    return allowed


def wanted(query: Query, filters: Mapping[str, tuple[str, ...]]) -> Bools:
    """Return (n_items,), True if the item has one of the requested values of every facet in `filters`.

    Raises InvalidInput, with the facets of the catalogue, for an unknown facet.
    """
    facets = query.catalogue.facets
    allowed = np.ones(len(query.catalogue), dtype=np.bool_)
    for name, values in filters.items():
        if name not in facets:
            detail = f"{query.catalogue.name} can be filtered by {', '.join(sorted(facets)) or 'nothing'}"
            label = name if name.isidentifier() else "of this name"
            raise InvalidInput(f"unknown filter {label}: {detail}", fields={f"/filters/{pointer_step(name)}": detail})
        allowed &= facets[name].mask(values)
    return allowed


MASKS: Mapping[str, Callable[..., None]] = {"exclude_seen": exclude_seen, "available": available}
WHERE_ALL_WAS_SEEN: Mapping[str, Callable[..., None]] = {**MASKS, "exclude_seen": exclude_disliked}
