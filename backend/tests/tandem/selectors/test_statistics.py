"""Figures of shown lists: each list and item counts once, only for its own reader, and equal to the obvious loop."""

from collections.abc import Callable
from dataclasses import asdict
from datetime import UTC, datetime, timedelta, timezone
from typing import Any

import pytest
from django.db import connection, transaction
from django.test.utils import CaptureQueriesContext
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from recommendation_service.errors import InvalidInput
from recommendation_service.use_cases.loader import load
from recommendation_service.use_cases.schema import Outcomes
from tandem.selectors import statistics
from tandem.selectors.statistics import Window
from tests.tandem.selectors.shown_log import START, USE_CASE, Act, Log, One, naive

pytestmark = pytest.mark.django_db

WINDOW = Window(START, START + timedelta(days=3))
HAND_MADE = Log(
    lists=(
        One(0, "ana", ("a", "b", "c"), hour=1),
        One(1, "ana", ("a", "d"), hour=26, method="popularity"),
        One(2, "bob", ("a", "b"), hour=30, method="popularity"),
        One(3, "bob", ("d",), hour=31, surface="similar", method="content"),
        One(4, None, ("a", "b"), hour=50, surface="similar", method="content"),
        One(5, "ana", ("a",), hour=72),  # the first moment after the window
        One(6, "ana", ("a",), hour=-0.001),
    ),
    acts=(
        Act("ana", "a", "click", 0),
        Act("ana", "a", "click", 0),  # again
        Act("ana", "a", "enroll", 0, 30.0),
        Act("ana", "a", "enroll", 0, 20.0),  # again, for less
        Act("ana", "a", "click", 1),  # the same item in another list
        Act("ana", "z", "click", 1),  # not in that list
        Act("ana", "b", "click", 2),  # bob's list
        Act("bob", "b", "enroll", 2, 5.0),  # without a click
        Act("bob", "a", "view", 2),
        Act("bob", "a", "click", None),  # from elsewhere
        Act("bob", "d", "click", 3),
        Act("ana", "a", "click", 4),  # nobody's list: a link that was written counts
        Act("ana", "a", "enroll", 5, 99.0),
    ),
)


def test_each_list_and_item_counts_once_and_only_for_its_own_reader() -> None:
    HAND_MADE.write()
    found = statistics.totals(use_case=USE_CASE, window=WINDOW)
    assert asdict(found) == {"lists": 5, "shown": 10, "clicks": 4, "conversions": 2, "revenue": 35.0}
    assert (found.ctr, found.conversion_rate) == (0.4, 0.2)


def test_one_persons_figures_are_their_own() -> None:
    HAND_MADE.write()
    ana = statistics.totals(use_case=USE_CASE, window=WINDOW, user_id="ana")
    assert (ana.lists, ana.shown, ana.clicks, ana.conversions, ana.revenue) == (2, 5, 2, 1, 30.0)
    bob = statistics.totals(use_case=USE_CASE, window=WINDOW, user_id="bob", surface="home")
    assert (bob.lists, bob.shown, bob.clicks, bob.conversions) == (1, 2, 0, 1)
    assert statistics.totals(use_case=USE_CASE, window=WINDOW, user_id="nobody").ctr == 0


def test_the_daily_series_has_every_day_also_the_empty_ones() -> None:
    HAND_MADE.write()
    days = statistics.daily(use_case=USE_CASE, window=Window(START - timedelta(days=2), START + timedelta(days=3)))
    told = [(day.day.day, day.lists, day.shown, day.clicks) for day in days]
    assert told == [(27, 0, 0, 0), (28, 1, 1, 0), (1, 1, 3, 1), (2, 3, 5, 2), (3, 1, 2, 1)]


def test_shares_of_the_strategies_add_up_to_one() -> None:
    HAND_MADE.write()
    groups = statistics.by_method(use_case=USE_CASE, window=WINDOW)
    assert [(group.name, group.lists, group.clicks) for group in groups] == [
        ("content", 2, 2),
        ("popularity", 2, 1),
        ("hybrid", 1, 1),
    ]
    assert sum(group.share for group in groups) == pytest.approx(1.0)
    assert [group.name for group in statistics.by_surface(use_case=USE_CASE, window=WINDOW)] == ["home", "similar"]


def test_top_items_come_by_conversions_then_clicks() -> None:
    HAND_MADE.write()
    items = statistics.top_items(use_case=USE_CASE, window=WINDOW)
    told = [(item.item_id, item.shown, item.clicks, item.conversions, item.revenue) for item in items]
    assert told == [("a", 4, 3, 1, 30.0), ("b", 3, 0, 1, 5.0), ("d", 2, 1, 0, 0.0)]
    assert [item.item_id for item in statistics.top_items(use_case=USE_CASE, window=WINDOW, limit=1)] == ["a"]


def test_a_funnel_only_narrows() -> None:
    HAND_MADE.write()
    steps = statistics.funnel(use_case=USE_CASE, window=WINDOW, between=("view",))
    assert [(step.name, step.count) for step in steps] == [("shown", 10), ("clicked", 6), ("view", 3), ("converted", 2)]
    assert steps[1].of_shown == steps[1].of_before == 0.6
    assert steps[3].of_before == pytest.approx(2 / 3)


def test_a_funnel_over_an_unknown_event_is_refused_by_name() -> None:
    with pytest.raises(InvalidInput, match="'wave' is no event of courses; events are view, click"):
        statistics.funnel(use_case=USE_CASE, window=WINDOW, between=("wave",))


def test_an_empty_log_gives_zeros_and_no_division() -> None:
    assert statistics.totals(use_case=USE_CASE, window=WINDOW).conversion_rate == 0
    assert [step.count for step in statistics.funnel(use_case=USE_CASE, window=WINDOW)] == [0, 0, 0]
    assert statistics.by_method(use_case=USE_CASE, window=WINDOW) == []
    assert statistics.top_items(use_case=USE_CASE, window=WINDOW) == []
    assert statistics.top_categories(use_case=USE_CASE, window=WINDOW) == []


def test_a_use_case_without_outcomes_still_counts_what_was_shown(monkeypatch: pytest.MonkeyPatch) -> None:
    without = load("startups").model_copy(update={"outcomes": Outcomes()})
    monkeypatch.setattr(statistics, "load", lambda _name: without)
    assert statistics.totals(use_case="startups", window=WINDOW).lists == 0


@pytest.mark.parametrize(
    ("since", "until", "told"),
    [
        (datetime(2026, 1, 1), datetime(2026, 1, 2, tzinfo=UTC), "offset"),  # noqa: DTZ001 - the naive one is the point
        (START, START, "end after it begins"),
        (START, START - timedelta(days=1), "end after it begins"),
        (START, START + timedelta(days=401), "no longer than 400 days"),
    ],
)
def test_a_window_that_cannot_be_counted_is_refused(since: datetime, until: datetime, told: str) -> None:
    with pytest.raises(InvalidInput, match=told):
        Window(since, until)


def test_the_last_days_are_whole_days_of_utc_but_the_last() -> None:
    until = datetime(2026, 3, 8, 1, 30, tzinfo=timezone(timedelta(hours=3)))
    window = Window.last(7, until=until)
    assert [day.isoformat() for day in window.days()] == [f"2026-03-{day:02}" for day in range(1, 8)]
    assert window.until == until


@pytest.mark.parametrize("figure", [statistics.totals, statistics.daily, statistics.top_items, statistics.funnel])
def test_counting_takes_a_fixed_number_of_queries_and_walks_the_right_indexes(figure: Callable[..., Any]) -> None:
    HAND_MADE.write()
    with CaptureQueriesContext(connection) as queries:
        figure(use_case=USE_CASE, window=WINDOW)
    assert len(queries) <= 4
    if connection.vendor == "sqlite":
        with connection.cursor() as cursor:
            plans = []
            for query in queries.captured_queries:
                cursor.execute("EXPLAIN QUERY PLAN " + query["sql"])
                plans += [row[-1] for row in cursor.fetchall()]
        joined = "\n".join(plans)
        assert "tandem_impression_surface" in joined
        assert "tandem_interaction_request" in joined
        assert "SCAN recommendations_i" not in joined
        answers = joined.partition("tandem_interaction_request")[2]
        assert "impressionitem_item_id" not in answers, "every list that ever showed the item is walked: 100 times slower"


users = st.sampled_from(["ana", "bob", "cy"])
lists = st.builds(
    One,
    number=st.just(0),
    user=st.one_of(st.none(), users),
    items=st.lists(st.sampled_from("abcde"), max_size=5, unique=True).map(tuple),
    hour=st.floats(-24, 96, allow_nan=False).map(lambda hour: round(hour, 3)),
    method=st.sampled_from(["hybrid", "content"]),
    surface=st.sampled_from(["home", "similar"]),
)
acts = st.builds(
    Act,
    user=users,
    item=st.sampled_from("abcdez"),
    event=st.sampled_from(["view", "click", "enroll", "complete"]),
    answers=st.one_of(st.none(), st.integers(0, 6)),
    value=st.one_of(st.none(), st.integers(0, 50).map(float)),
)


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(shown=st.lists(lists, max_size=6), done=st.lists(acts, max_size=40))
def test_every_figure_equals_the_obvious_loop(shown: list[One], done: list[Act]) -> None:
    numbered = tuple(One(place, *(getattr(one, name) for name in NAMES)) for place, one in enumerate(shown))
    log = Log(numbered, tuple(done))
    with transaction.atomic():
        log.write()
        _compare(log)
        transaction.set_rollback(True)


NAMES = ("user", "items", "hour", "method", "surface")


def _compare(log: Log) -> None:
    inside = [one for one in log.lists if WINDOW.since <= one.time < WINDOW.until]
    every: dict[str, Any] = {"use_case": USE_CASE, "window": WINDOW}
    assert asdict(statistics.totals(**every)) == _naive(log, inside)
    for user in ("ana", "bob"):
        assert asdict(statistics.totals(**every, user_id=user)) == _naive(log, [one for one in inside if one.user == user])
    for group in statistics.by_method(**every):
        own = _naive(log, [one for one in inside if one.method == group.name])
        assert {name: getattr(group, name) for name in own} == own
    for day in statistics.daily(**every, surface="home"):
        own = _naive(log, [one for one in inside if one.time.date() == day.day and one.surface == "home"])
        assert {name: getattr(day, name) for name in own} == own
    steps = [step.count for step in statistics.funnel(**every, between=("view",))]
    assert steps == sorted(steps, reverse=True)


def _naive(log: Log, lists: list[One]) -> dict[str, float]:
    told = load(USE_CASE).outcomes
    return naive(log, clicks=told.clicks, conversions=told.conversions, lists=lists)
