"""Lists about an item, for somebody or for nobody in particular."""

import uuid
from typing import Any

import pytest

from recommendation_service.errors import Gone, InvalidInput, NotFound
from sites.startups.models import Developer, Startup
from tandem.models import Impression, ImpressionItem, UserInteraction
from tandem.services.recommend import recommend
from tandem.services.record_interactions import record_interactions
from tandem.sources import ItemSource, source_of
from tests.support import board
from tests.support.faults import FaultServer, good, http, says
from tests.tandem.services.asking import LIMIT, Point, ids, shown

pytestmark = pytest.mark.django_db(transaction=True)


def around(item_id: Any, **changes: Any) -> dict[str, Any]:
    asked = {"use_case": "startups", "surface": "similar", "item_ids": [str(item_id)], "limit": LIMIT, **changes}
    return recommend(**asked)


def source() -> type[ItemSource]:
    found = source_of("startups")
    assert found is not None
    return found


def test_the_service_is_asked_about_the_item_and_nobody(service_at: Point, startups: list[Startup]) -> None:
    with FaultServer(good(ids(startups), surface="similar")) as server:
        service_at(server.url)
        answer = around(startups[0].pk)
    (asked,) = server.asked
    assert (asked["user_id"], asked["item_ids"], asked["history"]) == (None, [str(startups[0].pk)], [])
    assert answer["user_id"] is None
    assert shown(answer) == ids(startups)[1 : LIMIT + 1], "the item itself is not shown beside itself"


def test_a_list_for_nobody_is_recorded_without_a_person(service_at: Point, startups: list[Startup]) -> None:
    with FaultServer(good(ids(startups), surface="similar", probabilities={"als": 1.0})) as server:
        service_at(server.url)
        answer = around(startups[0].pk)
    impression = Impression.objects.get(pk=answer["request_id"])
    assert (impression.user_id, impression.surface, impression.probabilities) == (None, "similar", {"als": 1.0})
    assert ImpressionItem.objects.filter(impression=impression).count() == LIMIT


def test_lists_around_two_items_and_for_two_people_are_kept_apart(
    service_at: Point, startups: list[Startup], ada: Developer
) -> None:
    with FaultServer(good(ids(startups), surface="similar")) as server:
        service_at(server.url)
        for _ in range(2):
            around(startups[0].pk)
            around(startups[1].pk)
            around(startups[0].pk, user_id=str(ada.pk))
    assert [(one["item_ids"][0], one["user_id"]) for one in server.asked] == [
        (str(startups[0].pk), None),
        (str(startups[1].pk), None),
        (str(startups[0].pk), str(ada.pk)),
    ]


def test_an_item_nobody_knows_is_not_found_and_one_that_was_taken_away_is_gone(startups: list[Startup]) -> None:
    with pytest.raises(NotFound):
        around(uuid.uuid4())
    board.did("someone", startups[3].pk, "like")
    taken = startups[3].pk
    startups[3].delete()
    with pytest.raises(Gone):
        around(taken)


def test_an_item_newer_than_the_export_gets_a_list_and_does_not_count_as_a_failure(
    service_at: Point, startups: list[Startup]
) -> None:
    with FaultServer(says(http(b"{}", status="404 NOT FOUND", kind="application/problem+json"))) as server:
        client = service_at(server.url)
        for _ in range(30):
            answer = around(startups[0].pk)
        assert not client.breaker("startups").is_open
    assert answer["degradation"][0]["code"] == "item_not_exported"
    assert len(shown(answer)) == LIMIT
    assert str(startups[0].pk) not in shown(answer)


def test_without_the_service_what_the_site_finds_near_comes_before_popular_items(
    service_at: Point, startups: list[Startup], ada: Developer, monkeypatch: pytest.MonkeyPatch
) -> None:
    service_at("http://127.0.0.1:9")
    for fan in ("f1", "f2"):
        board.did(fan, startups[20].pk, "like")
    asked: list[tuple[Any, ...]] = []

    def nearest(*, user_id: str | None, item_ids: Any, limit: int) -> list[tuple[str, float]]:
        asked.append((user_id, tuple(item_ids)))
        return [(str(startups[place].pk), 0.9 - place / 100) for place in (0, 7, 9)]

    monkeypatch.setattr(source(), "nearest", nearest)
    answer = around(startups[0].pk, user_id=str(ada.pk))
    assert asked == [(str(ada.pk), (str(startups[0].pk),))]
    assert shown(answer)[:3] == [str(startups[place].pk) for place in (7, 9, 20)]
    assert answer["recommendations"][0]["reasons"] == ["Similar to what you look at"]
    assert answer["method_used"] == "nearest"


def test_a_site_without_vectors_shows_what_is_popular_in_the_items_category_first(
    service_at: Point, startups: list[Startup]
) -> None:
    service_at("http://127.0.0.1:9")
    for fan in ("f1", "f2", "f3"):
        board.did(fan, startups[21].pk, "like")
    board.did("f1", startups[20].pk, "like")
    answer = around(startups[0].pk, limit=3)
    assert shown(answer)[:2] == [str(startups[20].pk), str(startups[21].pk)], "20 is of the same sector, 21 is liked more"
    assert [item["reasons"] for item in answer["recommendations"][:2]] == [
        ["Similar to what you look at"],
        ["Popular with many people here"],
    ]


def test_what_cannot_be_had_now_is_not_recommended_but_may_be_looked_at(
    service_at: Point, startups: list[Startup], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(source(), "available", {"stage": "seed"})
    Startup.objects.filter(pk__in=[startups[1].pk, startups[0].pk]).update(stage="idea")
    with FaultServer(good(ids(startups), surface="similar")) as server:
        service_at(server.url)
        assert shown(around(startups[0].pk)) == ids(startups)[2 : LIMIT + 2]
    service_at("http://127.0.0.1:9")
    assert str(startups[1].pk) not in shown(around(startups[2].pk, limit=100))


def test_the_export_says_what_cannot_be_had_now(startups: list[Startup], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(source(), "available", {"stage": "seed"})
    Startup.objects.filter(pk=startups[1].pk).update(stage="idea")
    assert [record.item_id for record in source().records() if not record.available] == [str(startups[1].pk)]


@pytest.mark.parametrize(
    ("changes", "field", "told"),
    [
        ({"item_ids": []}, "/item_ids", "about an item"),
        ({"strategy": "als"}, "/strategy", "is not offered here"),
    ],
)
def test_a_question_that_makes_no_sense_names_its_field(
    startups: list[Startup], changes: dict[str, Any], field: str, told: str
) -> None:
    with pytest.raises(InvalidInput, match=told) as caught:
        around(startups[0].pk, **changes)
    assert list(caught.value.fields) == [field]


def test_a_click_in_a_list_for_nobody_is_recorded_without_the_list(
    service_at: Point, startups: list[Startup], ada: Developer
) -> None:
    """The list is nobody's, so it cannot be said that this person was shown it."""
    with FaultServer(good(ids(startups), surface="similar")) as server:
        service_at(server.url)
        answer = around(startups[0].pk)
    row = {"user_id": str(ada.pk), "item_id": shown(answer)[0], "event": "like", "catalogue": "startups"}
    (result,) = record_interactions([{**row, "request_id": answer["request_id"]}], source="test")
    assert result.status == "accepted"
    assert UserInteraction.objects.get().request_id is None
