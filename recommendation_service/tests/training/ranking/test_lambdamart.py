"""The trees learn what is clicked and not where it stood; how often places are looked at is found out."""

from dataclasses import replace

import numpy as np
import pytest

from benchmarks.performance.click_simulation import make_world
from benchmarks.performance.learned_ranker import lists_of
from recommendation_service.training.parameters import RankerParameters
from recommendation_service.training.ranking.lambdamart import arrays_of, examination_of, grow, importance, predicted
from recommendation_service.training.ranking.training_data import ShownLists

STATED = RankerParameters()


@pytest.fixture(scope="module")
def clicked(tmp_path_factory: pytest.TempPathFactory) -> ShownLists:
    _, lists, _ = lists_of(make_world(lists=1_200), tmp_path_factory.mktemp("clicked"))
    return lists


def test_the_same_lists_make_the_same_trees(clicked) -> None:
    first, again = (arrays_of(grow(clicked, STATED), clicked.names) for _ in range(2))
    for name, array in first.items():
        np.testing.assert_array_equal(array, again[name])


def test_every_column_of_the_trees_is_a_feature_and_none_is_the_position(clicked) -> None:
    booster = grow(clicked, STATED)
    assert booster.num_feature() == len(clicked.names)
    matters = importance(booster, clicked.names)
    assert set(matters) <= set(clicked.names)
    assert sum(matters.values()) == pytest.approx(1)
    assert list(matters.values()) == sorted(matters.values(), reverse=True)


def test_positions_change_what_is_learned_only_where_they_are_corrected_for(clicked) -> None:
    mixed = replace(clicked, positions=np.random.default_rng(0).permutation(clicked.positions))
    for correct, same in ((False, True), (True, False)):
        chosen = replace(STATED, correct_positions=correct)
        told, other = (predicted(grow(one, chosen), clicked.features) for one in (clicked, mixed))
        assert np.array_equal(told, other) is same


@pytest.mark.parametrize("bias", [0.0, 0.7, 1.0])
def test_how_often_places_are_looked_at_is_found_out(tmp_path, bias: float) -> None:
    _, lists, _ = lists_of(make_world(lists=3_000, bias=bias), tmp_path)
    found = examination_of(lists, STATED)
    assert found[0] == 1
    assert (np.diff(found) <= 1e-9).all()
    np.testing.assert_allclose(found, np.arange(1, 11) ** -bias, atol=0.15)


def test_lists_of_different_lengths_are_learned_from(clicked) -> None:
    keep = np.ones(clicked.weights.size, dtype=np.bool_)
    keep[np.arange(9, keep.size, 30)] = False
    sizes = np.add.reduceat(keep.astype(np.int64), clicked.indptr[:-1])
    indptr = np.concatenate([[0], np.cumsum(sizes)])
    columns = clicked.features[keep], clicked.weights[keep], clicked.positions[keep]
    shorter = ShownLists(clicked.names, *columns, indptr, clicked.people, clicked.times)
    assert np.isfinite(predicted(grow(shorter, STATED), shorter.features)).all()
