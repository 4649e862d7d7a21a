from itertools import pairwise

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from recommendation_service.training.models.item_to_item import Known
from recommendation_service.training.models.sequences import Windows, sequences_of
from recommendation_service.training.user_histories import UserHistories

N = 9
people = st.lists(st.lists(st.integers(0, N - 1), unique=True, max_size=N), min_size=1, max_size=6)


def histories_of(sequences):
    """Pasts of people who liked these items, given oldest first."""
    indptr = np.cumsum([0, *map(len, sequences)]).astype(np.int64)
    rows = np.array([row for own in sequences for row in own[::-1]], dtype=np.int64)
    counts = np.array([len(own) for own in sequences], dtype=np.int64)
    return UserHistories(indptr, rows, np.ones(rows.size, dtype=np.float32), counts, N)


@given(people, st.integers(1, 4))
@settings(max_examples=80, deadline=None)
def test_every_next_item_is_asked_for_once_with_what_came_just_before_it(sequences, most):
    histories = histories_of(sequences)
    known = Known.of(histories)
    windows = Windows.of(sequences_of(histories, known), most)
    found = []
    for number in range(windows.first.size):
        read, follows, real = windows.read(np.array([number]))
        assert 1 <= real.sum() <= most
        rows = known.rows[read[0][real[0]]].tolist(), known.rows[follows[0][real[0]]].tolist()
        found += list(zip(*rows, strict=True))
    expected = [pair for own in sequences for pair in pairwise(own)]
    assert sorted(found) == sorted(expected)


@given(people, st.integers(1, 30), st.integers(0, 3))
@settings(max_examples=60, deadline=None)
def test_batches_hold_every_window_once_within_their_size(sequences, places, seed):
    histories = histories_of(sequences)
    windows = Windows.of(sequences_of(histories, Known.of(histories)), 4)
    if not windows.first.size:
        return
    batches = list(windows.batches(places, np.random.default_rng(seed)))
    assert sorted(np.concatenate(batches).tolist()) == list(range(windows.first.size))
    for which in batches:
        assert which.size == 1 or which.size * windows.sizes[which].max() <= places


def test_the_newest_items_are_read_oldest_first_and_padded_behind():
    histories = histories_of([[4, 2, 7, 1], [], [5]])
    known = Known.of(histories)
    read, sizes = sequences_of(histories, known).last(np.array([0, 1, 2]), 3)
    assert sizes.tolist() == [3, 0, 1]
    assert known.rows[read[0]].tolist() == [2, 7, 1]
    assert known.rows[read[2][:1]].tolist() == [5]


def test_items_that_were_not_known_are_left_out():
    early, late = histories_of([[0, 1, 2]]), histories_of([[0, 5, 1, 8, 2]])
    known = Known.of(early)
    read, sizes = sequences_of(late, known).last(np.array([0]), 9)
    assert sizes.tolist() == [3]
    assert known.rows[read[0]].tolist() == [0, 1, 2]
