"""Bids: which cleaners bid for which job, how much, and when."""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from demo.synthetic.cleaning.constants import LEAST_BIDS, MOST_BIDS, VARIATION, size_factor, tier_column
from demo.synthetic.cleaning.jobs import Jobs
from demo.synthetic.cleaning.locations import km_between
from demo.synthetic.cleaning.people import Cleaners
from demo.synthetic.simulation import HOUR_S, Floats, Ints, Rng

LURE = {"favourite": 1.3, "km": -1 / 4.0, "too far": -9.0, "not eco": -9.0, "below the price": -2.0}  # in logs
SLOWEST_H = 72.0
PAIRS_AT_ONCE = 2_000_000


@dataclass(frozen=True, slots=True, eq=False)
class Bids:
    """(n,) columns, job by job, within a job the soonest first. `start` is (jobs + 1,): job j has start[j]:start[j+1]."""

    job: Ints
    cleaner: Ints
    cents: Ints
    delay_h: Floats  # after the job was posted
    time: Floats
    start: Ints


def make_bids(rng: Rng, jobs: Jobs, cleaners: Cleaners, say: Callable[[str], None]) -> Bids:
    """Make 3 to 8 bids per job, by cleaners who are near, prefer the kind of property and accept the budget."""
    n, step = jobs.posted.size, max(1, PAIRS_AT_ONCE // cleaners.rate.size)
    wanted = rng.integers(LEAST_BIDS, MOST_BIDS + 1, size=n)
    bidders = np.empty((n, MOST_BIDS), dtype=np.int64)
    for first in range(0, n, step):
        some = slice(first, min(first + step, n))
        bidders[some] = _bidders(rng, _lure(jobs, cleaners, some))
        if 10 * some.stop // n > 10 * first // n and n > step:
            say(f"bids of {some.stop:,} of {n:,} jobs")
    taken = np.arange(MOST_BIDS) < wanted[:, None]
    job, cleaner = np.repeat(np.arange(n), wanted), bidders[taken]
    delay_h = _delays(rng, jobs, cleaners, job, cleaner)
    order = np.lexsort((delay_h, job))
    job, cleaner, delay_h = job[order], cleaner[order], delay_h[order]
    start = np.concatenate([[0], np.cumsum(wanted)])
    cents = np.round(100 * base_price(jobs, cleaners, job, cleaner) * rng.uniform(*VARIATION, size=job.size))
    return Bids(job, cleaner, cents.astype(np.int64), delay_h, np.ceil(jobs.posted[job] + delay_h * HOUR_S), start)


def base_price(jobs: Jobs, cleaners: Cleaners, job: Ints, cleaner: Ints) -> Floats:
    """Return € before variation: hourly rate times hours times the factor of the size."""
    return np.asarray(cleaners.rate[cleaner] * jobs.hours[job] * size_factor(jobs.size_m2[job]))


def _lure(jobs: Jobs, cleaners: Cleaners, some: slice) -> Floats:
    """Return (jobs, cleaners) how attractive each job is for each cleaner, in logs; -inf for absent cleaners."""
    spots = jobs.spots
    km = km_between(spots.latitude[some], spots.longitude[some], cleaners.spots.latitude, cleaners.spots.longitude)
    price = (jobs.hours * size_factor(jobs.size_m2))[some, None] * cleaners.rate
    posted = jobs.posted[some, None]
    with np.errstate(divide="ignore"):
        lure = np.log(cleaners.eagerness) + LURE["km"] * km
    lure += LURE["favourite"] * (jobs.kind[some, None] == cleaners.favourite)
    lure += LURE["too far"] * (km > cleaners.reach_km) + LURE["not eco"] * (jobs.eco[some, None] & ~cleaners.eco)
    lure += LURE["below the price"] * np.maximum(price / jobs.budget[some, None] - 1.0, 0.0)
    lure[(posted < cleaners.joined) | (posted >= cleaners.away_from)] = -np.inf
    return lure


def _bidders(rng: Rng, lure: Floats) -> Ints:
    """Return (jobs, MOST_BIDS) different cleaners per job, drawn by attraction; see `drawn_without_replacement`."""
    keys = lure + rng.gumbel(size=lure.shape)
    best = np.argpartition(-keys, MOST_BIDS - 1, axis=1)[:, :MOST_BIDS]
    order = np.argsort(-np.take_along_axis(keys, best, axis=1), axis=1, kind="stable")
    return np.take_along_axis(best, order, axis=1)


def _delays(rng: Rng, jobs: Jobs, cleaners: Cleaners, job: Ints, cleaner: Ints) -> Floats:
    """Return hours until each bid; better tiers bid sooner."""
    usual = tier_column("answers_h")[cleaners.tier[cleaner]] * jobs.patience[job]
    return np.clip(usual * rng.lognormal(0.0, 0.8, size=job.size), 0.05, SLOWEST_H)
