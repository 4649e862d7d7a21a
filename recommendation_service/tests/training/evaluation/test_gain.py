import numpy as np
import pytest

from recommendation_service.training.evaluation import metrics
from recommendation_service.training.evaluation.metrics import Gain, gain_of, signed


def test_a_gain_is_of_the_same_people_so_what_they_share_cancels_out():
    rng = np.random.default_rng(0)
    luck = rng.uniform(0, 1, 200)
    gain = gain_of(luck + 0.01, luck)
    assert gain.mean == pytest.approx(0.01)
    assert gain.sure
    assert gain.high - gain.low < 1e-9
    apart = metrics.bootstrap(luck + 0.01)
    assert apart[1] - apart[0] > 0.05  # unpaired, the same difference would drown


def test_a_difference_that_may_be_chance_is_neither_better_nor_worse():
    rng = np.random.default_rng(1)
    gain = gain_of(rng.normal(0, 1, 100), rng.normal(0, 1, 100))
    assert not gain.sure
    assert not gain.surely_worse
    assert gain_of(np.zeros(50), np.ones(50)).surely_worse


def test_a_wider_share_is_a_wider_interval():
    rng = np.random.default_rng(2)
    one, other = rng.normal(0, 1, 100), rng.normal(0, 1, 100)
    narrow, wide = gain_of(one, other), gain_of(one, other, share=0.99)
    assert wide.low < narrow.low < narrow.mean < narrow.high < wide.high


def test_nobody_gains_nothing_and_people_without_a_difference_are_counted_apart():
    assert gain_of(np.empty(0), np.empty(0)) == Gain(0.0, 0.0, 0.0, 0, 0)
    assert gain_of(np.array([1.0, 0, 0]), np.zeros(3)).people_with_difference == 1


def test_numbers_are_told_with_their_sign_and_zero_has_no_minus():
    assert (signed(-0.0041), signed(0.003), signed(-0.00001)) == ("-0.0041", "+0.0030", "+0.0000")
    assert Gain(0.012, 0.003, 0.021, 1412, 9).summary() == "+0.0120, +0.0030 to +0.0210; 1,412 people"
