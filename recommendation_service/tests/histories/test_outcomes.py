"""Shown lists joined with what came of them, on SQLite and PostgreSQL."""

from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from uuid import uuid4

import pytest
from sqlalchemy import Engine, create_engine

from recommendation_service.errors import Unavailable
from recommendation_service.histories.database import open_database
from recommendation_service.histories.outcomes import NOTHING, Played, Scope, answers_since, day_of, played
from recommendation_service.tests.support import shown
from recommendation_service.tests.support.shown import EVEN, NOW, List

REWARDS = {"enroll": 1.0, "click": 0.3, "view": 0.1}
SCOPE = Scope("courses", ("home",), "courses", day_of(NOW) - timedelta(days=30), NOW)
A_SKIP = {"engine": "hybrid", "code": "not_trained", "detail": ""}


@pytest.fixture(params=["sqlite", pytest.param("postgres", marks=pytest.mark.services)])
def url(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[str]:
    if request.param == "sqlite":
        url = shown.sqlite(tmp_path)
        shown.make_tables(url)
        yield url
        return
    with shown.postgres() as url:
        shown.make_tables(url)
        yield url


@pytest.fixture
def database(url: str) -> Iterator[Engine]:
    engine = open_database(url, connections=2, statement_timeout_ms=5_000)
    yield engine
    engine.dispose()


def found(database: Engine, scope: Scope = SCOPE) -> list[Played]:
    return sorted(played(database, scope, REWARDS), key=lambda one: (one.arm, one.outcome))


def test_the_best_event_that_answers_a_list_is_its_outcome(url: str, database: Engine) -> None:
    best, viewed, silent = List("hybrid"), List("content"), List("popularity")
    events = [best.answered("view"), best.answered("enroll"), best.answered("click"), viewed.answered("view")]
    shown.write(url, [best, viewed, silent], events)
    assert found(database) == [
        Played("content", 0.2, "view"),
        Played("hybrid", 0.4, "enroll"),
        Played("popularity", 0.1, NOTHING),
    ]


def test_an_event_counts_however_late_it_comes(url: str, database: Engine) -> None:
    one = List("hybrid", NOW - timedelta(days=12))
    shown.write(url, [one], [one.answered("enroll", after=timedelta(days=11))])
    assert found(database) == [Played("hybrid", 0.4, "enroll")]


def test_repeated_events_count_as_one(url: str, database: Engine) -> None:
    one = List("hybrid")
    shown.write(url, [one], [one.answered("click") for _ in range(5)])
    assert found(database) == [Played("hybrid", 0.4, "click")]


def test_an_event_without_a_reward_is_worth_nothing(url: str, database: Engine) -> None:
    one = List("hybrid")
    shown.write(url, [one], [one.answered("drop")])
    assert found(database) == [Played("hybrid", 0.4, NOTHING)]


def test_somebody_else_cannot_answer_my_list_but_anybody_can_an_anonymous_one(url: str, database: Engine) -> None:
    mine, anonymous = List("hybrid", user=1), List("content", user=None)
    shown.write(url, [mine, anonymous], [mine.answered("enroll", user=2), anonymous.answered("click", user=2)])
    assert found(database) == [Played("content", 0.2, "click"), Played("hybrid", 0.4, NOTHING)]


def test_an_event_that_names_no_list_or_an_unknown_one_changes_nothing(url: str, database: Engine) -> None:
    one = List("hybrid")
    lost = {**one.answered("enroll"), "request_id": uuid4()}
    shown.write(url, [one], [lost, {**one.answered("enroll"), "request_id": None}])
    assert found(database) == [Played("hybrid", 0.4, NOTHING)]


@pytest.mark.parametrize(
    "one",
    [
        List("hybrid", probabilities={}),
        List("als"),
        List("content", degradation=(A_SKIP,)),
        List("hybrid", degradation=({"engine": "service", "code": "unreachable", "detail": ""},)),
        List("hybrid", surface="similar"),
        List("hybrid", use_case="startups"),
        List("hybrid", NOW - timedelta(days=40)),
        List("hybrid", NOW + timedelta(hours=1)),
    ],
    ids=[
        "no chance played",
        "no arm",
        "a fallback made it",
        "from the cache",
        "elsewhere",
        "of another site",
        "too old",
        "ahead",
    ],
)
def test_lists_that_tell_nothing_about_a_choice_are_left_out(url: str, database: Engine, one: List) -> None:
    shown.write(url, [one], [one.answered("enroll")])
    assert found(database) == []


def test_an_arm_that_answered_without_one_of_its_members_still_made_its_list(url: str, database: Engine) -> None:
    one = List("hybrid", degradation=({"engine": "two_tower", "code": "partial", "detail": ""},))
    shown.write(url, [one])
    assert found(database) == [Played("hybrid", 0.4, NOTHING)]


def test_recent_answers_are_counted_by_when_they_happened(url: str, database: Engine) -> None:
    old, new = List("hybrid", NOW - timedelta(days=5)), List("content")
    late = old.answered("click", after=timedelta(days=5, hours=-1))
    shown.write(url, [old, new], [late, new.answered("enroll"), new.answered("drop"), old.answered("view")])
    assert answers_since(database, SCOPE, list(REWARDS), NOW - timedelta(hours=24)) == 2


def test_many_lists_come_through_whole_and_are_counted_where_they_are(url: str, database: Engine) -> None:
    lists = [List(arm, probabilities=EVEN) for arm in EVEN for _ in range(700)]
    shown.write(url, lists, [one.answered("click") for one in lists[::2]])
    assert {(one.arm, one.outcome): one.lists for one in found(database)} == {
        (arm, outcome): 350 for arm in EVEN for outcome in ("click", NOTHING)
    }


def test_a_reward_for_an_event_that_never_happened_is_no_error(url: str, database: Engine) -> None:
    shown.write(url, [List("hybrid")])
    assert played(database, SCOPE, {"graduate": 1.0}) == [Played("hybrid", 0.4, NOTHING)]
    assert answers_since(database, SCOPE, ["graduate"], NOW - timedelta(hours=24)) == 0


def test_a_database_that_is_away_or_empty_says_what_to_look_at(tmp_path: Path) -> None:
    away = open_database("postgresql://nobody@127.0.0.1:1/none", connections=1, statement_timeout_ms=100)
    empty = create_engine(f"sqlite:///{tmp_path / 'empty.sqlite3'}")
    for database in (away, empty):
        with pytest.raises(Unavailable, match="RS_DATABASE_URL"):
            played(database, SCOPE, REWARDS)
        with pytest.raises(Unavailable, match="migrations"):
            answers_since(database, SCOPE, list(REWARDS), NOW)
        database.dispose()


def test_accounts_in_quarantine_teach_nothing_until_they_are_released(url: str, database: Engine) -> None:
    theirs, of_another, of_anybody = List("hybrid", user=7), List("content", user=8), List("popularity", user=None)
    events = [theirs.answered("enroll"), of_another.answered("click"), of_anybody.answered("enroll", user=7)]
    shown.write(url, [theirs, of_another, of_anybody], events)
    shown.put_into_quarantine(url, 8, released=NOW)
    rewarded = [Played("content", 0.2, "click"), Played("hybrid", 0.4, "enroll"), Played("popularity", 0.1, "enroll")]
    assert found(database) == rewarded
    assert answers_since(database, SCOPE, list(REWARDS), NOW - timedelta(days=1)) == 3
    shown.put_into_quarantine(url, 7)
    assert found(database) == [Played("content", 0.2, "click"), Played("popularity", 0.1, NOTHING)]
    assert answers_since(database, SCOPE, list(REWARDS), NOW - timedelta(days=1)) == 1


def test_an_event_at_an_unknown_time_answers_its_list_and_is_not_recent(url: str, database: Engine) -> None:
    one = List("hybrid")
    shown.write(url, [one], [{**one.answered("enroll"), "time": None}])
    assert found(database) == [Played("hybrid", 0.4, "enroll")]
    assert answers_since(database, SCOPE, list(REWARDS), NOW - timedelta(days=1)) == 0
