"""The interface of every engine, and the one place where an unexpected error of an engine becomes a value."""

import logging
from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping
from typing import ClassVar, TypeVar

import numpy as np

from recommendation_service.core.numeric import Floats, Ints, top_rows
from recommendation_service.domain.answer import Skip
from recommendation_service.domain.query import Query
from recommendation_service.domain.slate import Candidates, Reason, Retrieved

Result = TypeVar("Result")
log = logging.getLogger("recommendation_service")


class Engine(ABC):
    """Scores the rows of one catalogue for a query.

    "No prediction" is a value: NaN for one row, None for a query. No engine raises for an unknown user, and none returns
    zeros for "unknown". An engine remembers nothing between calls: all that it learned while scoring is in the result.
    """

    label: ClassVar[str] = ""  # name of this kind of engine in log lines, such as "ALS"
    min_score: ClassVar[float] = -np.inf  # rows with this score or less are never candidates; 0 where 0 means "nothing shared"
    reads_offers: ClassVar[bool] = False  # False: knows only the rows of the export, so it is skipped for queries with offers

    def __init__(self, name: str, version: str) -> None:
        """`name` is the engine's name in the use-case file, `version` its artifact's, such as "als_v3"."""
        self.name = name
        self.version = version

    @abstractmethod
    def scores(self, query: Query) -> Floats | None:
        """One score per catalogue row, (n_items,) float32, higher is better; NaN: no prediction; None: none for this query."""

    def scores_and_skips(self, query: Query) -> tuple[Floats | None, tuple[Skip, ...]]:
        """The scores, and what was missing from them; only an ensemble can lack a part of itself."""
        return self.scores(query), ()

    def retrieve(self, query: Query, limit: int) -> Retrieved | None:
        """The best eligible rows, at most `limit`; None or no candidates: no prediction."""
        scores, skips = self.scores_and_skips(query)
        if scores is None:
            return Retrieved(Candidates.none(), skips) if skips else None
        rows = self.best_rows(scores, query, limit)
        return Retrieved(Candidates(rows, scores[rows], {self.name: scores[rows]}), skips)

    def best_rows(self, scores: Floats, query: Query, limit: int) -> Ints:
        """Eligible rows of `scores` (n_items,) above `min_score`, best first."""
        rows = top_rows(scores, limit, query.eligible)
        return rows[scores[rows] > self.min_score]

    def explain(self, query: Query, rows: Ints, parts: Mapping[str, Floats] | None = None) -> list[tuple[Reason, ...]]:
        """The reasons for each of `rows` (k,), best first; an empty tuple where there is none.

        `parts`, (k,) each, are the parts that `retrieve` returned for these rows.
        """
        return [()] * rows.size


class EngineErrors:
    """How unexpected errors are handled: `reraise` is False in service and True in tests, so that no bug is hidden."""

    reraise: bool = False


ENGINE_ERRORS = EngineErrors()


def call_safely(engine: Engine, query: Query, action: Callable[[], Result]) -> Result | Skip:
    """The result of `action`, or a Skip with code "failed" and the error's class; the log has the traceback.

    An engine that knows only the rows of the export is skipped where the query's rows are offers.
    """
    if query.offered is not None and not engine.reads_offers:
        return Skip(
            engine=engine.name, code="no_prediction", detail=f"{engine.name} knows only the items of the export, not the offers"
        )
    try:
        return action()
    except Exception as error:  # a bug in one engine must not cost the user the answers of the other engines
        if ENGINE_ERRORS.reraise:
            raise
        log.exception("%s failed", engine.name, extra={"engine": engine.name, "version": engine.version})
        return Skip(
            engine=engine.name,
            code="failed",
            detail=f"{engine.name} failed ({type(error).__name__}); the log has the traceback",
        )
