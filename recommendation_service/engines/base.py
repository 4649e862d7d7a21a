"""What every engine promises."""

from abc import ABC, abstractmethod
from collections.abc import Mapping
from typing import ClassVar

import numpy as np

from recommendation_service.core.numeric import Floats, Ints, top_rows
from recommendation_service.domain.query import Query
from recommendation_service.domain.slate import Candidates, Reason, Skip


class Engine(ABC):
    """Scores the rows of one catalogue for a query.

    "Cannot say" is a value: `scores` gives NaN for a row it knows nothing about and None when it can say nothing for
    this query. No engine raises for an unknown user, and none returns zeros for "don't know".
    """

    label: ClassVar[str] = ""  # the word for this kind of engine in log lines, such as "ALS"
    least: ClassVar[float] = -np.inf  # a row scored so, or lower, is none to propose: where 0 says "nothing in common"
    reads_offers: ClassVar[bool] = False  # False: bound to the export's rows, so never asked about offers (engines.turn)

    def __init__(self, name: str, version: str) -> None:
        """`name` is the engine's word in the use-case file, `version` its artifact's, such as "als_v3"."""
        self.name = name
        self.version = version

    @abstractmethod
    def scores(self, query: Query) -> Floats | None:
        """One score per catalogue row, (n_items,) float32, higher is better; NaN: cannot say; None: pass."""

    def recommend(self, query: Query, limit: int) -> Candidates | None:
        """The best known eligible rows, at most `limit`; None when there are none."""
        scores = self.scores(query)
        if scores is None:
            return None
        rows = self.proposed(scores, query, limit)
        return Candidates(rows, scores[rows], {self.name: scores[rows]}) if rows.size else None

    def proposed(self, scores: Floats, query: Query, limit: int) -> Ints:
        """Of rows scored (n_items,) for this query, those worth proposing: eligible, above `least`, best first."""
        rows = top_rows(scores, limit, query.eligible)
        return rows[scores[rows] > self.least]

    def explain(self, query: Query, row: int) -> Reason | None:
        """Why this row, for this query; None when the engine has nothing to say in words."""
        return None

    def reasons(self, query: Query, row: int) -> tuple[Reason, ...]:
        """As `explain`, best first, for engines that may have more than one; empty when there is nothing to say."""
        reason = self.explain(query, row)
        return () if reason is None else (reason,)

    def partial(self, query: Query) -> tuple[Skip, ...]:
        """What was missing from the answer this engine gave; empty for every engine that is not a blend."""
        return ()

    def laps(self, query: Query) -> Mapping[str, float]:
        """Stage -> ms of the answer to this query, for engines that work in stages."""
        return {}
