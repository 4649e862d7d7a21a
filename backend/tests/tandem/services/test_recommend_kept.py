"""Kept lists: when one is shown again, when it is stale, and whose it is."""

import pytest

from sites.startups.models import Developer, Startup
from tandem.models import Feedback, UserInteraction, UserKey
from tandem.service_client.model_state import forget_state
from tandem.services.feedback import give_feedback
from tests.support import board
from tests.support.caching import cache
from tests.support.faults import FaultServer, good, serves
from tests.tandem.services.asking import Point, ask, assert_sound, ids, key_for, shown

pytestmark = pytest.mark.django_db(transaction=True)


def test_a_second_ask_is_answered_from_the_cache(service_at: Point, startups: list[Startup], ada: Developer) -> None:
    with FaultServer(good(ids(startups))) as server:
        service_at(server.url)
        assert ask(ada) == ask(ada)
        assert len(server.asked) == 1


def test_a_list_of_yesterdays_model_is_not_kept_when_the_service_serves_another(
    service_at: Point, startups: list[Startup], ada: Developer
) -> None:
    state = ["monday"]
    with FaultServer(serves(ids(startups), state)) as server:
        service_at(server.url)
        before = ask(ada)
        assert ask(ada) == before
        state.append("tuesday")
        forget_state()  # as after two seconds
        after = ask(ada)
        assert after["request_id"] != before["request_id"]
        assert ask(ada) == after


def test_a_kept_list_goes_on_when_the_service_does_not_say_what_it_serves(
    service_at: Point, startups: list[Startup], ada: Developer
) -> None:
    with FaultServer(serves(ids(startups), ["monday"])) as server:
        service_at(server.url)
        before = ask(ada)
    assert ask(ada) == before


def test_a_click_makes_the_next_answer_fresh_even_where_the_cache_never_heard_of_it(
    service_at: Point, startups: list[Startup], ada: Developer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("tandem.cache.forget", lambda user_id: None)  # as in another gunicorn worker
    with FaultServer(good(ids(startups))) as server:
        service_at(server.url)
        ask(ada)
        board.did(str(ada.pk), startups[9].pk, days_ago=0)
        ask(ada)
        assert [len(asked["history"]) for asked in server.asked] == [0, 1]


def test_a_backdated_event_makes_the_next_answer_fresh(service_at: Point, startups: list[Startup], ada: Developer) -> None:
    board.did(str(ada.pk), startups[9].pk, days_ago=0)
    with FaultServer(good(ids(startups))) as server:
        service_at(server.url)
        ask(ada)
        board.did(str(ada.pk), startups[8].pk, days_ago=30)
        ask(ada)
        assert [len(asked["history"]) for asked in server.asked] == [1, 2]


def test_undoing_an_older_event_makes_the_next_answer_fresh(
    service_at: Point, startups: list[Startup], ada: Developer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("tandem.cache.forget", lambda user_id: None)  # as in another gunicorn worker
    board.did(str(ada.pk), startups[8].pk, days_ago=30)
    board.did(str(ada.pk), startups[9].pk, days_ago=0)
    with FaultServer(good(ids(startups))) as server:
        service_at(server.url)
        ask(ada)
        UserInteraction.objects.filter(item__item_id=str(startups[8].pk)).delete()
        ask(ada)
        assert [len(asked["history"]) for asked in server.asked] == [2, 1]


def test_changing_or_removing_a_verdict_makes_the_next_answer_fresh(
    service_at: Point, startups: list[Startup], ada: Developer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("tandem.cache.forget", lambda user_id: None)  # as in another gunicorn worker
    verdict = {"user_id": str(ada.pk), "catalogue": "startups"}
    with FaultServer(good(ids(startups))) as server:
        service_at(server.url)
        give_feedback(**verdict, item_id=str(startups[0].pk), verdict="hide")
        give_feedback(**verdict, item_id=str(startups[1].pk), verdict="hide")
        ask(ada)
        give_feedback(**verdict, item_id=str(startups[0].pk), verdict="helpful")
        ask(ada)
        Feedback.objects.filter(item__item_id=str(startups[0].pk)).delete()
        ask(ada)
        hidden = [set(asked["exclude"]) for asked in server.asked]
    assert hidden == [{str(startup.pk) for startup in startups[:2]}, *[{str(startups[1].pk)}] * 2]


def test_hiding_an_item_makes_the_next_answer_fresh(service_at: Point, startups: list[Startup], ada: Developer) -> None:
    with FaultServer(good(ids(startups))) as server:
        service_at(server.url)
        ask(ada)
        board.hides(str(ada.pk), startups[0].pk)
        ask(ada)
        assert server.asked[1]["exclude"] == [str(startups[0].pk)]


def test_a_cached_item_that_leaves_the_catalogue_is_gone_once_the_check_is_due(
    service_at: Point, startups: list[Startup], ada: Developer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("tandem.cache.CHECKED_SECONDS", 0)
    with FaultServer(good(ids(startups))) as server:
        service_at(server.url)
        ask(ada)
        startups[0].delete()
        assert shown(ask(ada)) == ids(startups)[1:6]


def test_nobody_gets_a_list_that_was_kept_for_another(service_at: Point, startups: list[Startup]) -> None:
    people = [board.make_developer(f"P{place}") for place in range(10)]
    with FaultServer(good(ids(startups))) as server:
        service_at(server.url)
        for _ in range(20):
            for person in people:
                assert ask(person)["user_id"] == str(person.pk)
        assert len(server.asked) == len(people)


def test_a_poisoned_cache_entry_counts_as_a_miss(service_at: Point, startups: list[Startup], ada: Developer) -> None:
    with FaultServer(good(ids(startups))) as server:
        service_at(server.url)
        ask(ada)
        place = f"recs:kept:{key_for(ada)}"
        kept = cache.get(place)
        for poison in (
            "text",
            7,
            {},
            {"answer": {}, "history_version": kept["history_version"]},
            {**kept, "answer": {**kept["answer"], "user_id": "eve"}},
        ):
            cache.set(place, poison)
            assert ask(ada)["user_id"] == str(ada.pk)
        assert len(server.asked) == 6


def test_an_id_that_was_erased_and_given_again_gets_nothing_of_the_old_list(
    service_at: Point, startups: list[Startup], ada: Developer
) -> None:
    with FaultServer(good(ids(startups)[30:])) as server:
        service_at(server.url)
        board.did(str(ada.pk), startups[0].pk)
        ask(ada)
    UserKey.objects.filter(user_id=str(ada.pk)).delete()
    board.did("other", startups[5].pk)  # a newer key exists, so that the next one is certainly another
    board.did(str(ada.pk), startups[1].pk)
    service_at("http://127.0.0.1:9")
    answer = ask(ada)
    assert answer["method_used"] == "popular"
    assert_sound(answer, str(ada.pk))
