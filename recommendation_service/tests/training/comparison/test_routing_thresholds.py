import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from recommendation_service.training.comparison.routing_thresholds import GRID, Routes, Thresholds, pairs, prefer

STATED = Thresholds(5, 20)


def routes(*, helps_from: int, people: int = 600, seed: int = 0, lots: float = 0.05) -> Routes:
    """Warm and hot serve alike, better than cold from so many interactions on and worse below."""
    rng = np.random.default_rng(seed)
    counts = rng.integers(0, 40, people)
    cold = rng.uniform(0.2, 0.4, people)
    warm = np.where(counts >= helps_from, cold + 0.1, cold - 0.1) + rng.normal(0, lots, people)
    return Routes(counts, cold, warm, warm)


@pytest.mark.parametrize("helps_from", [2, 10, 15, 30])
def test_the_limit_from_which_an_engine_helps_is_found(helps_from):
    found = prefer(routes(helps_from=helps_from, seed=1), routes(helps_from=helps_from, seed=2), STATED)
    assert found.preferred.cold_below == helps_from
    assert found.change
    assert found.summary().startswith(f"change 5 and 20 to {helps_from} and ")


def test_where_the_stated_limit_is_right_it_is_kept_without_a_word_of_chance():
    found = prefer(routes(helps_from=5, lots=0.01), routes(helps_from=5, lots=0.01, seed=2), STATED)
    assert found.preferred == STATED
    assert not found.change
    assert found.summary() == "keep 5 and 20: validation prefers no other pair (600 people)"


@pytest.mark.parametrize("seed", range(8))
def test_without_any_signal_the_best_of_many_pairs_is_not_believed(seed):
    def lots(part: int) -> Routes:
        rng = np.random.default_rng(100 * seed + part)
        return Routes(rng.integers(0, 40, 300), *rng.uniform(0, 1, (3, 300)))

    found = prefer(lots(1), lots(2), STATED)
    assert found.chosen_on.mean > 0  # validation always prefers something
    assert not found.change
    assert found.summary().endswith("the difference may be chance")


def test_what_validation_prefers_must_hold_on_the_test_part():
    found = prefer(routes(helps_from=10), routes(helps_from=5, seed=2), STATED)
    assert found.chosen_on.sure
    assert found.confirmed_on.surely_worse
    assert not found.change


def test_a_gain_of_a_few_people_is_told_and_not_believed():
    few = Routes(np.array([3] * 5 + [30] * 95), np.zeros(100), np.ones(100), np.ones(100))
    found = prefer(few, few, STATED)
    assert found.preferred != STATED
    assert not found.change
    assert "but only 5 users would see a difference" in found.summary()


def test_the_test_part_chooses_nothing():
    valid = routes(helps_from=10)
    shuffled = [prefer(valid, routes(helps_from=limit, seed=limit), STATED).preferred for limit in (1, 5, 30)]
    assert len(set(shuffled)) == 1


def test_a_limit_that_makes_no_difference_stays_where_it_is():
    found = prefer(routes(helps_from=10), routes(helps_from=10, seed=2), STATED)
    assert found.preferred == Thresholds(10, 20)


@given(st.integers(0, 60), st.integers(0, 60))
def test_every_pair_of_the_grid_and_the_stated_one_first_is_tried_once(one, other):
    stated = Thresholds(min(one, other), max(one, other))
    tried = list(pairs(stated))
    assert tried[0] == stated
    assert len(set(tried)) == len(tried)
    assert {Thresholds(low, high) for low in GRID for high in GRID if low <= high} <= set(tried)


@given(st.lists(st.integers(0, 50), min_size=1, max_size=30), st.integers(0, 20), st.integers(0, 20))
def test_everybody_is_routed_once_as_the_router_does(counts, low, more):
    n = len(counts)
    all_ways = Routes(np.array(counts), np.full(n, 1.0), np.full(n, 2.0), np.full(n, 3.0))
    expected = [1.0 if count < low else 2.0 if count < low + more else 3.0 for count in counts]
    assert all_ways.under(Thresholds(low, low + more)).tolist() == expected


def test_nobody_measured_keeps_what_is_stated():
    nobody = Routes(np.empty(0, dtype=np.int64), *(np.empty(0) for _ in range(3)))
    assert not prefer(nobody, nobody, STATED).change


def test_a_pair_is_told_as_who_goes_first_for_whom():
    assert STATED.means("content", "als", "ensemble") == "content below 5, als below 20, then ensemble"
    assert Thresholds(0, 0).means("content", "als", "ensemble") == "ensemble for all users"
    assert Thresholds(7, 7).means("content", "als", "ensemble") == "content below 7, then ensemble"
