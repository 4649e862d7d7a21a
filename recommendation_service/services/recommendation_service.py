"""Answers a request with a slate: calls the stages of the pipeline in their order."""

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
from recommendation_service.pipeline.retrieve import retrieve
from recommendation_service.pipeline.surface_pipeline import Plan
from recommendation_service.services.runtime import Runtime

log = logging.getLogger("recommendation_service")


class RecommendationService:
    """Thread-safe: an answer is made from one runtime, even if it is replaced meanwhile."""

    def __init__(self, runtime: Runtime, *, log_key: bytes = b"") -> None:
        """With `log_key`, log lines contain a keyed hash in place of the user id."""
        self._runtime = runtime
        self._log_key = log_key

    @property
    def runtime(self) -> Runtime:
        """The runtime that the next answer is made from."""
        return self._runtime

    def replace(self, runtime: Runtime) -> None:
        """Use `runtime` from the next request on."""
        self._runtime = runtime

    def recommend(self, ask: Ask) -> Slate:
        """The slate for one request; every engine that was skipped is reported in it.

        Raises NotFound for an unknown use case, surface or subject item, InvalidInput for a malformed request.
        """
        started = time.perf_counter()
        ask = ask if ask.request_id else replace(ask, request_id=uuid.uuid4().hex)
        use_case, plan = self._runtime.find(ask.use_case, ask.surface)
        runtime, stages = use_case.catalogues[plan.surface.catalogue], StageTimer()
        contexts = use_case.context_catalogue(plan)
        resolved = resolve(ask, plan, use_case.use_case, runtime.catalogue, runtime.source, contexts)
        query = resolved.query
        self._log_routing(ask, plan, query, runtime.engines)
        stages.add("resolve")
        retrieved = retrieve(plan, query, runtime.engines, runtime.refused)
        stages.add("retrieve", f"{retrieved.method}: {len(retrieved.candidates)} candidates", retrieved.timings)
        shown, rerank_skips = _rerank_and_trim(plan, query, retrieved.candidates, stages)
        reasons, explain_skips = explain(query, shown, retrieved.sources)
        stages.add("explain")
        chances = plan.chances(query)
        policy_skips = (runtime.policy,) if isinstance(runtime.policy, Skip) and chances else ()
        slate = Slate(
            request_id=str(ask.request_id),
            use_case=ask.use_case,
            surface=ask.surface,
            user_id=ask.user_id,
            method_used=retrieved.method,
            model_version=retrieved.version,
            generated_at=ask.now,
            recommendations=_recommendations(query, shown, reasons, with_parts=ask.explain),
            degradation=(*resolved.skips, *policy_skips, *retrieved.skips, *rerank_skips, *explain_skips),
            interaction_count=query.history.count,
            probabilities=chances,
            stages=tuple(stages.runs) if ask.explain else (),
        )
        self._log_answer(slate, runtime.engines, 1000 * (time.perf_counter() - started))
        return slate

    def user_label(self, user_id: str | None) -> str:
        """The name of a user in the log: the id, or 12 hex digits of its keyed hash, or "anonymous"."""
        if user_id is None:
            return "anonymous"
        if not self._log_key:
            return user_id
        return hmac.new(self._log_key, user_id.encode(), sha256).hexdigest()[:12]

    def _log_routing(self, ask: Ask, plan: Plan, query: Query, engines: Mapping[str, Engine]) -> None:
        user, count = self.user_label(ask.user_id), query.history.count
        name, segment = plan.chain(query)[0], plan.router.segment(query)
        label = engines[name].label if name in engines else name
        log.info("User %s has %d interactions", user, count, extra={"user": user, "count": count})
        prefix = f"{segment} user: " if segment else ""
        fields = {"user": user, "count": count, "method": name}
        log.info("→ Using %s (%s%d interactions)", label, prefix, count, extra=fields)

    def _log_answer(self, slate: Slate, engines: Mapping[str, Engine], ms: float) -> None:
        method, count = slate.method_used, len(slate.recommendations)
        label = engines[method].label if method in engines else method
        fields = {"user": self.user_label(slate.user_id), "count": count, "method": method, "ms": round(ms, 2)}
        log.info("%s generated %d recommendations", label[:1].upper() + label[1:], count, extra=fields)
        for skip in slate.degradation:
            log.warning("degraded: %s (%s)", skip.detail, skip.code, extra={"engine": skip.engine, "code": skip.code})


class StageTimer:
    """Measures the stages of one answer."""

    def __init__(self) -> None:
        self.runs: list[StageRun] = []
        self._since = time.perf_counter()

    def add(self, name: str, detail: str = "", inner: Mapping[str, float] | None = None) -> None:
        """Add a stage that ends now; its `inner` stages (ms) come first and are subtracted from it."""
        now, inner = time.perf_counter(), inner or {}
        self.runs += [StageRun(stage, round(ms, 3)) for stage, ms in inner.items()]
        self.runs.append(StageRun(name, round(max(1000 * (now - self._since) - sum(inner.values()), 0.0), 3), detail))
        self._since = now


def _rerank_and_trim(
    plan: Plan, query: Query, candidates: Candidates, stages: StageTimer
) -> tuple[Candidates, tuple[Skip, ...]]:
    """The candidates that are shown, after all rerankers and rules, and the rerankers that were skipped."""
    skips: list[Skip] = []
    for name, rerank in plan.rerankers:
        reranked = rerank(query, candidates)
        candidates = reranked.candidates
        skips += reranked.skips
        stages.add(name, reranked.by and f"by {reranked.by}")
    for trim in plan.trims:
        candidates = trim(query, candidates)
    stages.add("rules", f"{len(candidates)} left")
    return candidates.take(np.arange(min(query.limit, len(candidates)))), tuple(skips)


def _recommendations(
    query: Query, shown: Candidates, reasons: Mapping[int, tuple[Reason, ...]], *, with_parts: bool
) -> tuple[Recommendation, ...]:
    return tuple(
        Recommendation(
            item_id=query.catalogue.ids.id(row),
            score=float(shown.scores[index]),
            position=index + 1,
            reasons=reasons[row],
            parts=_parts(shown, index) if with_parts else {},
            title=query.catalogue.titles[row],
        )
        for index, row in enumerate(shown.rows.tolist())
    )


def _parts(shown: Candidates, index: int) -> dict[str, float]:
    return {name: float(part[index]) for name, part in shown.parts.items() if not np.isnan(part[index])}
