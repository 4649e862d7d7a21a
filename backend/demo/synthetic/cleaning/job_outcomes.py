"""Outcomes of jobs: hired, confirmed, and completed, cancelled or failed; or still open at the end of the window."""

from dataclasses import dataclass

import numpy as np

from demo.synthetic.cleaning.bids import Bids
from demo.synthetic.cleaning.constants import TROUBLE_SHARE, tier_column
from demo.synthetic.cleaning.jobs import Jobs
from demo.synthetic.cleaning.people import Cleaners
from demo.synthetic.simulation import DAY_S, HOUR_S, Bools, Floats, Ints, Rng, drawn, drawn_without_replacement
from sites.cleaning.models import CleaningJob

Status = CleaningJob.Status
STATUSES = tuple(Status)
TAKEN_BACK, BY_CLIENT, BY_CLEANER, NO_SHOW = range(1, 5)  # kinds of trouble; 0: none
_TROUBLE = {TAKEN_BACK: 0.15, BY_CLIENT: 0.35, BY_CLEANER: 0.25, NO_SHOW: 0.25}
THINKS_H = (4.0, 144.0)  # hours that clients need to choose after the last bid
_WANTED_AT = [3, 6, 6, 5, 3, 3, 4, 4, 3, 2, 1]  # weights of the hours from 8 on
_FIRST_HOUR = 8


@dataclass(frozen=True, slots=True, eq=False)
class Course:
    """(n,) columns. Times are NaN if the event did not happen; `winner` is a bid, or -1 if no cleaner is hired."""

    status: Ints  # index in STATUSES
    winner: Ints
    wanted_for: Floats
    accepted: Floats
    confirmed: Floats
    ended: Floats
    by_cleaner: Bools
    on_time: Bools  # of the completed only
    photos: Ints

    def has(self, *statuses: CleaningJob.Status) -> Bools:
        """Return (n,) True where a job has one of these statuses."""
        return np.isin(self.status, [STATUSES.index(status) for status in statuses])


def run(rng: Rng, jobs: Jobs, bids: Bids, winner: Ints, cleaners: Cleaners, until: float) -> Course:
    """Simulate every job until `until`."""
    n = winner.size
    tier = cleaners.tier[bids.cleaner[winner]]
    trouble = _trouble(rng, tier_column("trouble")[tier])
    last_bid = bids.time[bids.start[1:] - 1]
    decided = np.floor(last_bid + rng.uniform(*THINKS_H, size=n) * HOUR_S)
    wanted_for = _wanted(rng, decided)
    confirmed = np.floor(np.minimum(decided + rng.uniform(0.5, 20, size=n) * HOUR_S, wanted_for - 2 * HOUR_S))
    on_time = rng.random(n) < tier_column("on_time")[tier]
    ended = _ended(rng, trouble, decided, wanted_for, jobs.hours, on_time)
    photos = np.where(rng.random(n) < tier_column("photos")[tier], rng.integers(1, 9, size=n), 0)
    hired = (trouble != TAKEN_BACK) & (decided <= until)
    confirmed[(trouble == TAKEN_BACK) | (confirmed > np.minimum(ended, until))] = np.nan
    over = ended <= until
    done = over & (trouble == 0)
    return Course(
        status=_status(bids, hired, ~np.isnan(confirmed), over, trouble, until),
        winner=np.where(hired, winner, -1),
        wanted_for=wanted_for,
        accepted=np.where(hired, decided, np.nan),
        confirmed=confirmed,
        ended=np.where(over, ended, np.nan),
        by_cleaner=over & (trouble == BY_CLEANER),
        on_time=done & on_time,
        photos=np.where(done, photos, 0),
    )


def _trouble(rng: Rng, weights: Floats) -> Ints:
    """Return (n,) kinds of trouble for TROUBLE_SHARE of the jobs: those by cleaners weighted by tier, the others at random."""
    trouble = np.zeros(weights.size, dtype=np.int64)
    counts = {kind: round(TROUBLE_SHARE * share * weights.size) for kind, share in _TROUBLE.items()}
    for kind, count in counts.items():
        likely = weights if kind in (BY_CLEANER, NO_SHOW) else np.ones(weights.size)
        trouble[drawn_without_replacement(rng, np.where(trouble == 0, likely, 0.0), count)] = kind
    return trouble


def _wanted(rng: Rng, decided: Floats) -> Floats:
    """Return a full hour of a day between one and twelve days later."""
    day = np.floor(decided / DAY_S) + rng.integers(2, 13, size=decided.size)
    return np.asarray(day * DAY_S + (_FIRST_HOUR + drawn(rng, _WANTED_AT, decided.size)) * HOUR_S)


def _ended(rng: Rng, trouble: Ints, decided: Floats, wanted_for: Floats, hours: Floats, on_time: Bools) -> Floats:
    """Return when jobs end: completed after the work, no-shows soon after the start, cancellations before the day."""
    n = trouble.size
    late = np.where(on_time, 0.0, rng.uniform(0.5, 2.5, size=n))
    share = rng.random(n)
    ended = wanted_for + (hours + late) * HOUR_S
    cancelled = decided + HOUR_S + share * (wanted_for - decided - 3 * HOUR_S)
    ended = np.where((trouble == BY_CLIENT) | (trouble == BY_CLEANER), cancelled, ended)
    ended = np.where(trouble == NO_SHOW, wanted_for + (1.0 + share) * HOUR_S, ended)
    return np.floor(np.where(trouble == TAKEN_BACK, decided, ended))


def _status(bids: Bids, hired: Bools, confirmed: Bools, over: Bools, trouble: Ints, until: float) -> Ints:
    """Return (n,) indices in STATUSES, the latest that applies."""
    has_bids = bids.time[bids.start[:-1]] <= until
    badly = np.where(trouble == NO_SHOW, STATUSES.index(Status.FAILED), STATUSES.index(Status.CANCELLED))
    return np.select(
        [over & (trouble > 0), over, confirmed, hired, has_bids],
        [badly, *(STATUSES.index(status) for status in (Status.COMPLETED, Status.CONFIRMED, Status.ACCEPTED, Status.BIDDING))],
        STATUSES.index(Status.OPEN),
    )
