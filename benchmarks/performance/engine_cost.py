"""CPU time of each engine in one process, without HTTP, rules and reasons."""

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from functools import partial

import numpy as np

from benchmarks.performance.synthetic.site import METHODS, PEOPLE, past_of, surface_of
from recommendation_service.domain.query import Query
from recommendation_service.domain.request import RecommendationRequest
from recommendation_service.engines.base import Engine
from recommendation_service.pipeline.resolve import resolve
from recommendation_service.services.recommendation_service import RecommendationService
from recommendation_service.tests.support.exports import NOW

ROUNDS = 7
CLICKER = "next_item"  # the engine whose answer every click must change
CANDIDATES = 50  # rows asked for


@dataclass(frozen=True, slots=True, eq=False)
class Alone:
    """The engines of a synthetic site by name, and the queries for them."""

    engines: dict[str, Engine]
    queries: Sequence[Query]

    @classmethod
    def of(cls, service: RecommendationService, *, items: int, n_queries: int = 60) -> "Alone":
        """Build the engines and one query for each of `n_queries` users of the site."""
        site, plan = service.runtime.find("bench", surface_of(CLICKER))
        loaded = site.catalogues["bench"]
        requests = [
            RecommendationRequest(user_id=f"u{person % PEOPLE:04d}", history=tuple(past_of(person, items)))
            for person in range(n_queries)
        ]
        queries = [
            resolve(request, plan, site.use_case, loaded.catalogue, loaded.source, now=NOW).query for request in requests
        ]
        return cls({name: loaded.engines[name] for name in METHODS}, queries)

    def seconds(self) -> dict[str, float]:
        """CPU seconds of one list by engine: the minimum of ROUNDS rounds in which the engines alternate."""
        seconds = dict.fromkeys(self.engines, float("inf"))
        for _ in range(ROUNDS):
            for name, engine in self.engines.items():
                seconds[name] = min(seconds[name], _mean(partial(_listed, engine), self.queries))
        return seconds

    def click_seconds(self) -> float:
        """CPU seconds until next_item's scores include one more click. Raises RuntimeError if no score changed."""
        engine, clicked = self.engines[CLICKER], [_one_more(query) for query in self.queries]
        before, after = engine.scores(self.queries[0]), engine.scores(clicked[0])
        if before is None or after is None or np.array_equal(before, after, equal_nan=True):
            raise RuntimeError("a click changed no score")
        return min(_mean(engine.scores, clicked) for _ in range(ROUNDS))


def _one_more(query: Query) -> Query:
    """The same user after one more click, on an unseen item."""
    history = query.history
    clicked = int(np.flatnonzero(query.eligible)[0])
    rows, weights = np.insert(history.rows, 0, clicked), np.insert(history.weights, 0, np.float32(1))
    events = np.insert(history.events, 0, history.events[:1])
    return replace(query, history=replace(history, rows=rows, weights=weights, events=events, count=history.count + 1))


def _listed(engine: Engine, query: Query) -> object:
    return engine.retrieve(query, CANDIDATES)


def _mean(act: Callable[[Query], object], queries: Sequence[Query]) -> float:
    begun = time.thread_time()
    for query in queries:
        act(query)
    return (time.thread_time() - begun) / len(queries)
