"""Popularity: the most chosen items, of equal ones the newer first. It needs no training, so it can end every chain."""

from collections.abc import Mapping
from typing import Any, ClassVar

import numpy as np

from recommendation_service.core.numeric import Floats, Ints
from recommendation_service.domain.catalogue import Catalogue
from recommendation_service.domain.query import Query
from recommendation_service.domain.slate import Reason
from recommendation_service.engines.base import Engine

POPULAR_SHARE = 0.75  # "popular": chosen more often than three quarters of the items that were chosen at all
NEW_DAYS = 30.0


class Popularity(Engine):
    """The same order for every user; only the eligible items differ."""

    label: ClassVar[str] = "popular"

    def __init__(self, name: str, catalogue: Catalogue, *, always_explain: bool = False) -> None:
        """Reads `catalogue.popularity` and `catalogue.created`, both (n_items,).

        With `always_explain`, items that are neither popular nor new have a plain reason too.
        """
        super().__init__(name, "catalogue")
        self._always_explain = always_explain
        self._created = catalogue.created
        self._popularity = catalogue.popularity
        chosen = catalogue.popularity[catalogue.popularity > 0]
        self._popular_from = float(np.quantile(chosen, POPULAR_SHARE)) if chosen.size else np.inf
        self._scores = _ranked(catalogue.popularity, catalogue.created)
        self._scores.flags.writeable = False

    def scores(self, query: Query) -> Floats | None:
        """Return log(1 + popularity), plus less than half of the smallest step for newness; None for an empty catalogue."""
        return self._scores if self._scores.size else None

    def explain(
        self, query: Query, rows: Ints, parts: Mapping[str, Floats] | None = None, basis: Any = None
    ) -> list[tuple[Reason, ...]]:
        """Return "Popular here", "New here" in an item's first month, else none or, with `always_explain`, a plain one."""
        return [self._reason(query, row) for row in rows.tolist()]

    def _reason(self, query: Query, row: int) -> tuple[Reason, ...]:
        popularity = float(self._popularity[row])
        if popularity > 0 and popularity >= self._popular_from:
            return (Reason(self.name, "Popular here", popularity, personal=False),)
        age_days = query.now / 86_400 - float(self._created[row])
        if 0 <= age_days <= NEW_DAYS:
            return (Reason(self.name, "New here", 1.0 - age_days / NEW_DAYS, personal=False),)
        plain = "Others chose it here" if popularity > 0 else "Not tried by many yet"
        return (Reason(self.name, plain, 0.0, personal=False),) if self._always_explain else ()


def _ranked(popularity: Floats, created: Floats) -> Floats:
    """Return scores by popularity; newness breaks ties, since it adds less than half of the smallest difference."""
    scores = np.log1p(np.maximum(popularity.astype(np.float64), 0.0))
    levels = np.unique(scores)
    step = float(np.diff(levels).min()) if levels.size > 1 else 1.0
    order = np.unique(created[~np.isnan(created)])
    newness = (np.searchsorted(order, created) + 1) / (order.size + 1)
    return (scores + 0.5 * step * np.where(np.isnan(created), 0.0, newness)).astype(np.float32)
