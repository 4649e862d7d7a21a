"""Rules about a list: masks decide before retrieval which items may be shown, trims shorten the list after reranking."""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import replace

import numpy as np

from recommendation_service.core.numeric import Bools, Ints
from recommendation_service.domain.query import Query
from recommendation_service.domain.request import pointer_step
from recommendation_service.domain.rules import ValueCap
from recommendation_service.domain.slate import Candidates
from recommendation_service.errors import InvalidInput

Mask = Callable[[Query], Bools]
Trim = Callable[[Query, Candidates], Candidates]


def apply_masks(
    query: Query, filters: Mapping[str, tuple[str, ...]], excluded: Ints, masks: Iterable[Mask], masks_again: Iterable[Mask]
) -> Query:
    """Return the query with the items that may be shown: those that pass the filters, the exclusions and all masks.

    If that leaves no item because the user has seen every one, `masks_again` decide. Raises InvalidInput for unknown filters.
    """
    allowed = wanted(query, filters) & exclude_rows(query, excluded)
    eligible = _passing(query, allowed, masks)
    if eligible.any():
        return replace(query, eligible=eligible)
    again = _passing(query, allowed, masks_again)
    return replace(query, eligible=again, seen_again=bool(again.any()))


def _passing(query: Query, allowed: Bools, masks: Iterable[Mask]) -> Bools:
    passing = allowed.copy()
    for mask in masks:
        passing &= mask(query)
    return passing


def apply_trims(query: Query, candidates: Candidates, trims: Iterable[Trim]) -> Candidates:
    """Return the candidates that all trims keep."""
    for trim in trims:
        candidates = trim(query, candidates)
    return candidates


def exclude_seen(query: Query) -> Bools:
    """Return (n_items,), False for every item of the history, whether liked, disliked or only viewed."""
    allowed = np.ones(len(query.catalogue), dtype=np.bool_)
    allowed[query.history.rows] = False
    allowed[query.history.older] = False
    return allowed


def exclude_disliked(query: Query) -> Bools:
    """Return (n_items,), False for disliked items; replaces `exclude_seen` for users who have seen everything."""
    allowed = np.ones(len(query.catalogue), dtype=np.bool_)
    allowed[query.history.disliked()] = False
    return allowed


def available(query: Query) -> Bools:
    """Return (n_items,), False for items that are not available now, such as products that are out of stock."""
    mask = query.catalogue.available
    return np.ones(len(query.catalogue), dtype=np.bool_) if mask is None else mask


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


def max_per_category(query: Query, candidates: Candidates, *, limit: int = 3, facet: str = "category") -> Candidates:
    """Keep at most `limit` candidates of any one value of `facet`, the best first; see ValueCap."""
    item_facet, cap = query.catalogue.facets.get(facet), ValueCap(limit=limit, facet=facet)
    if item_facet is None:
        return candidates
    mask = []
    for index, row in enumerate(candidates.rows.tolist()):
        values = item_facet.of(row)
        if cap.allows(values):
            cap.add(values)
            mask.append(index)
    return candidates.take(np.array(mask, dtype=np.int64))


MASKS: Mapping[str, Callable[..., Bools]] = {"exclude_seen": exclude_seen, "available": available}
WHERE_ALL_WAS_SEEN: Mapping[str, Callable[..., Bools]] = {**MASKS, "exclude_seen": exclude_disliked}
TRIMS: Mapping[str, Callable[..., Candidates]] = {"max_per_category": max_per_category}
