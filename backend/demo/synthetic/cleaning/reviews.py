"""Reviews of completed jobs."""

from dataclasses import dataclass

import numpy as np

from demo.synthetic.cleaning.bids import Bids
from demo.synthetic.cleaning.constants import REVIEWED_SHARE, tier_column
from demo.synthetic.cleaning.hiring import cleans
from demo.synthetic.cleaning.job_outcomes import Course
from demo.synthetic.cleaning.jobs import Jobs
from demo.synthetic.cleaning.people import Cleaners, Clients
from demo.synthetic.simulation import DAY_S, Floats, Ints, Rng
from sites.cleaning.models import CleaningJob

LATE_MARKS = -0.6  # of a late job
CHANCE = 0.45
USUAL_DAYS, LONGEST_DAYS = 0.8, 12.0  # after the work


@dataclass(frozen=True, slots=True, eq=False)
class Reviews:
    """(n,) columns, the oldest first. `marks` is (n, 4): quality, communication, professionalism, timeliness."""

    job: Ints
    overall: Ints
    marks: Ints
    time: Floats


def make_reviews(
    rng: Rng, jobs: Jobs, bids: Bids, course: Course, cleaners: Cleaners, clients: Clients, until: float
) -> Reviews:
    """Review most completed jobs; the overall mark is within the tier's range, the others differ by at most one."""
    job = np.flatnonzero(course.has(CleaningJob.Status.COMPLETED))
    job = job[rng.random(job.size) < REVIEWED_SHARE]
    days = np.minimum(USUAL_DAYS * rng.lognormal(0.0, 0.9, size=job.size), LONGEST_DAYS)
    time = np.floor(course.ended[job] + days * DAY_S)
    order = np.argsort(time, kind="stable")[: int(np.sum(time <= until))]
    job, time = job[order], time[order]
    cleaner = bids.cleaner[course.winner[job]]
    late = ~course.on_time[job]
    felt = cleans(jobs, cleaners, clients, job, cleaner) + clients.mildness[jobs.client[job]] + LATE_MARKS * late
    bounds = tier_column("marks")[cleaners.tier[cleaner]]
    overall = np.clip(np.round(felt + rng.normal(0.0, CHANCE, size=job.size)), bounds[:, 0], bounds[:, 1])
    off = cleaners.strengths[cleaner] + rng.normal(0.0, CHANCE, size=(job.size, 4))
    off[:, 3] -= late
    marks = np.clip(overall[:, None] + np.clip(np.round(off), -1, 1), 1, 10)
    return Reviews(job, overall.astype(np.int64), marks.astype(np.int64), time)
