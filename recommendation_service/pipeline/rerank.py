"""Rerankers: change the order of candidates; each change of a score is one more part of it."""

import logging
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from recommendation_service.core.numeric import Floats, unit_range, unit_rows
from recommendation_service.domain.features import SCORE, noted
from recommendation_service.domain.query import Query
from recommendation_service.domain.slate import Candidates, Skip
from recommendation_service.engines.base import ENGINE_ERRORS
from recommendation_service.rankers.base import CannotAnswer, Ranker, TooLate

DAY_S = 86_400.0


def freshness(
    query: Query, candidates: Candidates, *, days: float = 30.0, boost: float = 0.2, least: float = 0.05
) -> Candidates:
    """Newer items up, and only those: an item of today gains `boost` times the list's score range, less each day.

    One just short of `days` old still gains `least` times the range (or `boost`, if that is less); from `days` on, as of
    unknown age, an item gains nothing. One dated in the future counts as new.
    """
    age_days = np.maximum(query.now / DAY_S - query.catalogue.created[candidates.rows].astype(np.float64), 0.0)
    smallest = min(least, boost)
    share = np.where(age_days < days, boost - (boost - smallest) * age_days / days, 0.0)
    return _moved(candidates, "freshness", (_range(candidates.scores) * share).astype(np.float32))


def diversity(
    query: Query, candidates: Candidates, *, weight: float = 0.3, facet: str | tuple[str, ...] = "tags"
) -> Candidates:
    """Items like those already above them down: maximal marginal relevance (Carbonell & Goldstein, 1998).

    Likeness is the cosine of the items' values of `facet`, or of several together. An item loses `weight` times the list's
    score range times its likeness to the most alike item above it, so the scores that come back still descend.
    """
    names = (facet,) if isinstance(facet, str) else facet
    owners = [query.catalogue.facets[name] for name in names if name in query.catalogue.facets]
    if not owners or len(candidates) < 2:
        return candidates
    tags = unit_rows(np.hstack([owner.matrix[candidates.rows].toarray() for owner in owners]))
    alike = tags @ tags.T
    penalty = np.float32(weight) * np.float32(_range(candidates.scores))
    nearest = np.zeros(len(candidates), dtype=np.float32)
    loss = np.zeros(len(candidates), dtype=np.float32)
    waiting = np.ones(len(candidates), dtype=np.bool_)
    for _ in range(len(candidates)):
        marginal = np.where(waiting, candidates.scores - penalty * nearest, -np.inf)
        best = int(np.argmax(marginal))
        waiting[best] = False
        loss[best] = -penalty * nearest[best]
        nearest = np.where(waiting, np.maximum(nearest, alike[best]), nearest)
    return _moved(candidates, "diversity", loss)


def _range(scores: Floats) -> float:
    """Spread of the scores; 1 where all are equal, so that rerankers still decide."""
    return float(np.ptp(scores)) or 1.0 if scores.size else 1.0


def _moved(candidates: Candidates, name: str, change: Floats) -> Candidates:
    scores = (candidates.scores + change).astype(np.float32)
    order = np.argsort(-scores, kind="stable")
    return Candidates(candidates.rows, scores, {**candidates.parts, name: change}).take(order)


RERANKERS: Mapping[str, Callable[..., Candidates]] = {"freshness": freshness, "diversity": diversity}


log = logging.getLogger("recommendation_service")


@dataclass(frozen=True, slots=True, eq=False)
class Rescored:
    """What became of one rescoring: the list, who ordered it (empty: nobody), and who should have and could not."""

    candidates: Candidates
    by: str
    skips: tuple[Skip, ...]


class Rescore:
    """The first of `by` that can say orders the best `top`; the others keep their places below.

    Scores of the engine stay: the moved candidates take over the scores that were there, in descending order, so that
    the list still descends; what the ranker said is the part named after it, 0 to 1 over the `top`. Whoever orders the
    list, and also when nobody does, the parts of `domain.features.noted` are kept with it: training reads them from the
    recorded list. A ranker that is not configured or not trained yet is passed over in silence; one that fails, is
    damaged or is late is told. `budget_ms` bounds each ranker.
    """

    def __init__(
        self, rankers: Mapping[str, Ranker | Skip], *, by: Sequence[str], top: int = 20, budget_ms: float = 150.0
    ) -> None:
        """`rankers` are those of the catalogue by name; a Skip stands for one that is configured but cannot be used."""
        self._rankers = {name: rankers[name] for name in by if name in rankers}
        self._top = top
        self._budget_s = budget_ms / 1000

    def run(self, query: Query, candidates: Candidates) -> Rescored:
        """The list in its new order, or as it was when no ranker could say."""
        if not len(candidates):
            return Rescored(candidates, "", ())
        skips: list[Skip] = []
        best = noted(query, candidates.take(np.arange(min(self._top, len(candidates)))))
        candidates = _with_parts(candidates, best)
        for name, ranker in self._rankers.items():
            scores = ranker if isinstance(ranker, Skip) else self._scores_of(name, ranker, query, best)
            if isinstance(scores, Skip):
                skips.append(scores)
            elif scores is not None:
                return Rescored(_reordered(candidates, name, scores), name, tuple(skips))
        return Rescored(candidates, "", tuple(skips))

    def _scores_of(self, name: str, ranker: Ranker, query: Query, best: Candidates) -> Floats | Skip | None:
        if query.offered is not None and not ranker.reads_offers:
            return Skip(name, "no_prediction", f"{name} knows the export's items only, so the order is the engine's")
        try:
            scores = ranker.scores(query, best, budget_s=self._budget_s)
        except TooLate:
            return Skip(
                name, "timeout", f"{name} did not answer within {1000 * self._budget_s:g} ms, so the order is the engine's"
            )
        except CannotAnswer as part:
            return Skip(name, part.code, part.detail)
        except Exception as error:  # as in engines/turn.py: a bug in a ranker must not cost the visitor the list
            if ENGINE_ERRORS.reraise:
                raise
            log.exception("%s failed", name, extra={"engine": name, "version": ranker.version})
            return Skip(name, "failed", f"{name} failed ({type(error).__name__}); the log has the traceback")
        if scores is not None and (scores.shape != best.scores.shape or not np.isfinite(scores).all()):
            return Skip(name, "failed", f"{name} did not give one finite score for each candidate")
        return scores


def _with_parts(candidates: Candidates, best: Candidates) -> Candidates:
    """`found` with what is noted of its best; below them the engine's score only."""
    new = {name: _lengthened(part, len(candidates)) for name, part in best.parts.items() if name not in candidates.parts}
    return Candidates(candidates.rows, candidates.scores, {**candidates.parts, **new, SCORE: candidates.scores})


def _reordered(candidates: Candidates, name: str, scores: Floats) -> Candidates:
    order = np.concatenate([np.argsort(-scores, kind="stable"), np.arange(scores.size, len(candidates))])
    part = _lengthened(unit_range(scores.astype(np.float32)), len(candidates))
    moved = Candidates(candidates.rows, candidates.scores, {**candidates.parts, name: part}).take(order)
    return Candidates(moved.rows, np.sort(candidates.scores)[::-1], moved.parts)


def _lengthened(part: Floats, size: int) -> Floats:
    return np.concatenate([part, np.full(size - part.size, np.nan, dtype=np.float32)])
