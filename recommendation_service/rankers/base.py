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
        """`code` is a word for programs, such as unreachable, `detail` for people."""
        super().__init__(f"{code}: {detail}")
        self.code, self.detail = code, detail


class Ranker(ABC):
    """Scores a short list of candidates for a query; the reranker `rescore` moves them by it.

    "Cannot say" is a value here as for engines: None. A ranker keeps its own time: what may be slow raises TooLate.
    """

    label: ClassVar[str] = ""
    reads_offers: ClassVar[bool] = False  # False: bound to the export's rows, so never asked about offers

    def __init__(self, name: str, version: str) -> None:
        """`name` is the ranker's word in the use-case file, `version` its artifact's."""
        self.name = name
        self.version = version

    @abstractmethod
    def scores(self, query: Query, candidates: Candidates, *, budget_s: float) -> Floats | None:
        """One score per candidate, (k,) finite float32, higher is better; None: it cannot say for this query."""
