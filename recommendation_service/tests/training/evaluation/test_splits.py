import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from recommendation_service.datasets.reader import Events
from recommendation_service.errors import DatasetError
from recommendation_service.training.evaluation.splits import joined, time_split


def events_at(times, weight=1.0):
    ordered = np.sort(np.array(times, dtype=np.float64))
    rows = np.arange(ordered.size, dtype=np.int64)
    return Events(rows, rows, np.full(ordered.size, weight, dtype=np.float32), ordered)


@given(st.lists(st.integers(0, 50), min_size=1, max_size=80))
def test_the_past_never_sees_the_future_and_nothing_is_lost(times):
    split = time_split(events_at(times))
    assert split.train.times.size + split.valid.times.size + split.test.times.size == len(times)
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


def test_joining_keeps_all_four_sides_alike_long():
    whole = joined(events_at([1]), events_at([2, 3]))
    assert {whole.users.size, whole.items.size, whole.weights.size, whole.times.size} == {3}
