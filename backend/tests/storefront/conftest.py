"""A demo, and a service that answers at once."""

from collections.abc import Callable
from typing import Any

import pytest
from django.conf import settings

from recommendation_service.domain.request import RecommendationRequest
from tandem.service_client.client import RecommendationClient, ServiceAnswer
from tests.support.paging import answer_to

Served = Callable[..., list[dict[str, Any]]]


@pytest.fixture
def demo(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(settings, "STOREFRONT_DEMO", True)


@pytest.fixture
def served(service_at: Callable[[str], RecommendationClient], monkeypatch: pytest.MonkeyPatch) -> Served:
    """A service that answers with all startups that the asker has not seen, and remembers what it was asked."""

    def answer_with(method: str = "content_based", degradation: tuple[dict[str, str], ...] = ()) -> list[dict[str, Any]]:
        asked: list[dict[str, Any]] = []

        def recommend(request: RecommendationRequest, **where: Any) -> ServiceAnswer:
            ask = request.model_dump()
            asked.append({**ask, **where})
            return ServiceAnswer(answer_to(ask, where, method, list(degradation)), state="")

        monkeypatch.setattr(service_at("http://127.0.0.1:9"), "recommend", recommend)
        return asked

    return answer_with
