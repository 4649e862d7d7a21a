"""Rerankers change the order of candidates; each change of a score is added to its parts."""

import logging
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from recommendation_service.core.numeric import Floats, unit_range, unit_rows
from recommendation_service.domain.answer import Skip, Stage
from recommendation_service.domain.features import SCORE, noted
from recommendation_service.domain.query import Query
from recommendation_service.domain.slate import Candidates
from recommendation_service.engines.base import ENGINE_ERRORS
from recommendation_service.rankers.base import CannotAnswer, Ranker, TooLate

DAY_S = 86_400.0


def freshness(
    query: Query, candidates: Candidates, *, days: float = 30.0, boost: float = 0.2, least: float = 0.05
) -> Candidates:
    """Raise the scores of new items: an item of today gains `boost` times the list's score range, and less with each day.

    An item just under `days` old gains `least` times the range (or `boost`, if that is smaller). Older items and items of
    unknown age gain nothing. An item with a date in the future counts as new.
    """
    age_days = np.maximum(query.now / DAY_S - query.catalogue.created[candidates.rows].astype(np.float64), 0.0)
    smallest = min(least, boost)
    share = np.where(age_days < days, boost - (boost - smallest) * age_days / days, 0.0)
    return _moved(candidates, "freshness", (_range(candidates.scores) * share).astype(np.float32))


def diversity(
    query: Query, candidates: Candidates, *, weight: float = 0.3, facet: str | tuple[str, ...] = "tags"
) -> Candidates:
    """Lower the scores of items similar to items above them: maximal marginal relevance (Carbonell & Goldstein, 1998).

    The similarity is the cosine of the items' values of one or several facets. An item loses `weight` times the list's score
    range times its similarity to the most similar item above it, so that the new scores descend too.
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
    """Return the spread of the scores; 1 if all are equal, so that rerankers have an effect."""
    return float(np.ptp(scores)) or 1.0 if scores.size else 1.0


def _moved(candidates: Candidates, name: str, change: Floats) -> Candidates:
    scores = (candidates.scores + change).astype(np.float32)
    order = np.argsort(-scores, kind="stable")
    return Candidates(candidates.rows, scores, {**candidates.parts, name: change}).take(order)


RERANKERS: Mapping[str, Callable[..., Candidates]] = {"freshness": freshness, "diversity": diversity}


log = logging.getLogger("recommendation_service")


@dataclass(frozen=True, slots=True, eq=False)
class Rescored:
    """The candidates in their new order, the ranker that ordered them (empty: none), and the rankers that were skipped."""

    candidates: Candidates
    by: str
    skips: tuple[Skip, ...]


Reranker = Callable[[Query, Candidates], Candidates | Rescored]


@dataclass(frozen=True, slots=True, eq=False)
class Reranked:
    """The candidates after all rerankers, with skipped rankers and the duration of each reranker."""

    candidates: Candidates
    skips: tuple[Skip, ...]
    stages: tuple[Stage, ...]


def rerank(query: Query, candidates: Candidates, rerankers: Sequence[tuple[str, Reranker]]) -> Reranked:
    """Apply the rerankers of a surface, given with their kinds, in their order."""
    skips: list[Skip] = []
    stages: list[Stage] = []
    for kind, reranker in rerankers:
        started, by = time.perf_counter(), ""
        result = reranker(query, candidates)
        if isinstance(result, Rescored):
            skips += result.skips
            candidates, by = result.candidates, result.by
        else:
            candidates = result
        ms = round(1000 * (time.perf_counter() - started), 3)
        stages.append(Stage(name=kind, ms=ms, detail=by and f"by {by}"))
    return Reranked(candidates, tuple(skips), tuple(stages))


class Rescore:
    """Reorders the best `top` candidates by the first ranker of `by` that has scores for them.

    The list keeps the engine's scores, reassigned in descending order; the ranker's scores, scaled to 0 to 1 over the `top`,
    become the part with its name. The parts of `domain.features.noted` are always added, because training reads them from
    the recorded list. A ranker that is not configured or not trained yet is ignored; one that fails, is damaged or exceeds
    `budget_ms` is reported as a skip.
    """

    def __init__(
        self, rankers: Mapping[str, Ranker | Skip], *, by: Sequence[str], top: int = 20, budget_ms: float = 150.0
    ) -> None:
        """`rankers` are the catalogue's, by name; a Skip is a ranker that is configured but cannot be used."""
        self._rankers = {name: rankers[name] for name in by if name in rankers}
        self._top = top
        self._budget_s = budget_ms / 1000

    def run(self, query: Query, candidates: Candidates) -> Rescored:
        """Return the list in its new order, or in the old one if no ranker had scores."""
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
            detail = f"{name} knows only the items of the export, so the order is the engine's"
            return Skip(engine=name, code="no_prediction", detail=detail)
        try:
            scores = ranker.scores(query, best, budget_s=self._budget_s)
        except TooLate:
            detail = f"{name} did not answer within {1000 * self._budget_s:g} ms, so the order is the engine's"
            return Skip(engine=name, code="timeout", detail=detail)
        except CannotAnswer as part:
            return Skip(engine=name, code=part.code, detail=part.detail)
        except Exception as error:  # as in engines/base.py: a bug in a ranker must not cost the user the list
            if ENGINE_ERRORS.reraise:
                raise
            log.exception("%s failed", name, extra={"engine": name, "version": ranker.version})
            return Skip(engine=name, code="failed", detail=f"{name} failed ({type(error).__name__}); the log has the traceback")
        if scores is not None and (scores.shape != best.scores.shape or not np.isfinite(scores).all()):
            return Skip(engine=name, code="failed", detail=f"{name} did not give one finite score for each candidate")
        return scores


def _with_parts(candidates: Candidates, best: Candidates) -> Candidates:
    """Return the candidates with the new parts of the best ones; the others get the engine's score only."""
    new = {name: _lengthened(part, len(candidates)) for name, part in best.parts.items() if name not in candidates.parts}
    return Candidates(candidates.rows, candidates.scores, {**candidates.parts, **new, SCORE: candidates.scores})


def _reordered(candidates: Candidates, name: str, scores: Floats) -> Candidates:
    order = np.concatenate([np.argsort(-scores, kind="stable"), np.arange(scores.size, len(candidates))])
    part = _lengthened(unit_range(scores.astype(np.float32)), len(candidates))
    moved = Candidates(candidates.rows, candidates.scores, {**candidates.parts, name: part}).take(order)
    return Candidates(moved.rows, np.sort(candidates.scores)[::-1], moved.parts)


def _lengthened(part: Floats, size: int) -> Floats:
    return np.concatenate([part, np.full(size - part.size, np.nan, dtype=np.float32)])
