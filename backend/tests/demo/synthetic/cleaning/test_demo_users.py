"""Whom the page lists first."""

import numpy as np

from demo.synthetic.cleaning.demo_users import jobs_each, shown_first
from demo.synthetic.cleaning.market import Market, make_market
from sites.cleaning.models import CleaningJob
from tests.demo.synthetic.cleaning.conftest import sized


def test_a_handful_of_each_with_nothing_a_little_and_much_behind_them(market: Market) -> None:
    first = shown_first(market)
    posted, won = np.bincount(market.jobs.client, minlength=500), jobs_each(market)
    for counts, places in ((posted, first.clients), (won, first.cleaners)):
        found = sorted(int(counts[place]) for place in places)
        assert len(found) == 4
        assert found[0] == 0 < found[1] <= 3 < 10 < found[2] <= found[3]


def test_busy_clients_wait_for_bids_and_cleaners_take_jobs(market: Market) -> None:
    first = shown_first(market)
    waiting = set(market.jobs.client[market.course.has(*CleaningJob.OFFERED)].tolist())
    posted = np.bincount(market.jobs.client, minlength=500)
    assert all(place in waiting for place in first.clients if posted[place] > 3)
    assert all(np.isinf(market.cleaners.away_from[place]) for place in first.cleaners)


def test_the_busiest_cleaners_shown_are_of_different_tiers(market: Market) -> None:
    won = jobs_each(market)
    busy = [place for place in shown_first(market).cleaners if won[place] > 3]
    assert len({int(market.cleaners.tier[place]) for place in busy}) == 2


def test_jobs_are_counted_for_who_was_hired(market: Market) -> None:
    assert jobs_each(market).sum() == np.sum(market.course.winner >= 0)


def test_a_small_marketplace_shows_whom_it_has() -> None:
    first = shown_first(make_market(1, sized(20, 20, 10)))
    assert 1 <= len(first.clients) <= 4
    assert 1 <= len(first.cleaners) <= 4
