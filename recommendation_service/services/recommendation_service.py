"""Answers a request for recommendations: calls the stages of the pipeline in their order."""

import hmac
import logging
import time
import uuid
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime

import numpy as np

from recommendation_service.domain.answer import Answer, AnswerItem, Skip, Stage
from recommendation_service.domain.query import Query
from recommendation_service.domain.request import RecommendationRequest
from recommendation_service.domain.slate import Candidates, Reason
from recommendation_service.engines.base import Engine
from recommendation_service.pipeline.explain import explain
from recommendation_service.pipeline.rerank import Reranked, rerank
from recommendation_service.pipeline.resolve import resolve
from recommendation_service.pipeline.retrieve import ChainResult, retrieve
from recommendation_service.pipeline.rules import apply_caps
from recommendation_service.pipeline.surface_pipeline import Plan, Route
from recommendation_service.services.runtime import CatalogueRuntime, Runtime

WIDER = 20  # times the candidates of a surface, where its caps would leave too few of them

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

    def recommend(self, request: RecommendationRequest, *, use_case: str, surface: str, now: float) -> Answer:
        """Return one list of recommendations, in which every skipped engine is reported. `now` is in Unix seconds.

        Raises NotFound for an unknown use case, surface or subject item, InvalidInput for a request that the surface does
        not take, Unavailable while there is no export.
        """
        timer = StageTimer()
        if request.request_id is None:
            request = request.model_copy(update={"request_id": uuid.uuid4().hex})
        use_case_runtime, plan = self._runtime.find(use_case, surface)
        runtime, contexts = use_case_runtime.catalogues[plan.surface.catalogue], use_case_runtime.context_catalogue(plan)
        resolved = resolve(request, plan, use_case_runtime.use_case, runtime.catalogue, runtime.source, contexts, now=now)
        query = resolved.query
        route = plan.route(query)
        self._log_route(route, query, runtime.engines)
        timer.add("resolve")
        retrieved, reranked = self._ranked(runtime, plan, route, query, timer)
        shown, relaxed = apply_caps(query, reranked.candidates, plan.caps, plan.surface.relax, request.needed)
        if relaxed and len(retrieved.candidates) < (wider := min(WIDER * plan.surface.candidates, int(query.eligible.sum()))):
            retrieved, reranked = self._ranked(runtime, plan, route, query, timer, candidates=wider)
            shown, relaxed = apply_caps(query, reranked.candidates, plan.caps, plan.surface.relax, request.needed)
        timer.add("rules", f"{len(shown)} left")
        reasons, explain_skips = explain(query, shown, retrieved.sources)
        timer.add("explain")
        policy_skips = (runtime.policy,) if isinstance(runtime.policy, Skip) and route.probabilities else ()
        skips = [*resolved.skips, *policy_skips, *retrieved.skips, *reranked.skips, *explain_skips]
        answer = Answer(
            request_id=str(request.request_id),
            use_case=use_case,
            surface=surface,
            user_id=request.user_id,
            method_used=retrieved.method,
            degraded=bool(skips),
            degradation=skips,
            model_version=retrieved.version,
            generated_at=datetime.fromtimestamp(now, UTC).isoformat(timespec="milliseconds"),
            interaction_count=query.history.count,
            probabilities=dict(route.probabilities),
            stages=timer.stages() if request.explain else [],
            relaxed=relaxed,
            recommendations=_items(query, shown, reasons),
        )
        self._log_answer(answer, runtime.engines, timer.total_ms)
        return answer

    def _ranked(
        self,
        runtime: CatalogueRuntime,
        plan: Plan,
        route: Route,
        query: Query,
        timer: "StageTimer",
        candidates: int | None = None,
    ) -> tuple[ChainResult, Reranked]:
        """Retrieve and rerank; `candidates` in place of the surface's number."""
        retrieved = retrieve(plan, route, query, runtime.engines, runtime.refused, candidates=candidates)
        timer.add("retrieve", f"{retrieved.method}: {len(retrieved.candidates)} candidates", retrieved.timings)
        reranked = rerank(query, retrieved.candidates, plan.rerankers)
        timer.add_all(reranked.stages)
        return retrieved, reranked

    def user_label(self, user_id: str | None) -> str:
        """Return the name of a user in the log: the id, or 12 hex digits of its keyed hash, or "anonymous"."""
        if user_id is None:
            return "anonymous"
        if not self._log_key:
            return user_id
        return hmac.digest(self._log_key, user_id.encode(), "sha256").hex()[:12]

    def _log_route(self, route: Route, query: Query, engines: Mapping[str, Engine]) -> None:
        user, count, name = self.user_label(query.user_id), query.history.count, route.chain[0]
        log.info("User %s has %d interactions", user, count, extra={"user": user, "count": count})
        prefix = f"{route.segment} user: " if route.segment else ""
        fields = {"user": user, "count": count, "method": name}
        log.info("→ Using %s (%s%d interactions)", _label(engines, name), prefix, count, extra=fields)

    def _log_answer(self, answer: Answer, engines: Mapping[str, Engine], ms: float) -> None:
        method, count = answer.method_used, len(answer.recommendations)
        label = _label(engines, method)
        fields = {"user": self.user_label(answer.user_id), "count": count, "method": method, "ms": round(ms, 2)}
        log.info("%s generated %d recommendations", label[:1].upper() + label[1:], count, extra=fields)
        for skip in answer.degradation:
            log.warning("degraded: %s (%s)", skip.detail, skip.code, extra={"engine": skip.engine, "code": skip.code})


class StageTimer:
    """Measures the stages of one answer."""

    def __init__(self) -> None:
        self._stages: list[tuple[str, float, str]] = []  # name, ms, detail
        self._started = self._since = time.perf_counter()

    @property
    def total_ms(self) -> float:
        """Milliseconds since the start."""
        return 1000 * (time.perf_counter() - self._started)

    def add(self, name: str, detail: str = "", inner: Mapping[str, float] | None = None) -> None:
        """Add a stage that ends now; its `inner` stages (ms) come first and are subtracted from it."""
        now, inner = time.perf_counter(), inner or {}
        ms = max(1000 * (now - self._since) - sum(inner.values()), 0.0)
        self._stages += [(stage, inner_ms, "") for stage, inner_ms in inner.items()]
        self._stages.append((name, ms, detail))
        self._since = time.perf_counter()

    def add_all(self, stages: Sequence[Stage]) -> None:
        """Add stages that were measured elsewhere; the next stage starts now."""
        self._stages += [(stage.name, stage.ms, stage.detail) for stage in stages]
        self._since = time.perf_counter()

    def stages(self) -> list[Stage]:
        """Return what was measured; most answers do not contain it."""
        return [Stage(name=name, ms=round(ms, 3), detail=detail) for name, ms, detail in self._stages]


def _label(engines: Mapping[str, Engine], name: str) -> str:
    return engines[name].label if name in engines else name


def _items(query: Query, shown: Candidates, reasons: Mapping[int, tuple[Reason, ...]]) -> list[AnswerItem]:
    ids, rows, scores = query.catalogue.ids.ids_at(shown.rows), shown.rows.tolist(), shown.scores.tolist()
    return [
        AnswerItem(
            item_id=item_id,
            title=query.catalogue.titles[row],
            score=score,
            position=index + 1,
            reasons=[reason.text for reason in reasons[row]],
            parts=_parts(shown, index) if query.explain else {},
        )
        for index, (item_id, row, score) in enumerate(zip(ids, rows, scores, strict=True))
    ]


def _parts(shown: Candidates, index: int) -> dict[str, float]:
    return {name: float(part[index]) for name, part in shown.parts.items() if not np.isnan(part[index])}
