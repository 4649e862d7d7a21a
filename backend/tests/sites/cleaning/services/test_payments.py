"""Money is kept ready once, and then taken or given back once."""

from decimal import Decimal
from typing import Any

import pytest
from django.db import IntegrityError, transaction

from recommendation_service.errors import Conflict
from sites.cleaning.models import Payment
from sites.cleaning.services import payments
from tests.sites.cleaning import marketplace

pytestmark = pytest.mark.django_db


@pytest.mark.parametrize(("amount", "fee"), [("66.00", "9.90"), ("0.03", "0.00"), ("0.10", "0.02"), ("33.37", "5.01")])
def test_the_fee_is_rounded_to_the_nearest_cent(amount: str, fee: str, settings: Any) -> None:
    settings.CLEANING_PLATFORM_FEE = 0.15
    assert payments.fee_of(Decimal(amount)) == Decimal(fee)


def test_what_was_taken_or_given_back_is_neither_again() -> None:
    job = marketplace.make_job()
    with pytest.raises(Conflict, match="no payment"):
        payments.capture(job)
    payments.authorise(job, Decimal(60))
    assert payments.capture(job).status == Payment.Status.SUCCEEDED
    for again in (payments.capture, payments.refund):
        with pytest.raises(Conflict, match="no payment"):
            again(job)
    other = marketplace.make_job()
    payments.authorise(other, Decimal(60))
    assert payments.refund(other).status == Payment.Status.REFUNDED
    with pytest.raises(Conflict):
        payments.capture(other)


def test_a_job_is_paid_for_once_and_references_differ() -> None:
    jobs = [marketplace.make_job() for _ in range(20)]
    made = {payments.authorise(job, Decimal(60)).reference for job in jobs}
    assert len(made) == 20
    with pytest.raises(IntegrityError), transaction.atomic():
        payments.authorise(jobs[0], Decimal(60))
