"""Every test begins with an empty cache, a closed breaker and no remembered ranking."""

from collections.abc import Callable, Iterator
from functools import lru_cache

import pytest
from django.core.cache import caches

from tandem import cache as lists
from tandem import client, model_state
from tandem.client import RecommendationClient
from tandem.selectors.popular import forget_ranking


@pytest.fixture(autouse=True)
def _nothing_remembered(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.setattr(lists, "_sick_until", 0.0)
    for alias in caches:
        caches[alias].clear()
    forget_ranking()
    client.forget_client()
    model_state.forget_state()
    yield
    client.forget_client()


@pytest.fixture
def service_at(monkeypatch: pytest.MonkeyPatch) -> Callable[[str], RecommendationClient]:
    """Point this process's client at another address."""

    def point(url: str) -> RecommendationClient:
        made = RecommendationClient(url)
        monkeypatch.setattr(client, "_client", lru_cache(lambda *_settings: made))
        return made

    return point
