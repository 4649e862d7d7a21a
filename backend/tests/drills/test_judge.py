"""The judge of the drills finds each breach, so that a quiet drill means something."""

import json
from typing import Any

import pytest

from tests.drills.judge import Person, Reply, breaches
from tests.support.faults import answer_for

ITEMS = frozenset(f"i{number}" for number in range(8))
ADA = Person("ada", "for-developer", 7, frozenset({"i7"}))


def reply(status: int = 200, limit: int = 3, **changes: Any) -> Reply:
    answer = answer_for({"user_id": "ada", "limit": limit}, ["i0", "i1", "i2"], interaction_count=7)
    return Reply(ADA, limit, 0.0, 0.01, status, json.dumps({**answer, **changes}).encode())


def items(*pairs: tuple[str, float]) -> list[dict[str, Any]]:
    return [
        {"item_id": name, "title": "", "score": score, "position": place, "reasons": [], "parts": {}}
        for place, (name, score) in enumerate(pairs, 1)
    ]


def test_a_good_answer_passes() -> None:
    assert breaches(reply(), ITEMS) == []


@pytest.mark.parametrize(
    ("changes", "told"),
    [
        ({"status": 500}, "status 500"),
        ({"recommendations": None}, "not an answer"),
        ({"recommendations": items(("i0", float("nan")), ("i1", 0.2), ("i2", 0.1))}, "not an answer"),
        ({"user_id": "eve"}, "another question"),
        ({"surface": "for-investor"}, "another question"),
        ({"interaction_count": 6}, "counts 6"),
        ({"recommendations": []}, "0 items, not 3"),
        ({"limit": 1, "recommendations": items(("i0", 2), ("i1", 1))}, "2 items, not 1"),
        ({"recommendations": items(("i0", 3), ("i0", 2), ("i2", 1))}, "an item twice"),
        ({"recommendations": items(("i0", 3), ("i9", 2), ("i2", 1))}, "an unknown item"),
        ({"recommendations": items(("i0", 3), ("i7", 2), ("i2", 1))}, "already seen"),
        ({"recommendations": items(("i0", 1), ("i1", 2), ("i2", 3))}, "not in order"),
        ({"degraded": True}, "disagree"),
        ({"method_used": "content_based"}, "in place of als, untold"),
        ({"model_version": ""}, "no model version"),
    ],
)
def test_each_breach_is_found(changes: dict[str, Any], told: str) -> None:
    found = breaches(reply(**changes), ITEMS)
    assert len(found) == 1
    assert told in found[0]
