from collections.abc import Sequence

import numpy as np
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from recommendation_service.datasets.reader import Events
from recommendation_service.domain.history import UNKNOWN_TIME
from recommendation_service.errors import DatasetError
from recommendation_service.training.evaluation.splits import time_split
from recommendation_service.training.models.item_to_item import Known
from recommendation_service.training.models.sequences import sequences_of
from recommendation_service.training.user_histories import build_histories
from recommendation_service.use_cases.schema import Weighting


def events_at(times, weight=1.0):
    ordered = np.sort(np.array(times, dtype=np.float64))
    rows = np.arange(ordered.size, dtype=np.int64)
    return Events(rows, rows, np.full(ordered.size, weight, dtype=np.float32), ordered)


@given(st.lists(st.integers(0, 50), min_size=1, max_size=80))
def test_the_past_never_sees_the_future_and_nothing_is_lost(times):
    split = time_split(events_at(times))
    assert split.train.times.size + split.valid.times.size + split.test.times.size == len(times)
    assume(not split.reason)
    assert (split.train.times < split.valid_start).all()
    assert ((split.valid.times >= split.valid_start) & (split.valid.times < split.test_start)).all()
    assert (split.test.times >= split.test_start).all()


def test_a_hundred_events_fall_eighty_ten_ten():
    split = time_split(events_at(range(100)))
    assert [part.times.size for part in (split.train, split.valid, split.test)] == [80, 10, 10]
    assert split.before_test().times.tolist() == list(range(90))


def test_a_share_of_nothing_leaves_the_test_part_empty():
    split = time_split(events_at(range(100)), (0.9, 0.1, 0.0))
    assert [part.times.size for part in (split.train, split.valid, split.test)] == [90, 10, 0]


def test_without_a_positive_event_there_is_nothing_to_split():
    with pytest.raises(DatasetError, match="no positive interactions"):
        time_split(events_at([1, 2], weight=-1.0))


DAY_S = 86_400.0


@pytest.mark.parametrize(
    ("times", "reason"),
    [
        ([UNKNOWN_TIME] * 50 + list(range(50)), "the time of 50 of 100 positive events is unknown"),
        ([DAY_S * day for day in range(100)], "only the days of events are known"),
        ([DAY_S * day + (54_000 if day < 50 else 50_400) for day in range(100)], "only the days of events are known"),
        ([9.5] * 51 + list(range(49)), "51 of 100 positive events have the same time"),
    ],
)
def test_where_times_do_not_order_events_the_split_is_random_and_says_why(times: list[float], reason: str) -> None:
    split = time_split(events_at(times))
    assert (split.reason, split.method) == (reason, f"at random, because {reason}")
    assert [part.times.size for part in (split.train, split.valid, split.test)] == [80, 10, 10]
    assert split.before_test().times.size == 90
    assert split.valid_start == split.test_start == max(times)
    assert np.unique(np.concatenate([part.users for part in (split.train, split.valid, split.test)])).size == 100


def test_few_unknown_times_train_and_the_others_are_split_by_time() -> None:
    split = time_split(events_at([UNKNOWN_TIME] * 5 + list(range(100))))
    assert split.method == "by time"
    assert [part.times.size for part in (split.train, split.valid, split.test)] == [85, 10, 10]


def test_a_random_split_has_all_events_of_a_user_with_an_item_in_one_part() -> None:
    rng = np.random.default_rng(1)
    users, items = rng.integers(0, 30, 600), rng.integers(0, 20, 600)
    events = Events(users, items, rng.choice([-1.0, 0.0, 1.0], 600).astype(np.float32), np.full(600, UNKNOWN_TIME))
    split = time_split(events)
    pairs = [set((part.users * 20 + part.items).tolist()) for part in (split.train, split.valid, split.test)]
    assert sum(map(len, pairs)) == len(set.union(*pairs))
    assert sum(part.times.size for part in (split.train, split.valid, split.test)) == 600


ROW = st.tuples(st.integers(0, 4), st.integers(0, 5), st.sampled_from([UNKNOWN_TIME, 5.0, 6.5]))  # user, item, time


def events_of(rows: list[tuple[int, int, float]], names: Sequence[int]) -> Events:
    users, items, times = (np.array(side) for side in zip(*rows, strict=True))
    return Events(users, np.array(names)[items], np.ones(len(rows), dtype=np.float32), times.astype(np.float64))


@given(st.lists(ROW, min_size=1), st.permutations(range(6)))
def test_other_names_of_items_change_neither_split_nor_histories(rows: list[tuple[int, int, float]], names: list[int]) -> None:
    """Rows of an export are sorted by id, so another name of an item is another row."""
    rows.sort(key=lambda row: row[2])
    split, renamed = time_split(events_of(rows, range(6))), time_split(events_of(rows, names))
    for part in ("train", "valid", "test"):
        before, after = getattr(split, part), getattr(renamed, part)
        assert before.users.tolist() == after.users.tolist()
        assert [names[item] for item in before.items.tolist()] == after.items.tolist()
        first, second = (build_histories(events, 5, 6, Weighting(), 7.0) for events in (before, after))
        assert [names[item] for item in first.rows.tolist()] == second.rows.tolist()
        assert first.counts.tolist() == second.counts.tolist()
        sequences = [sequences_of(one, Known.of(one)) for one in (first, second)]
        assert sequences[0].indptr.tolist() == sequences[1].indptr.tolist()
