"""Counters for Prometheus, of all workers if PROMETHEUS_MULTIPROC_DIR is set, as gunicorn.conf.py does."""

import os

from prometheus_client import REGISTRY as DEFAULT_REGISTRY
from prometheus_client import CollectorRegistry, Counter, Histogram, generate_latest, multiprocess

from recommendation_service.domain.answer import Answer

CONTENT_TYPE = "text/plain; version=0.0.4; charset=utf-8"
BUCKETS = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5)

REQUESTS = Counter("recs_requests_total", "Requests answered, by route and status", ["route", "status"])
SECONDS = Histogram("recs_request_seconds", "Time to answer, by route", ["route"], buckets=BUCKETS)
ANSWERS = Counter("recs_answers_total", "Lists answered, by engine", ["use_case", "surface", "method", "degraded"])
SKIPS = Counter("recs_skips_total", "Engines that should have answered and did not", ["engine", "code"])
ESTIMATES = Counter("recs_estimates_total", "Estimates answered", ["use_case", "estimator"])
REFUSED = Counter("recs_artifact_refused_total", "Models and exports refused", ["catalogue", "kind"])
SWAPS = Counter("recs_swaps_total", "Times a worker replaced its models")
HISTORY_FAILURES = Counter("recs_history_failures_total", "Live history reads that fell back to the export")


def count_refused(catalogue: str, kind: str) -> None:
    """Count a refused model or export."""
    REFUSED.labels(catalogue, kind).inc()


def count_answer(answer: Answer) -> None:
    """Count an answer and the engines that were skipped for it."""
    ANSWERS.labels(answer.use_case, answer.surface, answer.method_used, str(answer.degraded).lower()).inc()
    for skip in answer.degradation:
        SKIPS.labels(skip.engine, skip.code).inc()


def render() -> bytes:
    """Return all metrics in the Prometheus exposition format, summed over the running workers."""
    if "PROMETHEUS_MULTIPROC_DIR" not in os.environ:
        return generate_latest(DEFAULT_REGISTRY)
    registry = CollectorRegistry()
    multiprocess.MultiProcessCollector(registry)  # type: ignore[no-untyped-call]  # the package's own gap
    return generate_latest(registry)
