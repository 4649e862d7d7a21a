"""Retrieval: the first engine of the chain that has a prediction answers, the engines after it fill the list."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field, replace
from functools import partial
from typing import Any

import numpy as np

from recommendation_service.core.numeric import Ints
from recommendation_service.domain.answer import Skip
from recommendation_service.domain.query import Query
from recommendation_service.domain.slate import ALL_SEEN, SEEN_EVERYTHING, Candidates, Retrieved
from recommendation_service.engines.base import Engine, call_safely
from recommendation_service.pipeline.surface_pipeline import Plan, Route

NO_METHOD = "none"  # method_used of an answer without an engine


@dataclass(frozen=True, slots=True, eq=False)
class Source:
    """An engine with the basis of the scores that it gave."""

    engine: Engine
    basis: Any


@dataclass(frozen=True, slots=True, eq=False)
class ChainResult:
    """Candidates with the engines that proposed them."""

    candidates: Candidates
    method: str  # the engine that answered; NO_METHOD if none did
    version: str
    sources: Mapping[int, Source]  # row -> what proposed it
    skips: tuple[Skip, ...]
    timings: Mapping[str, float] = field(default_factory=dict)


def retrieve(
    plan: Plan,
    route: Route,
    query: Query,
    engines: Mapping[str, Engine],
    refused: Collection[str] = (),
    *,
    candidates: int | None = None,
) -> ChainResult:
    """Return the best candidates of the first engine in the chain that has a prediction, filled up by the engines after it.

    If the user has seen everything, the chain's last engine, which has the same order for every user, comes first. Filling
    is not a degradation; every skipped engine is one. `refused` are engines whose published model is damaged,
    `candidates` is their number, by default the surface's.
    """
    chain = route.chain
    if not query.eligible.any():
        return _no_result((Skip(engine=chain[0], code="no_prediction", detail=_why_nothing(query)),))
    wanted = max(query.limit, candidates or plan.surface.candidates)
    skips: list[Skip] = []
    if query.seen_again:
        skips.append(Skip(engine=chain[0], code=SEEN_EVERYTHING, detail=ALL_SEEN))
        chain = (chain[-1], *chain[:-1])
    for index, name in enumerate(chain):
        retrieved = _call(name, plan, engines, query, wanted)
        if isinstance(retrieved, Skip):
            skips.append(_refused(name) if retrieved.code == "not_trained" and name in refused else retrieved)
            continue
        engine, ranked = engines[name], retrieved.candidates
        sources = dict.fromkeys(ranked.rows.tolist(), Source(engine, retrieved.basis))
        result = ChainResult(ranked, name, engine.version, sources, (*skips, *retrieved.skips), retrieved.timings)
        enough = wanted if plan.caps else query.limit
        return _filled(result, chain[index + 1 :], plan, engines, query, enough)
    return _no_result(tuple(skips))


def _call(name: str, plan: Plan, engines: Mapping[str, Engine], query: Query, limit: int) -> Retrieved | Skip:
    if name in plan.switched_off:
        return Skip(engine=name, code="switched_off", detail=f"{name} is switched off by a setting")
    engine = engines.get(name)
    if engine is None:
        return Skip(engine=name, code="not_trained", detail=f"{name} has no published model yet")
    retrieved = call_safely(engine, query, partial(engine.retrieve, query, limit))
    if isinstance(retrieved, Skip):
        return retrieved
    if retrieved is None or not len(retrieved.candidates):
        missing = "; ".join(skip.detail for skip in retrieved.skips) if retrieved else ""
        detail = f"{name} has no prediction {query.for_whom}" + (f": {missing}" if missing else "")
        return Skip(engine=name, code="no_prediction", detail=detail)
    if not np.isfinite(retrieved.candidates.scores).all():
        return Skip(engine=name, code="failed", detail=f"{name} gave scores that are not numbers")
    return retrieved


def _refused(name: str) -> Skip:
    detail = f"the published model of {name} is damaged and was refused; train it again or roll back"
    return Skip(engine=name, code="refused", detail=detail)


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
            source = Source(engines[name], more.basis)
            sources = {**result.sources, **dict.fromkeys(more.candidates.rows.tolist(), source)}
            result = replace(result, candidates=_below(result.candidates, more.candidates), sources=sources)
    return result


def _below(upper: Candidates, lower: Candidates) -> Candidates:
    """Return both lists as one; the scores of the lower one are shifted to begin where those of the upper one end."""
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
