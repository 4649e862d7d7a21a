"""Who bids, how much and how soon."""

import numpy as np
import pytest

from demo.synthetic.cleaning import bids as making
from demo.synthetic.cleaning.bids import base_price, make_bids
from demo.synthetic.cleaning.locations import km_between
from demo.synthetic.cleaning.market import Market


def pairs_km(market: Market) -> np.ndarray:
    """(bids,) kilometres between the bidder and the job."""
    there, here = market.jobs.spots, market.cleaners.spots
    km = km_between(there.latitude, there.longitude, here.latitude, here.longitude)
    return np.asarray(km[market.bids.job, market.bids.cleaner])


def test_every_job_gets_three_to_eight_bids_of_different_cleaners(market: Market) -> None:
    counts = np.diff(market.bids.start)
    assert (counts.min(), counts.max()) == (3, 8)
    assert np.bincount(counts)[3:].min() > 600
    pairs = market.bids.job * 1000 + market.bids.cleaner
    assert np.unique(pairs).size == pairs.size


def test_bids_stand_job_by_job_the_soonest_first(market: Market) -> None:
    bids = market.bids
    assert np.array_equal(np.repeat(np.arange(5000), np.diff(bids.start)), bids.job)
    same = np.diff(bids.job) == 0
    assert np.all(np.diff(bids.delay_h)[same] >= 0)
    assert np.all(bids.time >= market.jobs.posted[bids.job])


def test_a_price_is_rate_times_hours_times_size_and_varies_from_90_to_115_percent(market: Market) -> None:
    bids, jobs = market.bids, market.jobs
    size = 0.9 + np.minimum(jobs.size_m2[bids.job] / 1000, 0.35)
    base = market.cleaners.rate[bids.cleaner] * jobs.hours[bids.job] * size
    assert base_price(jobs, market.cleaners, bids.job, bids.cleaner) == pytest.approx(base)
    share = bids.cents / 100 / base
    cent = 0.005 / base
    assert np.all((share >= 0.90 - cent) & (share <= 1.15 + cent))
    assert np.quantile(share, [0.05, 0.5, 0.95]) == pytest.approx([0.9125, 1.025, 1.1375], abs=0.005)


def test_the_better_the_tier_the_sooner_they_answer(market: Market) -> None:
    tier = market.cleaners.tier[market.bids.cleaner]
    premium, experienced, average, budget = (float(np.median(market.bids.delay_h[tier == one])) for one in range(4))
    assert premium < 3 < experienced < average < budget
    assert market.bids.delay_h.max() <= 72


def test_cleaners_bid_near_them(market: Market) -> None:
    there, here = market.jobs.spots, market.cleaners.spots
    anybody = km_between(there.latitude, there.longitude, here.latitude, here.longitude)
    assert np.median(pairs_km(market)) < 0.6 * np.median(anybody)


def test_next_to_nobody_travels_further_than_they_say(market: Market) -> None:
    assert np.mean(pairs_km(market) > market.cleaners.reach_km[market.bids.cleaner]) < 0.002


def test_cleaners_bid_for_the_kind_they_like_best(market: Market) -> None:
    bids, jobs, cleaners = market.bids, market.jobs, market.cleaners
    shares = np.bincount(jobs.kind, minlength=5) / jobs.kind.size
    by_chance = shares[cleaners.favourite[bids.cleaner]].mean()
    assert np.mean(jobs.kind[bids.job] == cleaners.favourite[bids.cleaner]) > 1.8 * by_chance


def test_next_to_nobody_without_eco_friendly_products_bids_where_they_are_wanted(market: Market) -> None:
    wanted = market.jobs.eco[market.bids.job]
    assert market.cleaners.eco[market.bids.cleaner[wanted]].mean() > 0.99
    assert market.cleaners.eco[market.bids.cleaner[~wanted]].mean() < 0.7


def test_the_dear_bid_less_where_the_budget_is_small(market: Market) -> None:
    tight = market.jobs.budget / market.jobs.hours < 17
    premium = market.cleaners.tier[market.bids.cleaner] == 0
    where = tight[market.bids.job]
    assert premium[where].mean() < 0.7 * premium[~where].mean()


def test_nobody_bids_before_joining_after_leaving_or_without_ever_bidding(market: Market) -> None:
    bids, cleaners = market.bids, market.cleaners
    posted = market.jobs.posted[bids.job]
    assert np.all(posted >= cleaners.joined[bids.cleaner])
    assert np.all(posted < cleaners.away_from[bids.cleaner])
    assert np.all(cleaners.eagerness[bids.cleaner] > 0)


def test_a_large_market_is_made_piece_by_piece_and_says_how_far_it_is(market: Market, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(making, "PAIRS_AT_ONCE", 200 * 2000)
    said: list[str] = []
    again = make_bids(np.random.default_rng(5), market.jobs, market.cleaners, said.append)
    assert said == ["bids of 2,000 of 5,000 jobs", "bids of 4,000 of 5,000 jobs", "bids of 5,000 of 5,000 jobs"]
    monkeypatch.setattr(making, "PAIRS_AT_ONCE", 200 * 50)
    make_bids(np.random.default_rng(5), market.jobs, market.cleaners, said.append)
    assert len(said) == 3 + 10
    monkeypatch.undo()
    whole = make_bids(np.random.default_rng(5), market.jobs, market.cleaners, said.append)
    assert np.array_equal(again.cleaner, whole.cleaner)
    assert len(said) == 3 + 10
