"""The interface of every engine, and the conversion of an engine's unexpected error to a skip."""

import logging
from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial
from typing import Any, ClassVar, TypeVar

import numpy as np

from recommendation_service.core.numeric import Floats, Ints, top_rows
from recommendation_service.domain.answer import Skip
from recommendation_service.domain.catalogue import Catalogue
from recommendation_service.domain.query import Query
from recommendation_service.domain.slate import Candidates, Reason, Retrieved
from recommendation_service.engines.alignment import Alignment
from recommendation_service.publishing.store import Artifact

Result = TypeVar("Result")
log = logging.getLogger("recommendation_service")


@dataclass(frozen=True, slots=True, eq=False)
class Scored:
    """The scores of one query, with what the reasons need and what was missing."""

    scores: Floats | None  # (n_items,) float32; None: no prediction for this query
    skips: tuple[Skip, ...] = ()  # missing parts, such as members of an ensemble
    basis: Any = None  # what the scores were computed from, such as the user's vector; None: `explain` reads the query again


class Engine(ABC):
    """Scores the rows of one catalogue for a query.

    "No prediction" is a value: NaN for one row, None for a query. No engine raises for an unknown user, and none returns
    zeros for "unknown". An engine stores nothing between calls: what later stages need is part of the result.
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
        """Return one score per catalogue row, (n_items,) float32, higher is better; NaN, or None for all: no prediction."""

    def scored(self, query: Query) -> Scored:
        """Return the scores with what `explain` needs of them."""
        return Scored(self.scores(query))

    def retrieve(self, query: Query, limit: int) -> Retrieved | None:
        """Return the best eligible rows, at most `limit`; None or no candidates: no prediction."""
        scored = self.scored(query)
        scores = scored.scores
        if scores is None:
            return Retrieved(Candidates.none(), scored.skips) if scored.skips else None
        rows = self.best_rows(scores, query, limit)
        return Retrieved(Candidates(rows, scores[rows], {self.name: scores[rows]}), scored.skips, basis=scored.basis)

    def best_rows(self, scores: Floats, query: Query, limit: int) -> Ints:
        """Return the eligible rows of `scores` (n_items,) above `min_score`, best first."""
        rows = top_rows(scores, limit, query.eligible)
        return rows[scores[rows] > self.min_score]

    def explain(
        self, query: Query, rows: Ints, parts: Mapping[str, Floats] | None = None, basis: Any = None
    ) -> list[tuple[Reason, ...]]:
        """Return the reasons for each of `rows` (k,), best first; an empty tuple if there is none.

        `parts`, (k,) each, and `basis` are those of `retrieve` for this query; without a basis, the query is read again.
        """
        return [()] * rows.size


class ModelEngine(Engine):
    """An engine with a published model: reads a query once, and computes scores and reasons from what it read."""

    def __init__(self, name: str, artifact: Artifact, catalogue: Catalogue) -> None:
        """Read and check the arrays of the model. Raises ArtifactRefused, which names the wrong array."""
        super().__init__(name, artifact.version)
        self._catalogue = catalogue
        self._alignment = Alignment.of(artifact, catalogue)
        self.skips: tuple[Skip, ...] = ()  # reported with every answer, such as a missing index

    @abstractmethod
    def read(self, query: Query) -> Any:
        """Return the basis of scores and reasons, such as the user's vector; None: no prediction for this query."""

    @abstractmethod
    def score(self, basis: Any) -> Floats:
        """Return one score per row of the model, NaN: no prediction."""

    @abstractmethod
    def reasons(self, query: Query, basis: Any, rows: Ints, model_rows: Ints) -> list[tuple[Reason, ...]]:
        """Return the reasons for each of `rows` (k,), at least one; `model_rows` (k,) are -1 for items newer than the model."""

    def scores(self, query: Query) -> Floats | None:
        """Return one score per catalogue row; None without a basis."""
        return self.scored(query).scores

    def scored(self, query: Query) -> Scored:
        """Return the scores with the basis that `explain` needs."""
        basis = self.read(query)
        return Scored(None if basis is None else self._alignment.scatter(self.score(basis)), self.skips, basis)

    def explain(
        self, query: Query, rows: Ints, parts: Mapping[str, Floats] | None = None, basis: Any = None
    ) -> list[tuple[Reason, ...]]:
        """Return the reasons from `basis`, which is read from the query if it is None."""
        basis = self.read(query) if basis is None else basis
        if basis is None or not rows.size:
            return [()] * rows.size
        return self.reasons(query, basis, rows, self._alignment.artifact_rows[rows])


class EngineErrors:
    """How unexpected errors are handled: `reraise` is False in the service and True in tests, so that no bug is hidden."""

    reraise: bool = False


ENGINE_ERRORS = EngineErrors()


def score_all(engines: Mapping[str, Engine], query: Query) -> dict[str, Scored | Skip]:
    """Return the scores of each engine, or a Skip for one that failed."""
    return {name: call_safely(engine, query, partial(engine.scored, query)) for name, engine in engines.items()}


def call_safely(engine: Engine, query: Query, action: Callable[[], Result]) -> Result | Skip:
    """Return the result of `action`, or a Skip with code "failed" and the error's class; the log has the traceback.

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
