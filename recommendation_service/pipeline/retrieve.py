"""Retrieval: the first engine of the chain that has a prediction answers, the next ones fill the list."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field, replace
from functools import partial

import numpy as np

from recommendation_service.core.numeric import Ints
from recommendation_service.domain.query import Query
from recommendation_service.domain.slate import ALL_SEEN, SEEN_EVERYTHING, Candidates, Retrieved, Skip
from recommendation_service.engines.base import Engine, call_safely
from recommendation_service.pipeline.surface_pipeline import Plan

NO_METHOD = "none"  # method_used of an answer without an engine


@dataclass(frozen=True, slots=True, eq=False)
class ChainResult:
    """Candidates with the engines that proposed them."""

    candidates: Candidates
    method: str  # the engine that answered; NO_METHOD if none did
    version: str
    sources: Mapping[int, Engine]  # row -> the engine that proposed it
    skips: tuple[Skip, ...]
    timings: Mapping[str, float] = field(default_factory=dict)


def retrieve(plan: Plan, query: Query, engines: Mapping[str, Engine], refused: Collection[str] = ()) -> ChainResult:
    """The best candidates of the first engine in the chain with a prediction, filled up from the rest if too few.

    If the user has seen everything, the chain's last engine, which is the same for every user, is asked first. Filling
    is not a degradation; skipping the engine that the router chose is, and every skip is reported.
    `refused` names engines that are absent because their published model is damaged.
    """
    chain = plan.chain(query)
    if not query.eligible.any():
        return _no_result((Skip(chain[0], "no_prediction", _why_nothing(query)),))
    wanted = max(query.limit, plan.surface.candidates)
    skips: list[Skip] = []
    if query.seen_again:
        skips.append(Skip(chain[0], SEEN_EVERYTHING, ALL_SEEN))
        chain = (chain[-1], *chain[:-1])
    for index, name in enumerate(chain):
        retrieved = _call(name, plan, engines, query, wanted)
        if isinstance(retrieved, Skip):
            skips.append(_refused(name) if retrieved.code == "not_trained" and name in refused else retrieved)
            continue
        engine, candidates = engines[name], retrieved.candidates
        sources = dict.fromkeys(candidates.rows.tolist(), engine)
        result = ChainResult(candidates, name, engine.version, sources, (*skips, *retrieved.skips), retrieved.timings)
        enough = wanted if plan.trims else query.limit
        return _filled(result, chain[index + 1 :], plan, engines, query, enough)
    return _no_result(tuple(skips))


def _call(name: str, plan: Plan, engines: Mapping[str, Engine], query: Query, limit: int) -> Retrieved | Skip:
    if name in plan.switched_off:
        return Skip(name, "switched_off", f"{name} is switched off by a setting")
    engine = engines.get(name)
    if engine is None:
        return Skip(name, "not_trained", f"{name} has no published model yet")
    retrieved = call_safely(engine, query, partial(engine.retrieve, query, limit))
    if isinstance(retrieved, Skip):
        return retrieved
    if retrieved is None or not len(retrieved.candidates):
        missing = "; ".join(skip.detail for skip in retrieved.skips) if retrieved else ""
        return Skip(name, "no_prediction", f"{name} has no prediction {query.for_whom}" + (f": {missing}" if missing else ""))
    if not np.isfinite(retrieved.candidates.scores).all():
        return Skip(name, "failed", f"{name} gave scores that are not numbers")
    return retrieved


def _refused(name: str) -> Skip:
    return Skip(name, "refused", f"the published model of {name} is damaged and was refused; train it again or roll back")


def _filled(
    result: ChainResult, rest: tuple[str, ...], plan: Plan, engines: Mapping[str, Engine], query: Query, enough: int
) -> ChainResult:
    """Append candidates from the remaining engines until there are `enough`."""
    for name in rest:
        if len(result.candidates) >= enough:
            break
        left = query.eligible.copy()
        left[result.candidates.rows] = False
        if not left.any():
            break
        more = _call(name, plan, engines, replace(query, eligible=left), enough - len(result.candidates))
        if not isinstance(more, Skip):
            sources = {**result.sources, **dict.fromkeys(more.candidates.rows.tolist(), engines[name])}
            result = replace(result, candidates=_below(result.candidates, more.candidates), sources=sources)
    return result


def _below(upper: Candidates, lower: Candidates) -> Candidates:
    """Both lists as one; the scores of the lower one are shifted to begin where those of the upper one end."""
    shift = upper.scores.min() - lower.scores.max()
    added = {**lower.parts, "place": np.full(len(lower), shift, dtype=np.float32)} if shift else lower.parts
    rows: Ints = np.concatenate([upper.rows, lower.rows])
    shifted = np.minimum(lower.scores + shift, upper.scores.min())  # rounding must not lift one above
    scores = np.concatenate([upper.scores, shifted]).astype(np.float32)
    none_above, none_below = (np.full(len(side), np.nan, dtype=np.float32) for side in (upper, lower))
    parts = {
        name: np.concatenate([upper.parts.get(name, none_above), added.get(name, none_below)])
        for name in dict.fromkeys([*upper.parts, *added])
    }
    return Candidates(rows, scores, parts)


def _no_result(skips: tuple[Skip, ...]) -> ChainResult:
    return ChainResult(Candidates.none(), NO_METHOD, "", {}, skips)


def _why_nothing(query: Query) -> str:
    if not len(query.catalogue):
        return f"{query.catalogue.name} has no items"
    return "every item is filtered away, excluded, disliked or not available now"
