"""Somebody who has seen everything gets popular items again, from whichever half answers, and is told so."""

from typing import Any

import pytest

from sites.startups.models import Developer, Startup
from tandem.selectors.history import disliked_among, disliked_of, history_of
from tandem.surfaces import bound_surface
from tests.support import board
from tests.support.faults import FaultServer, good
from tests.tandem.services.asking import Point, ask, assert_sound, ids, shown

pytestmark = pytest.mark.django_db(transaction=True)
DEAD = "http://127.0.0.1:9"
COUNT = 6
SEEN = {"engine": "als", "code": "seen_everything", "detail": "everything that could be shown was seen"}
AGAIN: dict[str, Any] = {"method_used": "popular", "degraded": True, "degradation": [SEEN]}


@pytest.fixture
def few() -> list[Startup]:
    """Six startups, liked by other people: the third most, the fifth next."""
    made = board.make_startups(COUNT)
    board.did_often("fan-1", ids(made)[2:3])
    board.did_often("fan-2", [ids(made)[2], ids(made)[4]])
    return made


@pytest.fixture
def ada(few: list[Startup]) -> Developer:
    """Ada looked at all of them and said no to the second."""
    made = board.make_developer("Ada")
    board.did_often(str(made.pk), ids(few), event="view")
    board.did(str(made.pk), few[1].pk, "dismiss", days_ago=0.5)
    return made


def codes(answer: dict[str, Any]) -> list[str]:
    return [skip["code"] for skip in answer["degradation"]]


def test_without_the_service_popular_items_come_again_and_dislikes_do_not(
    service_at: Point, few: list[Startup], ada: Developer
) -> None:
    service_at(DEAD)
    board.hides(str(ada.pk), few[3].pk)
    answer = ask(ada, limit=10)
    assert shown(answer)[:2] == [ids(few)[2], ids(few)[4]]
    assert set(shown(answer)) == {ids(few)[place] for place in (0, 2, 4, 5)}
    assert {tuple(item["reasons"]) for item in answer["recommendations"]} == {("You have seen everything here; popular again",)}
    assert (answer["method_used"], codes(answer)) == ("popular", ["unreachable", "seen_everything"])
    assert_sound(answer, str(ada.pk), limit=10)


def test_filters_and_the_site_s_own_catalogue_hold_for_what_comes_again(
    service_at: Point, few: list[Startup], ada: Developer
) -> None:
    service_at(DEAD)
    few[4].delete()
    assert set(shown(ask(ada, filters={"sector": ("fintech",)}))) == {ids(few)[0], ids(few)[2]}
    assert shown(ask(ada, filters={"sector": ("space",)})) == []


def test_as_long_as_one_item_is_unseen_it_alone_is_shown(service_at: Point, few: list[Startup]) -> None:
    rob = board.make_developer("Rob")
    board.did_often(str(rob.pk), ids(few)[1:], event="view")
    service_at(DEAD)
    answer = ask(rob)
    assert (shown(answer), codes(answer)) == ([ids(few)[0]], ["unreachable"])


def test_the_service_s_own_choice_of_what_comes_again_is_kept(service_at: Point, few: list[Startup], ada: Developer) -> None:
    with FaultServer(good([ids(few)[5], ids(few)[1], ids(few)[0]], **AGAIN)) as server:
        service_at(server.url)
        answer = ask(ada)
        assert shown(answer) == [ids(few)[5], ids(few)[0]]  # the disliked one is left out here too
        assert [item["reasons"] for item in answer["recommendations"]] == [["because"]] * 2
        assert answer["degradation"] == [SEEN]
        assert ask(ada) == answer  # kept, and shown again
        assert len(server.asked) == 1
    assert_sound(answer, str(ada.pk))


def test_an_item_newer_than_the_service_s_export_is_unseen_and_comes_first(
    service_at: Point, few: list[Startup], ada: Developer
) -> None:
    new = Startup.objects.create(name="New", pitch="Just founded", sector="health", stage="seed", founded_at="2026-01-01")
    with FaultServer(good(ids(few), **AGAIN)) as server:
        service_at(server.url)
        answer = ask(ada)
    assert (shown(answer), codes(answer)) == ([str(new.pk)], ["item_not_exported"])


def test_an_empty_answer_of_the_service_is_filled_with_popular_items_again(
    service_at: Point, few: list[Startup], ada: Developer
) -> None:
    with FaultServer(good([], method_used="none", degraded=True)) as server:
        service_at(server.url)
        answer = ask(ada)
    assert (answer["method_used"], answer["model_version"], codes(answer)) == ("popular", "", ["seen_everything"])
    assert shown(answer)[:2] == [ids(few)[2], ids(few)[4]]


def test_a_past_longer_than_one_question_holds_comes_again_too(service_at: Point) -> None:
    many = board.make_startups(520)
    ada = board.make_developer("Ada")
    board.did_often(str(ada.pk), ids(many), event="view")
    for place in (0, 519):  # the newest view and the oldest
        board.did(str(ada.pk), many[place].pk, "dismiss", days_ago=2)
    service_at(DEAD)
    answer = ask(ada, limit=100)
    assert len(shown(answer)) == 100
    assert {ids(many)[0], ids(many)[519]}.isdisjoint(shown(answer))
    assert codes(answer) == ["unreachable", "seen_everything"]


def test_the_database_and_the_question_agree_on_what_is_disliked(few: list[Startup], ada: Developer) -> None:
    user_id, use_case = str(ada.pk), bound_surface("startups", "for-developer").use_case
    board.did(user_id, few[2].pk, "dismiss")
    board.did(user_id, few[2].pk, "apply")  # said yes to in the end, by more than the no
    events, _ = history_of(user_id=user_id, catalogue="startups")
    asked = disliked_among(user_id=user_id, catalogue="startups", item_ids=ids(few), use_case=use_case)
    assert asked == disliked_of(events, use_case) == {ids(few)[1]}
    assert disliked_of((), use_case) == set()
