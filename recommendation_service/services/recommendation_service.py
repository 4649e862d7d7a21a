"""Answers an Ask with a Slate: the conductor of the pipeline."""

import hmac
import logging
import time
import uuid
from collections.abc import Mapping
from dataclasses import replace
from hashlib import sha256

import numpy as np

from recommendation_service.domain.query import Ask, Query
from recommendation_service.domain.slate import Candidates, Reason, Recommendation, Skip, Slate, StageRun
from recommendation_service.engines.base import Engine
from recommendation_service.pipeline.explain import explain
from recommendation_service.pipeline.resolve import resolve
from recommendation_service.pipeline.retrieve import ChainResult, retrieve
from recommendation_service.pipeline.surface_pipeline import Plan
from recommendation_service.services.runtime import Runtime

log = logging.getLogger("recommendation_service")


class RecommendationService:
    """Thread-safe: an answer uses the runtime it began with, however often that is replaced meanwhile."""

    def __init__(self, runtime: Runtime, *, log_key: bytes = b"") -> None:
        """With `log_key`, log lines carry a keyed hash in place of the user id; without, the id itself."""
        self._runtime = runtime
        self._log_key = log_key

    @property
    def runtime(self) -> Runtime:
        """What answers are made from now."""
        return self._runtime

    def replace(self, runtime: Runtime) -> None:
        """Answer from `runtime` from the next Ask on."""
        self._runtime = runtime

    def recommend(self, ask: Ask) -> Slate:
        """The slate for one Ask: always an answer for a valid one, with what was skipped told in it.

        Raises NotFound for an unknown use case, surface or subject item, InvalidInput for a malformed Ask.
        """
        started = time.perf_counter()
        ask = ask if ask.request_id else replace(ask, request_id=uuid.uuid4().hex)
        use_case_runtime, plan = self._runtime.find(ask.use_case, ask.surface)
        runtime = use_case_runtime.catalogues[plan.surface.catalogue]
        clock = _Stages()
        resolved = resolve(
            ask, plan, use_case_runtime.use_case, runtime.catalogue, runtime.source, use_case_runtime.context_catalogue(plan)
        )
        query = resolved.query
        self._log_routing(ask, plan, query, runtime.engines)
        clock.lap("resolve")
        found = retrieve(plan, query, runtime.engines, runtime.refused)
        clock.lap("retrieve", f"{found.method}: {len(found.candidates)} candidates", within=found.timings)
        shown, unranked = _kept(plan, query, found.candidates, clock)
        reasons, unexplained = explain(query, shown, found.sources)
        clock.lap("explain")
        chances = plan.chances(query)
        forgotten = (runtime.policy,) if isinstance(runtime.policy, Skip) and chances else ()
        skips = (*resolved.skips, *forgotten, *found.skips, *unranked, *unexplained)
        slate = replace(
            _slate(ask, query, found, shown, reasons, skips),
            probabilities=chances,
            stages=tuple(clock.runs) if ask.explain else (),
        )
        self._log_answer(slate, runtime.engines, 1000 * (time.perf_counter() - started))
        return slate

    def user_word(self, user_id: str | None) -> str:
        """How the log names a user: the id, or 12 hex digits of its keyed hash, or "anonymous"."""
        if user_id is None:
            return "anonymous"
        if not self._log_key:
            return user_id
        return hmac.new(self._log_key, user_id.encode(), sha256).hexdigest()[:12]

    def _log_routing(self, ask: Ask, plan: Plan, query: Query, engines: Mapping[str, Engine]) -> None:
        user, count = self.user_word(ask.user_id), query.history.count
        name, segment = plan.chain(query)[0], plan.router.segment(query)
        label = engines[name].label if name in engines else name
        log.info("User %s has %d interactions", user, count, extra={"user": user, "count": count})
        said = f"{segment} user: " if segment else ""
        log.info("→ Using %s (%s%d interactions)", label, said, count, extra={"user": user, "count": count, "method": name})

    def _log_answer(self, slate: Slate, engines: Mapping[str, Engine], ms: float) -> None:
        method, count = slate.method_used, len(slate.recommendations)
        label = engines[method].label if method in engines else method
        fields = {"user": self.user_word(slate.user_id), "count": count, "method": method, "ms": round(ms, 2)}
        log.info("%s generated %d recommendations", label[:1].upper() + label[1:], count, extra=fields)
        for skip in slate.degradation:
            log.warning("degraded: %s (%s)", skip.detail, skip.code, extra={"engine": skip.engine, "code": skip.code})


class _Stages:
    """A stop watch with laps."""

    def __init__(self) -> None:
        self.runs: list[StageRun] = []
        self._since = time.perf_counter()

    def lap(self, name: str, detail: str = "", within: Mapping[str, float] | None = None) -> None:
        """Stages `within` (ms) come first and are taken off this one, so that all runs together are the whole time."""
        now = time.perf_counter()
        inner = within or {}
        self.runs += [StageRun(part, round(ms, 3)) for part, ms in inner.items()]
        self.runs.append(StageRun(name, round(max(1000 * (now - self._since) - sum(inner.values()), 0.0), 3), detail))
        self._since = now


def _kept(plan: Plan, query: Query, found: Candidates, clock: _Stages) -> tuple[Candidates, tuple[Skip, ...]]:
    skips: list[Skip] = []
    for name, rerank in plan.rerankers:
        done = rerank(query, found)
        found = done.found
        skips += done.skips
        clock.lap(name, done.by and f"by {done.by}")
    for trim in plan.trims:
        found = trim(query, found)
    clock.lap("rules", f"{len(found)} left")
    return found.take(np.arange(min(query.limit, len(found)))), tuple(skips)


def _slate(
    ask: Ask,
    query: Query,
    found: ChainResult,
    shown: Candidates,
    reasons: dict[int, tuple[Reason, ...]],
    skips: tuple[Skip, ...],
) -> Slate:
    return Slate(
        request_id=str(ask.request_id),
        use_case=ask.use_case,
        surface=ask.surface,
        user_id=ask.user_id,
        method_used=found.method,
        model_version=found.version,
        generated_at=ask.now,
        recommendations=tuple(
            Recommendation(
                item_id=query.catalogue.ids.id(row),
                score=float(shown.scores[place]),
                position=place + 1,
                reasons=reasons[row],
                parts=_parts(shown, place) if ask.explain else {},
                title=query.catalogue.titles[row],
            )
            for place, row in enumerate(shown.rows.tolist())
        ),
        degradation=skips,
        interaction_count=query.history.count,
    )


def _parts(shown: Candidates, place: int) -> dict[str, float]:
    return {name: float(part[place]) for name, part in shown.parts.items() if not np.isnan(part[place])}
