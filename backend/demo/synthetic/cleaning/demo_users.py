"""Whom the page lists first: people of the marketplace with nothing, a little and much behind them."""

from typing import NamedTuple

import numpy as np

from demo.synthetic.cleaning.market import Market
from demo.synthetic.simulation import Bools, Ints
from sites.cleaning.models import CleaningJob

FEW = 3


class Shown(NamedTuple):
    """Places of clients and cleaners."""

    clients: frozenset[int]
    cleaners: frozenset[int]


def jobs_each(market: Market) -> Ints:
    """(cleaners,) how many jobs each was hired for."""
    hired = market.course.winner[market.course.winner >= 0]
    return np.bincount(market.bids.cleaner[hired], minlength=market.sizes.cleaners)


def shown_first(market: Market) -> Shown:
    """Clients who wait for bids where there are any, and cleaners of different tiers who take jobs."""
    posted = np.bincount(market.jobs.client, minlength=market.sizes.clients)
    waiting = market.jobs.client[market.course.has(*CleaningJob.OFFERED)]
    waits = np.bincount(waiting, minlength=market.sizes.clients) > 0
    clients = _one_of_each(posted, waits, np.zeros_like(posted))
    cleaners = _one_of_each(jobs_each(market), np.isinf(market.cleaners.away_from), market.cleaners.tier)
    return Shown(frozenset(clients), frozenset(cleaners))


def _one_of_each(counts: Ints, rather: Bools, kind: Ints) -> list[int]:
    """The busiest two, of different kinds where there are any; one with a few; one with none. `rather` goes first."""
    busiest = np.lexsort((-counts, ~rather))
    busiest = busiest[counts[busiest] > FEW]
    chosen: list[int] = busiest[:1].tolist()
    others = [row for row in busiest[1:].tolist() if kind[row] != kind[chosen[0]]] or busiest[1:].tolist()
    chosen += others[:1]
    for fits in ((counts > 0) & (counts <= FEW), counts == 0):
        chosen += np.flatnonzero(fits)[np.argsort(~rather[fits], kind="stable")][:1].tolist()
    return chosen
