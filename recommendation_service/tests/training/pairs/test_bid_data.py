from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from recommendation_service.datasets.pair_outcomes import BID
from recommendation_service.tests.support.bidding import auctions, pair_config
from recommendation_service.training.pairs.bid_data import bidding_so_far, read_bids
from recommendation_service.training.parameters import bid_parameters
from recommendation_service.use_cases.loader import load

PARAMETERS = bid_parameters(load("cleaning"))


def column(matches, name):
    return matches.numbers[:, matches.names.index(name)]


def changed(matches, name, rows, value):
    numbers = matches.numbers.copy()
    numbers[rows, matches.names.index(name)] = value
    return replace(matches, numbers=numbers)


def test_one_bid_a_job_has_won_and_its_rate_is_its_amount_an_hour():
    matches = auctions(30)
    won = read_bids(matches, pair_config(), PARAMETERS).won()
    assert len(won) == 30
    assert np.allclose(np.exp(won.rates) * won.units, column(matches, BID)[won.rows], rtol=1e-5)
    assert matches.chosen[won.rows].all()
    assert (np.diff(won.times) >= 0).all()


def test_bids_are_read_oldest_first_whatever_the_order_of_the_table():
    matches = auctions(20)
    mixed = matches.take(np.random.default_rng(3).permutation(len(matches)))
    assert (np.diff(read_bids(mixed, pair_config(), PARAMETERS).times) >= 0).all()


def test_the_bid_itself_is_nowhere_in_what_is_read():
    matches = auctions(20)
    before = read_bids(matches, pair_config(), PARAMETERS).won()
    raised = changed(matches, BID, matches.chosen, 3 * column(matches, BID)[matches.chosen])
    after = read_bids(raised, pair_config(), PARAMETERS).won()
    assert np.array_equal(before.table, after.table, equal_nan=True)
    assert not np.allclose(before.rates, after.rates)


@pytest.mark.parametrize("wrong", [0.0, -5.0, np.nan])
@pytest.mark.parametrize("name", [BID, "hours"])
def test_a_bid_without_an_amount_or_without_hours_is_left_out(name, wrong):
    matches = auctions(10)
    row = np.flatnonzero(matches.chosen)[4]
    assert len(read_bids(changed(matches, name, row, wrong), pair_config(), PARAMETERS).won()) == 9


def test_jobs_that_nobody_decided_on_and_verdicts_on_lists_teach_nothing():
    matches = auctions(10)
    undecided = replace(matches, decided=matches.groups != 2)
    assert len(read_bids(undecided, pair_config(), PARAMETERS).won()) == 9


@given(st.integers(0, 1000), st.integers(1, 6))
def test_the_bidding_so_far_is_some_of_the_others_and_never_ones_own(seed, bids):
    matches = auctions(12, bids=bids, seed=seed)
    pairs = bidding_so_far(matches, np.random.default_rng(seed))
    count, lowest, amount = pairs.number("bid_count"), pairs.number("lowest_bid"), pairs.number(BID)
    assert ((count >= 0) & (count < bids)).all()
    assert np.array_equal(count == 0, np.isnan(lowest))
    for row in np.flatnonzero(count > 0):
        others = (matches.groups == matches.groups[row]) & (np.arange(len(matches)) != row)
        assert lowest[row] in amount[others]
        assert (amount[others] <= lowest[row]).sum() >= 1


def test_the_bidding_is_told_at_every_stage_from_nobody_to_everybody():
    pairs = bidding_so_far(auctions(400), np.random.default_rng(0))
    shares = np.bincount(pairs.number("bid_count").astype(int), minlength=4) / pairs.n
    assert (np.abs(shares - 0.25) < 0.05).all()


def test_a_market_without_a_rate_is_unknown_and_not_free():
    matches = changed(auctions(10), "market_rate", slice(None), np.nan)
    assert np.isnan(read_bids(matches, pair_config(), PARAMETERS).market).all()


def test_an_export_without_any_bid_is_read_as_nothing():
    assert len(read_bids(auctions(5).take(np.zeros(0, dtype=np.int64)), pair_config(), PARAMETERS)) == 0
