"""Asks the chain for candidates: the first engine that can answers, the next ones fill what is left."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass, replace
from functools import partial

import numpy as np

from recommendation_service.core.numeric import Ints
from recommendation_service.domain.query import Query
from recommendation_service.domain.slate import ALL_SEEN, SEEN_EVERYTHING, Candidates, Skip
from recommendation_service.engines.base import Engine
from recommendation_service.engines.safe_call import take_turn
from recommendation_service.pipeline.surface_pipeline import Plan

NOBODY = "none"  # method_used of an answer that no engine gave


@dataclass(frozen=True, slots=True, eq=False)
class Found:
    """Candidates with where they came from."""

    candidates: Candidates
    method: str  # the engine that answered; NOBODY when none could
    version: str
    sources: Mapping[int, Engine]  # row -> the engine that proposed it
    skips: tuple[Skip, ...]


def retrieve(plan: Plan, query: Query, engines: Mapping[str, Engine], refused: Collection[str] = ()) -> Found:
    """The best candidates of the first engine in the chain that can answer, filled up from the rest when too few.

    Where everything was seen, the chain's last engine, which is the same for everyone, is asked first and that is told.
    Filling never counts as degradation; not reaching the engine that the router named does, with every skip told.
    `refused` names engines that are absent because their published model is damaged.
    """
    chain = plan.chain(query)
    if not query.eligible.any():
        return _nothing((Skip(chain[0], "cannot_say", _why_nothing(query)),))
    wanted = max(query.limit, plan.surface.candidates)
    skips: list[Skip] = []
    if query.seen_again:
        skips.append(Skip(chain[0], SEEN_EVERYTHING, ALL_SEEN))
        chain = (chain[-1], *chain[:-1])
    for place, name in enumerate(chain):
        given = _ask(name, plan, engines, query, wanted)
        if isinstance(given, Skip):
            skips.append(_damaged(name) if given.code == "not_trained" and name in refused else given)
            continue
        engine = engines[name]
        skips += engine.partial(query)
        found = Found(given, name, engine.version, dict.fromkeys(given.rows.tolist(), engine), tuple(skips))
        enough = wanted if plan.trims else query.limit
        return _filled(found, chain[place + 1 :], plan, engines, query, enough)
    return _nothing(tuple(skips))


def _ask(name: str, plan: Plan, engines: Mapping[str, Engine], query: Query, wanted: int) -> Candidates | Skip:
    if name in plan.switched_off:
        return Skip(name, "switched_off", f"{name} is switched off by a setting")
    engine = engines.get(name)
    if engine is None:
        return Skip(name, "not_trained", f"{name} has no published model yet")
    given = take_turn(engine, query, partial(engine.recommend, query, wanted))
    if isinstance(given, Skip):
        return given
    if given is None or not len(given):
        missing = "; ".join(skip.detail for skip in engine.partial(query))
        return Skip(name, "cannot_say", f"{name} cannot say {query.for_whom}" + (f": {missing}" if missing else ""))
    if not np.isfinite(given.scores).all():
        return Skip(name, "failed", f"{name} gave scores that are not numbers")
    return given


def _damaged(name: str) -> Skip:
    return Skip(name, "refused", f"the published model of {name} is damaged and was refused; train it again or roll back")


def _filled(found: Found, rest: tuple[str, ...], plan: Plan, engines: Mapping[str, Engine], query: Query, enough: int) -> Found:
    """`found` with rows of the next engines below its own, until there are `enough` or the chain ends."""
    for name in rest:
        if len(found.candidates) >= enough:
            break
        left = query.eligible.copy()
        left[found.candidates.rows] = False
        if not left.any():
            break
        short = replace(query, eligible=left)
        given = _ask(name, plan, engines, short, enough - len(found.candidates))
        if not isinstance(given, Skip):
            sources = {**found.sources, **dict.fromkeys(given.rows.tolist(), engines[name])}
            found = replace(found, candidates=_below(found.candidates, given), sources=sources)
    return found


def _below(upper: Candidates, lower: Candidates) -> Candidates:
    """Both lists as one; the lower one's scores are moved down so that they begin where the upper ones end."""
    down = upper.scores.min() - lower.scores.max()
    added = {**lower.parts, "place": np.full(len(lower), down, dtype=np.float32)} if down else lower.parts
    rows: Ints = np.concatenate([upper.rows, lower.rows])
    lowered = np.minimum(lower.scores + down, upper.scores.min())  # rounding must not lift one above
    scores = np.concatenate([upper.scores, lowered]).astype(np.float32)
    none_above, none_below = (np.full(len(side), np.nan, dtype=np.float32) for side in (upper, lower))
    parts = {
        name: np.concatenate([upper.parts.get(name, none_above), added.get(name, none_below)])
        for name in dict.fromkeys([*upper.parts, *added])
    }
    return Candidates(rows, scores, parts)


def _nothing(skips: tuple[Skip, ...]) -> Found:
    nobody = Candidates(np.empty(0, dtype=np.int64), np.empty(0, dtype=np.float32))
    return Found(nobody, NOBODY, "", {}, skips)


def _why_nothing(query: Query) -> str:
    if not len(query.catalogue):
        return f"{query.catalogue.name} has no items"
    return "every item is filtered away, excluded, disliked or not to be had now"
