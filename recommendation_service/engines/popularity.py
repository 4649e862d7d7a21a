"""What is chosen most here, newer first among equals. Needs no training, so every chain can end with it."""

from typing import ClassVar

import numpy as np

from recommendation_service.core.numeric import Floats
from recommendation_service.domain.catalogue import Catalogue
from recommendation_service.domain.query import Query
from recommendation_service.domain.slate import Reason
from recommendation_service.engines.base import Engine

POPULAR_SHARE = 0.75  # "popular" means more chosen than three quarters of the items that were chosen at all
NEW_DAYS = 30.0


class Popularity(Engine):
    """Same order for everyone; only what is eligible differs."""

    label: ClassVar[str] = "popular"

    def __init__(self, name: str, catalogue: Catalogue, *, always_explain: bool = False) -> None:
        """Reads `catalogue.popularity` and `catalogue.created`, both (n_items,).

        With `always_explain`, what is neither popular nor new has a plain reason too.
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
        """log(1 + popularity) plus less than half a step for newness; None only for an empty catalogue."""
        return self._scores if self._scores.size else None

    def explain(self, query: Query, row: int) -> Reason | None:
        """ "Popular here" only where it is; "New here" within a month of its creation; else nothing, or a plain word."""
        chosen = float(self._popularity[row])
        if chosen > 0 and chosen >= self._popular_from:
            return Reason(self.name, "Popular here", chosen, personal=False)
        age_days = query.now / 86_400 - float(self._created[row])
        if 0 <= age_days <= NEW_DAYS:
            return Reason(self.name, "New here", 1.0 - age_days / NEW_DAYS, personal=False)
        plain = "Others chose it here" if chosen > 0 else "Not tried by many yet"
        return Reason(self.name, plain, 0.0, personal=False) if self._always_explain else None


def _ranked(popularity: Floats, created: Floats) -> Floats:
    """Popularity decides, newness breaks ties: it moves a score by less than half the least difference there is."""
    scores = np.log1p(np.maximum(popularity.astype(np.float64), 0.0))
    levels = np.unique(scores)
    step = float(np.diff(levels).min()) if levels.size > 1 else 1.0
    order = np.unique(created[~np.isnan(created)])
    newness = (np.searchsorted(order, created) + 1) / (order.size + 1)
    return (scores + 0.5 * step * np.where(np.isnan(created), 0.0, newness)).astype(np.float32)
