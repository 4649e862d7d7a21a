"""Whom clients choose: by budget, by how soon, and by chance."""

import numpy as np
import pytest

from demo.synthetic.cleaning.hiring import choose, cleans
from demo.synthetic.cleaning.market import Market

HIGH, MEDIUM, LOW = range(3)


@pytest.fixture(scope="module")
def winner(market: Market) -> np.ndarray:
    """(jobs,) the bid that wins, whatever became of it."""
    return choose(np.random.default_rng(9), market.jobs, market.bids, market.cleaners, market.clients)


def budget_of(market: Market) -> np.ndarray:
    """(jobs,) of the client."""
    return market.clients.budget[market.jobs.client]


def test_every_job_is_won_by_a_bid_of_its_own(market: Market, winner: np.ndarray) -> None:
    assert np.array_equal(market.bids.job[winner], np.arange(5000))


def test_the_smaller_the_budget_the_more_often_the_cheapest_wins(market: Market, winner: np.ndarray) -> None:
    cheapest = np.minimum.reduceat(market.bids.cents, market.bids.start[:-1])
    won = market.bids.cents[winner] == cheapest
    high, medium, low = (float(won[budget_of(market) == one].mean()) for one in (HIGH, MEDIUM, LOW))
    assert high < 0.15 < medium < low
    assert low > 0.6


def test_the_larger_the_budget_the_better_the_cleaner(market: Market, winner: np.ndarray) -> None:
    skill = market.cleaners.skill[market.bids.cleaner]
    best = np.maximum.reduceat(skill, market.bids.start[:-1])
    won, mean = skill[winner] >= best, skill[winner]
    of_budget = [budget_of(market) == one for one in (HIGH, MEDIUM, LOW)]
    high, medium, low = (float(won[which].mean()) for which in of_budget)
    assert high > 0.5 > medium > low
    assert mean[of_budget[HIGH]].mean() > mean[of_budget[MEDIUM]].mean() + 0.3 > mean[of_budget[LOW]].mean() + 0.6


@pytest.mark.parametrize("tier", range(4))
def test_among_equals_those_who_bid_within_six_hours_win_more_often(market: Market, winner: np.ndarray, tier: int) -> None:
    of_tier = market.cleaners.tier[market.bids.cleaner] == tier
    won = np.zeros(market.bids.job.size, dtype=bool)
    won[winner] = True
    early = market.bids.delay_h <= 6
    assert won[of_tier & early].mean() > 1.15 * won[of_tier & ~early].mean()


def test_after_the_early_birds_the_sooner_still_win_a_little_more_often(market: Market) -> None:
    """The timing bonus alone: the same bids at other moments, all after six hours, with the same chance."""
    shares = []
    for delay_h in (7.0, 70.0):
        late = np.maximum(market.bids.delay_h, 6.1)
        first = market.bids.start[:-1]
        late[first] = delay_h
        bids = type(market.bids)(
            market.bids.job, market.bids.cleaner, market.bids.cents, late, market.bids.time, market.bids.start
        )
        won = choose(np.random.default_rng(9), market.jobs, bids, market.cleaners, market.clients)
        shares.append(np.mean(won == first))
    assert shares[0] > shares[1] + 0.02


def test_chance_has_a_say(market: Market, winner: np.ndarray) -> None:
    other = choose(np.random.default_rng(10), market.jobs, market.bids, market.cleaners, market.clients)
    assert 0.05 < np.mean(other != winner) < 0.5


def test_people_clean_better_what_they_like_best(market: Market) -> None:
    job, cleaner = np.arange(5000), np.resize(np.arange(200), 5000)
    felt = cleans(market.jobs, market.cleaners, market.clients, job, cleaner) - market.cleaners.skill[cleaner]
    likes = market.jobs.kind == market.cleaners.favourite[cleaner]
    assert felt[likes].mean() - felt[~likes].mean() == pytest.approx(0.5, abs=0.05)
