"""The interface of rankers: models that score the few best candidates again, more precisely."""

from abc import ABC, abstractmethod
from typing import ClassVar

from recommendation_service.core.numeric import Floats
from recommendation_service.domain.query import Query
from recommendation_service.domain.slate import Candidates


class TooLate(Exception):
    """The ranker exceeded its time budget; the list keeps its order."""


class CannotAnswer(Exception):
    """A ranker's dependency is unavailable; the list keeps its order, and a skip reports it."""

    def __init__(self, code: str, detail: str) -> None:
        """`code` is stable, for programs, such as unreachable; `detail` is for people."""
        super().__init__(f"{code}: {detail}")
        self.code, self.detail = code, detail


class Ranker(ABC):
    """Scores a short list of candidates for a query; the reranker `rescore` reorders them by these scores.

    "No prediction" is a value, None, as for engines. A ranker that may be slow checks its budget and raises TooLate.
    """

    label: ClassVar[str] = ""
    reads_offers: ClassVar[bool] = False  # False: knows only the rows of the export, so it is skipped for offers

    def __init__(self, name: str, version: str) -> None:
        """`name` is the ranker's name in the use-case file, `version` its artifact's."""
        self.name = name
        self.version = version

    @abstractmethod
    def scores(self, query: Query, candidates: Candidates, *, budget_s: float) -> Floats | None:
        """Return one score per candidate, (k,) finite float32, higher is better; None: no prediction for this query."""
