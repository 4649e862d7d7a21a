"""The reranker that asks a ranker: the best few candidates in the order of a more careful, slower look."""

import logging
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from recommendation_service.domain.query import Query
from recommendation_service.domain.slate import Candidates, Skip
from recommendation_service.engines.turn import Turns
from recommendation_service.numeric import Floats, unit_range
from recommendation_service.rankers.base import Ranker, TooLate

log = logging.getLogger("recommendation_service")


@dataclass(frozen=True, slots=True, eq=False)
class Rescored:
    """What became of one rescoring: the list, who ordered it (empty: nobody), and who should have and could not."""

    found: Candidates
    by: str
    skips: tuple[Skip, ...]


class Rescore:
    """The first of `by` that can say orders the best `top`; the others keep their places below.

    Scores of the engine stay: the moved candidates take over the scores that were there, in descending order, so that
    the list still descends; what the ranker said is the part named after it, the engine's own score the part "score".
    A ranker that is not configured or not trained yet is passed over in silence; one that fails, is damaged or is late
    is told. `budget_ms` bounds each ranker.
    """

    def __init__(
        self, rankers: Mapping[str, Ranker | Skip], *, by: Sequence[str], top: int = 20, budget_ms: float = 150.0
    ) -> None:
        """`rankers` are those of the catalogue by name; a Skip stands for one that is configured but cannot be used."""
        self._rankers = {name: rankers[name] for name in by if name in rankers}
        self._top = top
        self._budget_s = budget_ms / 1000

    def run(self, query: Query, found: Candidates) -> Rescored:
        """The list in its new order, or as it was when no ranker could say."""
        skips: list[Skip] = []
        best = found.take(np.arange(min(self._top, len(found))))
        for name, ranker in self._rankers.items():
            said = ranker if isinstance(ranker, Skip) else self._asked(name, ranker, query, best)
            if isinstance(said, Skip):
                skips.append(said)
            elif said is not None:
                return Rescored(_moved(found, name, said), name, tuple(skips))
        return Rescored(found, "", tuple(skips))

    def _asked(self, name: str, ranker: Ranker, query: Query, best: Candidates) -> Floats | Skip | None:
        if not len(best):
            return None
        try:
            said = ranker.scores(query, best, budget_s=self._budget_s)
        except TooLate:
            return Skip(
                name, "timeout", f"{name} did not answer within {1000 * self._budget_s:g} ms, so the order is the engine's"
            )
        except Exception as error:  # as in engines/turn.py: a bug in a ranker must not cost the visitor the list
            if Turns.reraise:
                raise
            log.exception("%s failed", name, extra={"engine": name, "version": ranker.version})
            return Skip(name, "failed", f"{name} failed ({type(error).__name__}); the log has the traceback")
        if said is not None and not np.isfinite(said).all():
            return Skip(name, "failed", f"{name} gave scores that are not numbers")
        return said


def _moved(found: Candidates, name: str, said: Floats) -> Candidates:
    best = said.size
    order = np.concatenate([np.argsort(-said, kind="stable"), np.arange(best, len(found))])
    told = np.full(len(found), np.nan, dtype=np.float32)
    told[:best] = unit_range(said.astype(np.float32))
    parts = {**found.parts, "score": found.scores, name: told}
    moved = Candidates(found.rows, found.scores, parts).take(order)
    return Candidates(moved.rows, np.sort(found.scores)[::-1], moved.parts)
