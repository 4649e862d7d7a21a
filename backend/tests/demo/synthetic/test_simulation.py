"""Random draws that the simulations of the sites share."""

import numpy as np
import pytest

from demo.synthetic.simulation import apportioned, between, drawn, drawn_without_replacement


@pytest.mark.parametrize(("n", "counts"), [(200, [30, 60, 80, 30]), (20, [3, 6, 8, 3]), (7, [1, 2, 3, 1]), (0, [0, 0, 0, 0])])
def test_shares_are_kept_to_the_nearest_whole(n: int, counts: list[int]) -> None:
    kinds = apportioned(np.random.default_rng(1), [0.15, 0.30, 0.40, 0.15], n)
    assert np.bincount(kinds, minlength=4).tolist() == counts


def test_kinds_come_in_an_order_of_chance() -> None:
    one, other = (apportioned(np.random.default_rng(seed), [0.5, 0.5], 40).tolist() for seed in (1, 2))
    assert one != other
    assert one != sorted(one)


def test_places_are_drawn_by_their_weights_and_never_where_there_is_none() -> None:
    found = np.bincount(drawn(np.random.default_rng(1), [1.0, 0.0, 3.0], 10_000), minlength=3) / 10_000
    assert found[1] == 0
    assert found[2] == pytest.approx(0.75, abs=0.02)


def test_drawn_without_replacement_no_place_comes_twice_and_a_weight_of_nothing_never() -> None:
    weights = np.array([1.0, 0.0, 2.0, 3.0])
    found = drawn_without_replacement(np.random.default_rng(1), weights, 4)
    assert sorted(found.tolist()) == [0, 2, 3]


def test_drawn_without_replacement_the_heavier_comes_first_more_often() -> None:
    rng = np.random.default_rng(1)
    first = [int(drawn_without_replacement(rng, np.array([1.0, 4.0]), 1)[0]) for _ in range(2000)]
    assert np.mean(first) == pytest.approx(0.8, abs=0.03)


def test_between_keeps_to_each_pair_of_bounds() -> None:
    found = between(np.random.default_rng(1), np.array([1.0, 10.0] * 500), np.array([2.0, 20.0] * 500)).reshape(500, 2)
    assert found.min(axis=0) == pytest.approx([1, 10], abs=0.1)
    assert found.max(axis=0) == pytest.approx([2, 20], abs=0.1)
