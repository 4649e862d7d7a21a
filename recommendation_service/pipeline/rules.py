"""Rules a slate must keep. Masks decide before retrieval what may be shown at all; the others trim the list after."""

from collections.abc import Callable, Mapping

import numpy as np

from recommendation_service.core.numeric import Bools, Ints
from recommendation_service.domain.query import Query
from recommendation_service.domain.rules import ValueCap
from recommendation_service.domain.slate import Candidates
from recommendation_service.errors import InvalidInput


def exclude_seen(query: Query) -> Bools:
    """(n_items,), False for everything in the history: liked, disliked or just looked at."""
    allowed = np.ones(len(query.catalogue), dtype=np.bool_)
    allowed[query.history.rows] = False
    allowed[query.history.older] = False
    return allowed


def exclude_disliked(query: Query) -> Bools:
    """(n_items,), False for what the history says is not wanted: all that stays out where everything was seen."""
    allowed = np.ones(len(query.catalogue), dtype=np.bool_)
    allowed[query.history.disliked()] = False
    return allowed


def available(query: Query) -> Bools:
    """(n_items,), False for what cannot be had now, such as products that are out of stock."""
    candidates = query.catalogue.available
    return np.ones(len(query.catalogue), dtype=np.bool_) if candidates is None else candidates


def exclude_rows(query: Query, rows: Ints) -> Bools:
    """(n_items,), False for these rows and for the subject of the request."""
    allowed = np.ones(len(query.catalogue), dtype=np.bool_)
    allowed[rows] = False
    allowed[query.subject] = False
    return allowed


def wanted(query: Query, filters: Mapping[str, tuple[str, ...]]) -> Bools:
    """(n_items,), True where the item carries one of the asked values of every facet named.

    Raises InvalidInput for a facet this catalogue does not have, listing those it has.
    """
    facets = query.catalogue.facets
    allowed = np.ones(len(query.catalogue), dtype=np.bool_)
    for name, values in filters.items():
        if name not in facets:
            detail = f"{query.catalogue.name} can be filtered by {', '.join(sorted(facets)) or 'nothing'}"
            raise InvalidInput(f"unknown filter '{name}': {detail}", fields={f"/filters/{name}": detail})
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
