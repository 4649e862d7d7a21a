"""Distributions of the synthetic marketplace: kinds of property, districts, tiers, budgets, and outcomes of jobs."""

from collections.abc import Iterator

import numpy as np

from demo.synthetic.cleaning.constants import BUDGETS, KINDS, TIERS
from demo.synthetic.cleaning.demo_users import jobs_each
from demo.synthetic.cleaning.job_outcomes import STATUSES
from demo.synthetic.cleaning.locations import DISTRICTS
from demo.synthetic.cleaning.market import Market
from demo.synthetic.simulation import Ints
from sites.cleaning.models import CleaningJob

Status = CleaningJob.Status


def summary_lines(market: Market) -> Iterator[str]:
    """Yield lines to print. The effective number of districts is exp of the entropy of their shares."""
    jobs, course = market.jobs, market.course
    winners = market.cleaners.tier[market.bids.cleaner[course.winner[course.winner >= 0]]]
    yield _shares("jobs by property type", tuple(KINDS), jobs.kind)
    yield _by_district(jobs.spots.district)
    yield _shares("cleaners by tier", tuple(TIERS), market.cleaners.tier)
    yield _shares("hired by tier", tuple(TIERS), winners)
    yield _shares("clients by budget", tuple(BUDGETS), market.clients.budget)
    yield _shares("jobs by status", STATUSES, course.status)
    done, over = course.has(Status.COMPLETED), course.has(*CleaningJob.OVER)
    completed, reviewed = done.sum() / max(over.sum(), 1), market.reviews.job.size / max(done.sum(), 1)
    yield f"of those over {completed:.1%} completed, {reviewed:.1%} of these reviewed"
    idle = int(np.sum(jobs_each(market) == 0))
    yield f"cold: {idle} cleaners never hired, {market.sizes.clients - np.unique(jobs.client).size} clients without a job"


def _by_district(numbers: Ints) -> str:
    counts = np.bincount(numbers, minlength=len(DISTRICTS))
    largest, shares = int(np.argmax(counts)), counts[counts > 0] / counts.sum()
    mixed = np.exp(-np.sum(shares * np.log(shares)))
    return (
        f"jobs by district: {shares.size} of {len(DISTRICTS)}, as mixed as {mixed:.0f} equal ones, "
        f"at most {counts[largest] / counts.sum():.1%} ({DISTRICTS[largest].name})"
    )


def _shares(title: str, names: tuple[str, ...], numbers: Ints) -> str:
    counts = np.bincount(numbers, minlength=len(names))
    parts = (f"{name} {count / max(counts.sum(), 1):.1%}" for name, count in zip(names, counts.tolist(), strict=True))
    return f"{title}: {', '.join(parts)}"
