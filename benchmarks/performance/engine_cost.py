"""What each engine takes by itself: inside one process, without HTTP, rules or reasons."""

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from functools import partial

import numpy as np

from benchmarks.performance.synthetic_site import METHODS, PEOPLE, past_of, surface_of
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
    """The engines of a made-up site by name, and the queries they are asked."""

    engines: dict[str, Engine]
    queries: Sequence[Query]

    @classmethod
    def of(cls, service: RecommendationService, *, items: int, asked: int = 60) -> "Alone":
        """`asked` people of the site, each with a past of its own."""
        site, plan = service.runtime.find("bench", surface_of(CLICKER))
        shelf = site.catalogues["bench"]
        requests = [
            RecommendationRequest(user_id=f"u{person % PEOPLE:04d}", history=tuple(past_of(person, items)))
            for person in range(asked)
        ]
        queries = [resolve(one, plan, site.use_case, shelf.catalogue, shelf.source, now=NOW).query for one in requests]
        return cls({name: shelf.engines[name] for name in METHODS}, queries)

    def seconds(self) -> dict[str, float]:
        """CPU seconds of one list by engine: the least of ROUNDS rounds, engines alternating."""
        found = dict.fromkeys(self.engines, float("inf"))
        for _ in range(ROUNDS):
            for name, engine in self.engines.items():
                found[name] = min(found[name], _mean(partial(_listed, engine), self.queries))
        return found

    def click_seconds(self) -> float:
        """CPU seconds until next_item's scores know one click more. Raises RuntimeError when the click changed nothing."""
        engine, clicked = self.engines[CLICKER], [_one_more(query) for query in self.queries]
        before, after = engine.scores(self.queries[0]), engine.scores(clicked[0])
        if before is None or after is None or np.array_equal(before, after, equal_nan=True):
            raise RuntimeError("a click changed no score")
        return min(_mean(engine.scores, clicked) for _ in range(ROUNDS))


def _one_more(query: Query) -> Query:
    """The same person after one more click, on something not seen before."""
    own = query.history
    clicked = int(np.flatnonzero(query.eligible)[0])
    rows, weights = np.insert(own.rows, 0, clicked), np.insert(own.weights, 0, np.float32(1))
    return replace(query, history=replace(own, rows=rows, weights=weights, count=own.count + 1))


def _listed(engine: Engine, query: Query) -> object:
    return engine.retrieve(query, CANDIDATES)


def _mean(act: Callable[[Query], object], queries: Sequence[Query]) -> float:
    begun = time.thread_time()
    for query in queries:
        act(query)
    return (time.thread_time() - begun) / len(queries)
