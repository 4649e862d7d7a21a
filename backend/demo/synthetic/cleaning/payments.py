"""Payments as in Stripe: held when a cleaner is hired, captured when the work is done, else refunded."""

from dataclasses import dataclass

import numpy as np

from demo.synthetic.cleaning.bids import Bids
from demo.synthetic.cleaning.job_outcomes import Course
from demo.synthetic.simulation import Floats, Ints, Rng
from sites.cleaning.models import CleaningJob, Payment

LETTERS = np.array(list("0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"))
REFERENCE_LETTERS = 24
STATUSES = tuple(Payment.Status)


@dataclass(frozen=True, slots=True, eq=False)
class Payments:
    """(n,) columns in the order of hiring; amounts in cents. `status` is an index in STATUSES, `time` when it was reached."""

    job: Ints
    reference: list[str]
    cents: Ints
    fee_cents: Ints
    status: Ints
    time: Floats


def make_payments(rng: Rng, bids: Bids, course: Course, fee_share: float) -> Payments:
    """Make a payment for every job with a hired cleaner."""
    hired = np.flatnonzero(course.winner >= 0)
    job = hired[np.argsort(course.accepted[hired], kind="stable")]
    status = np.full(course.winner.size, STATUSES.index(Payment.Status.REQUIRES_CAPTURE))
    status[course.has(CleaningJob.Status.COMPLETED)] = STATUSES.index(Payment.Status.SUCCEEDED)
    status[course.has(CleaningJob.Status.CANCELLED, CleaningJob.Status.FAILED)] = STATUSES.index(Payment.Status.REFUNDED)
    cents = bids.cents[course.winner[job]]
    letters = LETTERS[rng.integers(LETTERS.size, size=(job.size, REFERENCE_LETTERS))]
    time = np.where(np.isnan(course.ended), course.accepted, course.ended)
    return Payments(
        job=job,
        reference=[f"pi_{''.join(row)}" for row in letters.tolist()],
        cents=cents,
        fee_cents=np.floor(cents * fee_share + 0.5).astype(np.int64),
        status=status[job],
        time=time[job],
    )
