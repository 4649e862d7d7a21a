"""The lists of a surface as the service makes them, for measuring: the same function serves and evaluates."""

import time
import uuid
from collections.abc import Sequence

import numpy as np

from recommendation_service.core.numeric import Ints
from recommendation_service.domain.idmap import IdMap
from recommendation_service.domain.request import RecommendationRequest
from recommendation_service.services.recommendation_service import RecommendationService
from recommendation_service.services.runtime import CatalogueRuntime, Runtime, UseCaseRuntime
from recommendation_service.training.evaluation.metrics import NO_ROW
from recommendation_service.use_cases.schema import Surface, UseCase


def request_of(user_id: str, limit: int) -> RecommendationRequest:
    """Return the request of one user. Its id depends on the user only, so a bandit makes the same choice in every run."""
    return RecommendationRequest(
        user_id=user_id, limit=limit, request_id=str(uuid.uuid5(uuid.NAMESPACE_OID, user_id)), explain=False
    )


class SurfaceLists:
    """One surface with its router, engines, rerankers, rules and cut, run by RecommendationService as of one moment."""

    def __init__(self, use_case: UseCase, name: str, surface: Surface, runtime: CatalogueRuntime, *, now: float) -> None:
        """Build the plan of `surface`, which takes the place of the use case's surface `name`. `now` is in Unix seconds.

        Raises ConfigurationError for a wrong option.
        """
        only = use_case.model_copy(update={"surfaces": {name: surface}})
        self._service = RecommendationService(Runtime.of([UseCaseRuntime(only, {surface.catalogue: runtime})]))
        self._use_case, self._name, self._now, self._ids = use_case.name, name, now, runtime.catalogue.ids

    def of(self, people: Sequence[str], k: int) -> tuple[Ints, list[float]]:
        """Return (p, k) catalogue rows, best first, -1 where a list is shorter, and the milliseconds of each answer."""
        lists = np.full((len(people), k), NO_ROW, dtype=np.int64)
        took_ms = []
        for index, user_id in enumerate(people):
            started = time.perf_counter()
            shown = self.ids_for(request_of(user_id, k))
            took_ms.append(1000 * (time.perf_counter() - started))
            rows = _rows(self._ids, shown)
            lists[index, : rows.size] = rows
        return lists, took_ms

    def ids_for(self, request: RecommendationRequest) -> list[str]:
        """Return the item ids of one answer, best first."""
        answer = self._service.recommend(request, use_case=self._use_case, surface=self._name, now=self._now)
        return [entry.item_id for entry in answer.recommendations]


def _rows(ids: IdMap, shown: Sequence[str]) -> Ints:
    return np.asarray(ids.rows(shown), dtype=np.int64)
