"""How much a past counts: the rules of docs/decisions/0003, one by one, and the laws between them."""

from collections.abc import Sequence

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from recommendation_service.datasets.weighting import DAY_S, capped, decay, event_weights, first_of_day, history_of
from recommendation_service.domain.catalogue import Catalogue
from recommendation_service.domain.history import HISTORY_LIMIT, UNKNOWN_TIME, PastEvent
from recommendation_service.domain.idmap import IdMap
from recommendation_service.use_cases.schema import UseCase

NOW = 1_000 * DAY_S
N_ITEMS = HISTORY_LIMIT + 50


def use_case(**weighting: float) -> UseCase:
    router = {"kind": "fixed", "options": {"engine": "popular"}}
    return UseCase.model_validate(
        {
            "name": "board",
            "catalogues": ["board"],
            "events": {"view": 1, "like": 3, "dismiss": -3, "rate": {"weight": 1, "neutral": 3}},
            "weighting": weighting,
            "engines": {"popular": {"kind": "popularity"}},
            "surfaces": {"home": {"catalogue": "board", "router": router, "fallback": ["popular"]}},
        }
    )


def items() -> Catalogue:
    ids = IdMap.of(f"i{n:04d}" for n in range(N_ITEMS))
    nothing = np.zeros(len(ids), dtype=np.float32)
    return Catalogue("board", ids, tuple(ids.ids()), nothing, nothing)


def did(item: int, event: str = "like", *, days_ago: float = 1.0, value: float | None = None) -> PastEvent:
    return PastEvent(f"i{item:04d}", event, NOW - days_ago * DAY_S, value)


def weights(events: Sequence[PastEvent], **weighting: float) -> dict[int, float]:
    history = history_of(use_case(**weighting), items(), events, NOW)
    return dict(zip(history.rows.tolist(), history.weights.tolist(), strict=True))


def test_events_weigh_what_the_use_case_says_and_a_graded_one_by_its_value() -> None:
    names = ["view", "like", "rate", "unheard_of"]
    values = np.array([np.nan, np.nan, 5, 9, 1], dtype=np.float32)
    assert event_weights(use_case(), np.array([0, 1, 2, 3, 2]), values, names).tolist() == [1, 3, 2, 0, -2]


def test_a_grade_that_is_missing_says_nothing() -> None:
    assert event_weights(use_case(), np.array([0]), np.array([np.nan], dtype=np.float32), ["rate"]).tolist() == [0]


def test_the_same_event_twice_on_a_day_counts_once_and_again_the_next_day() -> None:
    past = [did(1, days_ago=0.1), did(1, days_ago=0.2), did(1, "view", days_ago=0.2), did(1, days_ago=1.2)]
    history = history_of(use_case(), items(), past, NOW)
    assert history.count == 3
    assert history.weights.tolist() == [7]


def test_only_positive_events_count_towards_routing_but_all_are_seen() -> None:
    history = history_of(use_case(), items(), [did(1), did(2, "dismiss"), did(3, "rate", value=3), did(4, "waved")], NOW)
    assert history.count == 1
    assert sorted(history.rows.tolist()) == [1, 2, 3, 4]


def test_weights_halve_with_age_and_never_grow_in_the_future() -> None:
    times = np.array([NOW, NOW - 30 * DAY_S, NOW + 90 * DAY_S])
    assert decay(times, NOW, 30.0).tolist() == [1, 0.5, 1]
    assert decay(times, NOW, None).tolist() == [1, 1, 1]


def test_the_cap_holds_both_ways() -> None:
    past = [did(1, days_ago=n) for n in range(9)] + [did(2, "dismiss", days_ago=n) for n in range(9)]
    assert weights(past, cap=12) == {1: 12, 2: -12}
    assert capped(np.array([99], dtype=np.float32), None).tolist() == [99]


def test_items_that_are_gone_leave_no_trace() -> None:
    history = history_of(use_case(), items(), [PastEvent("gone", "like", NOW)], NOW)
    assert (history.count, history.rows.size, history.older.size) == (0, 0, 0)


def test_a_long_past_keeps_its_newest_items_for_taste_and_all_as_seen() -> None:
    history = history_of(use_case(), items(), [did(n, days_ago=n) for n in range(N_ITEMS)], NOW)
    assert history.rows.tolist() == list(range(HISTORY_LIMIT))
    assert sorted(history.older.tolist()) == list(range(HISTORY_LIMIT, N_ITEMS))
    assert history.count == N_ITEMS


def test_a_dislike_is_remembered_however_long_the_past_is() -> None:
    past = [did(n, "dismiss" if n in (3, N_ITEMS - 1) else "like", days_ago=n) for n in range(N_ITEMS)]
    assert history_of(use_case(), items(), past, NOW).disliked().tolist() == [3, N_ITEMS - 1]


EVENTS = st.lists(
    st.builds(
        did,
        st.integers(0, 5),
        st.sampled_from(["view", "like", "dismiss"]),
        days_ago=st.floats(0, 400, allow_nan=False),
    ),
    max_size=30,
)


@given(EVENTS, st.randoms())
def test_the_order_in_which_events_arrive_changes_nothing(past: list[PastEvent], random: object) -> None:
    shuffled = list(past)
    random.shuffle(shuffled)  # type: ignore[attr-defined]  # hypothesis gives a random.Random
    assert weights(shuffled, half_life_days=90, cap=12) == pytest.approx(weights(past, half_life_days=90, cap=12), abs=1e-5)


@given(EVENTS)
def test_sending_everything_twice_changes_nothing(past: list[PastEvent]) -> None:
    assert weights(past + past) == pytest.approx(weights(past), abs=1e-5)


@given(EVENTS)
def test_the_first_of_a_day_is_kept_for_every_user_item_event_and_day(past: list[PastEvent]) -> None:
    item = np.array([int(event.item_id[1:]) for event in past], dtype=np.int64)
    kind = np.array([len(event.event) for event in past], dtype=np.int64)
    time = np.array([event.time for event in past], dtype=np.float64)
    keep = first_of_day(np.zeros_like(item), item, kind, time)
    days = np.floor(time / DAY_S)
    assert int(keep.sum()) == len(set(zip(item.tolist(), kind.tolist(), days.tolist(), strict=True)))


def test_a_history_knows_the_strongest_thing_that_was_done_with_each_item() -> None:
    past = [did(1, "view", days_ago=0.1), did(1, "like", days_ago=5), did(2, "view"), did(3, "rate", value=5.0)]
    history = history_of(use_case(), items(), past, NOW)
    done = {row: history.verbs[event] for row, event in zip(history.rows.tolist(), history.events.tolist(), strict=True)}
    assert done == {1: "liked", 2: "viewed", 3: "rated"}


def test_one_large_value_weighs_no_more_than_the_bound_of_its_event() -> None:
    assert weights([did(1, "rate", value=1e9)]) == {1: pytest.approx(7.0)}
    assert weights([did(1, "rate", value=-1e9)]) == {1: pytest.approx(-13.0)}


def test_an_event_at_an_unknown_time_is_the_oldest_and_counts_as_one_half_life_old() -> None:
    past = [did(1, days_ago=400), PastEvent("i0002", "like", UNKNOWN_TIME), PastEvent("i0003", "like", UNKNOWN_TIME)]
    history = history_of(use_case(half_life_days=30), items(), past, NOW)
    assert history.rows.tolist() == [1, 2, 3]
    assert history.weights[1:].tolist() == [1.5, 1.5]
    assert decay(np.array([UNKNOWN_TIME, 0.0]), 0.0, 30).tolist() == [0.5, 1.0]
    assert decay(np.array([UNKNOWN_TIME]), NOW, None).tolist() == [1.0]


def test_the_same_event_at_two_unknown_times_counts_once() -> None:
    assert first_of_day(*np.zeros((3, 2), dtype=np.int64), np.array([UNKNOWN_TIME, UNKNOWN_TIME])).tolist() == [True, False]


@given(st.permutations(range(6)))
def test_equal_times_keep_the_order_of_arrival_however_items_are_named(names: list[int]) -> None:
    past = [did(item, days_ago=days) for item, days in zip(names, (0, 0, 0, 1, 1, 2), strict=True)]  # newest first
    assert history_of(use_case(), items(), past, NOW).rows.tolist() == names
