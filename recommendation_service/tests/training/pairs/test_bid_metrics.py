import json
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from recommendation_service.tests.support.bidding import auctions, pair_config
from recommendation_service.training.pairs.bid_data import read_bids
from recommendation_service.training.pairs.bid_metrics import market_quantiles, measure, pinball, reach_of, wilson
from recommendation_service.training.parameters import bid_parameters
from recommendation_service.use_cases.loader import load

PARAMETERS = bid_parameters(load("cleaning"))
LEVELS = PARAMETERS.quantiles


def won(jobs=200, **more):
    return read_bids(auctions(jobs, **more), pair_config(), PARAMETERS).won()


def around(middle, down, up):
    return np.stack([middle - down, middle, middle + up], axis=1)


def test_advice_that_holds_eight_in_ten_is_said_to_hold_eight_in_ten():
    bids = won(10)
    bids = replace(bids, rates=np.linspace(-0.9, 0.9, 10))
    found = measure(around(np.zeros(10), 0.75, 0.75), bids, bids, PARAMETERS)
    assert (found.coverage, found.below, found.above) == pytest.approx((0.8, 0.1, 0.1))
    assert found.width == pytest.approx(np.exp(0.75) - np.exp(-0.75))
    assert found.coverage_interval == pytest.approx(wilson(8, 10))


def test_the_width_in_euros_counts_the_hours():
    bids = replace(won(4), units=np.array([1.0, 2.0, 3.0, 2.0]))
    found = measure(around(np.zeros(4), np.log(2), np.log(2)), bids, bids, PARAMETERS)
    assert found.width_euros == pytest.approx(1.5 * 2)


def test_the_pinball_loss_is_least_at_the_quantiles_themselves():
    rates = np.random.default_rng(0).normal(size=4000)
    best = np.tile(np.quantile(rates, LEVELS), (rates.size, 1))
    for shift in (-0.3, 0.3):
        assert pinball(best, rates, LEVELS) < pinball(best + shift, rates, LEVELS)


def test_the_market_baseline_follows_the_market_and_where_it_is_unknown_says_the_usual():
    older, newer = won(400), won(8, seed=5)
    newer = replace(newer, market=np.array([np.log(10), np.log(20), np.nan, *newer.market[3:]]))
    said = market_quantiles(older, newer, LEVELS)
    assert said[1] - said[0] == pytest.approx(np.log(2))
    assert said[2] == pytest.approx(np.quantile(older.rates, LEVELS))
    unknown = replace(older, market=np.full(len(older), np.nan))
    assert market_quantiles(unknown, newer, LEVELS)[2] == pytest.approx(np.quantile(older.rates, LEVELS))


@given(st.integers(20, 400), st.floats(0.1, 10), st.integers(0, 100))
def test_each_side_misses_no_more_than_its_share_of_the_bids_it_was_calibrated_on(n, scale, seed):
    rng = np.random.default_rng(seed)
    said, rates = around(np.zeros(n), scale, rng.uniform(0.1, 2, n)), rng.normal(size=n)
    down, up = reach_of(said, rates, LEVELS).astype(float)
    moved = around(np.zeros(n), scale * down, (said[:, 2]) * up)
    assert (rates < moved[:, 0] - 1e-6).mean() <= 0.1 + 1 / n
    assert (rates > moved[:, 2] + 1e-6).mean() <= 0.1 + 1 / n


def test_a_middle_that_lies_above_every_bid_never_turns_a_step_round():
    assert reach_of(around(np.full(50, 9.0), 1.0, 1.0), np.zeros(50), LEVELS)[1] == 0


def test_steps_of_no_length_break_nothing():
    assert np.isfinite(reach_of(around(np.zeros(30), 0.0, 0.0), np.linspace(-1, 1, 30), LEVELS)).all()


def test_what_a_manifest_is_told_is_json_and_names_the_interval():
    bids = won(50)
    told = measure(market_quantiles(bids, bids, LEVELS), bids, bids, PARAMETERS).to_dict()
    assert json.loads(json.dumps(told)) == told
    low, high = told["coverage_interval"]
    assert low < told["coverage"] < high


@pytest.mark.parametrize(("hits", "n", "low", "high"), [(0, 0, 0, 1), (8, 10, 0.490, 0.943), (0, 10, 0, 0.278)])
def test_the_interval_of_a_share_is_wilsons(hits, n, low, high):
    assert wilson(hits, n) == pytest.approx((low, high), abs=1e-3)
