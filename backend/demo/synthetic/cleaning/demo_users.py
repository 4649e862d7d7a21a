"""The people that the page lists first: with no, few and many jobs."""

from typing import NamedTuple

import numpy as np

from demo.synthetic.cleaning.market import Market
from demo.synthetic.simulation import Bools, Ints
from sites.cleaning.models import CleaningJob

FEW = 3


class Shown(NamedTuple):
    """Rows of clients and cleaners."""

    clients: frozenset[int]
    cleaners: frozenset[int]


def jobs_each(market: Market) -> Ints:
    """Return (cleaners,) how many jobs each was hired for."""
    hired = market.course.winner[market.course.winner >= 0]
    return np.bincount(market.bids.cleaner[hired], minlength=market.sizes.cleaners)


def shown_first(market: Market) -> Shown:
    """Choose clients who wait for bids if there are any, and cleaners of different tiers who take jobs."""
    posted = np.bincount(market.jobs.client, minlength=market.sizes.clients)
    waiting = market.jobs.client[market.course.has(*CleaningJob.OFFERED)]
    waits = np.bincount(waiting, minlength=market.sizes.clients) > 0
    clients = _by_activity(posted, waits, np.zeros_like(posted))
    cleaners = _by_activity(jobs_each(market), np.isinf(market.cleaners.away_from), market.cleaners.tier)
    return Shown(frozenset(clients), frozenset(cleaners))


def _by_activity(counts: Ints, rather: Bools, kind: Ints) -> list[int]:
    """Choose the busiest two, of different kinds if possible, a row with few and a row with none. `rather` is preferred."""
    busiest = np.lexsort((-counts, ~rather))
    busiest = busiest[counts[busiest] > FEW]
    chosen: list[int] = busiest[:1].tolist()
    others = [row for row in busiest[1:].tolist() if kind[row] != kind[chosen[0]]] or busiest[1:].tolist()
    chosen += others[:1]
    for fits in ((counts > 0) & (counts <= FEW), counts == 0):
        chosen += np.flatnonzero(fits)[np.argsort(~rather[fits], kind="stable")][:1].tolist()
    return chosen
