import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from recommendation_service.engines.alignment import Alignment, LikedItems
from recommendation_service.tests.engines import board


def test_scores_stay_where_they_are_when_both_number_alike() -> None:
    alignment = Alignment.of(board.als(), board.catalogue())
    scores = np.arange(24, dtype=np.float32)
    assert alignment.identical
    assert alignment.scatter(scores) is scores


@given(order=st.permutations(range(24)), gone=st.sets(st.integers(0, 23), max_size=10))
def test_every_kept_item_gets_its_own_score(order: list[int], gone: set[int]) -> None:
    catalogue = board.catalogue(without=sorted(gone))
    alignment = Alignment.of(board.als(order), catalogue)
    scattered = alignment.scatter(np.array(order, dtype=np.float32))  # an item's score is its own number
    numbers = [int(one.removeprefix("item-")) for one in catalogue.ids.ids()]
    assert scattered.tolist() == numbers


def test_a_catalogue_of_new_items_only_is_all_unknown() -> None:
    strangers = board.catalogue(30, without=range(24))
    scores = Alignment.of(board.als(), strangers).scatter(np.ones(24, dtype=np.float32))
    assert np.isnan(scores).all()
    assert scores.size == 6


def test_taste_is_the_subject_if_there_is_one() -> None:
    asked = board.query(board.catalogue(), (1, 3, 5), weights=(2, 0, -1))
    history, subject = LikedItems.of(asked), LikedItems.of(board.query(board.catalogue(), (1,), subject=(7, 8)))
    assert (history.rows.tolist(), history.weights.tolist()) == ([1, 5], [2, -1])  # seen without opinion: left out
    assert history.positive().rows.tolist() == [1]
    assert (subject.rows.tolist(), subject.from_subject) == ([7, 8], True)
