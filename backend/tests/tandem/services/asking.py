"""What the tests of `recommend` share: forty startups, Ada, and ways to ask."""

import uuid
from collections.abc import Callable
from typing import Any

from sites.startups.models import Developer, Startup
from tandem.cache import key_of
from tandem.service_client.client import RecommendationClient
from tandem.services.recommend import recommend

Point = Callable[[str], RecommendationClient]
LIMIT = 5


def ids(startups: list[Startup]) -> list[str]:
    return [str(one.pk) for one in startups]


def ask(user: Any, **changes: Any) -> dict[str, Any]:
    asked = {"use_case": "startups", "surface": "for-developer", "user_id": str(user.pk), "limit": LIMIT, **changes}
    return recommend(**asked)


def shown(answer: dict[str, Any]) -> list[str]:
    return [item["item_id"] for item in answer["recommendations"]]


def key_for(user: Developer) -> str:
    return key_of("startups", "startups", "for-developer", str(user.pk), LIMIT, {}, False)


def assert_sound(answer: dict[str, Any], user_id: str, *, limit: int = LIMIT) -> None:
    """What holds for every answer, whatever is broken."""
    items = answer["recommendations"]
    assert answer["user_id"] == user_id
    assert 0 < len(items) <= limit
    assert len(set(shown(answer))) == len(items)
    assert [item["position"] for item in items] == list(range(1, len(items) + 1))
    scores = [item["score"] for item in items]
    assert scores == sorted(scores, reverse=True)
    assert answer["degraded"] == bool(answer["degradation"])
    assert all(uuid.UUID(item["item_id"]) for item in items)
