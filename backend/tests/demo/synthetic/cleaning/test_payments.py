"""What was paid: in Stripe's words, with the platform's fee, given back where the work was not done."""

from dataclasses import replace

import numpy as np
import pytest

from demo.synthetic.cleaning.market import Market, make_market
from demo.synthetic.cleaning.payments import STATUSES
from sites.cleaning.models import CleaningJob, Payment
from tests.demo.synthetic.cleaning.conftest import sized

Status = CleaningJob.Status


def test_every_hired_cleaners_job_has_one_payment_of_what_they_asked(market: Market) -> None:
    payments, course = market.payments, market.course
    assert np.array_equal(np.sort(payments.job), np.flatnonzero(course.winner >= 0))
    assert np.array_equal(payments.cents, market.bids.cents[course.winner[payments.job]])
    assert np.all(np.diff(course.accepted[payments.job]) >= 0)


def test_the_platform_keeps_fifteen_percent_to_the_cent(market: Market) -> None:
    assert np.all(np.abs(market.payments.fee_cents - 0.15 * market.payments.cents) <= 0.5)


def test_another_fee_changes_nothing_but_the_fees() -> None:
    small = sized(60, 20, 10)
    usual, dearer = (make_market(1, sizes) for sizes in (small, replace(small, fee_share=0.2)))
    assert np.array_equal(usual.payments.cents, dearer.payments.cents)
    assert usual.payments.reference == dearer.payments.reference
    assert np.all(dearer.payments.fee_cents > usual.payments.fee_cents)


@pytest.mark.parametrize(
    ("payment", "jobs"),
    [
        (Payment.Status.REQUIRES_CAPTURE, (Status.ACCEPTED, Status.CONFIRMED)),
        (Payment.Status.SUCCEEDED, (Status.COMPLETED,)),
        (Payment.Status.REFUNDED, (Status.CANCELLED, Status.FAILED)),
    ],
)
def test_money_is_held_then_taken_when_the_work_is_done_else_given_back(
    market: Market, payment: Payment.Status, jobs: tuple[Status, ...]
) -> None:
    of_status = market.payments.status == STATUSES.index(payment)
    assert of_status.any()
    assert np.array_equal(of_status, market.course.has(*jobs)[market.payments.job])


def test_a_payment_is_of_the_moment_when_it_came_to_that(market: Market) -> None:
    course, payments = market.course, market.payments
    ended = course.ended[payments.job]
    held = payments.status == STATUSES.index(Payment.Status.REQUIRES_CAPTURE)
    assert np.array_equal(payments.time[held], course.accepted[payments.job][held])
    assert np.array_equal(payments.time[~held], ended[~held])


def test_references_look_like_stripes_and_are_unique(market: Market) -> None:
    references = market.payments.reference
    assert len(set(references)) == len(references)
    assert all(one.startswith("pi_") and one[3:].isalnum() and len(one) == 27 for one in references)
