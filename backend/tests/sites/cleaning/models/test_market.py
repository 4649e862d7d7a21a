"""What the marketplace's tables hold together by themselves."""

from decimal import Decimal

import pytest
from django.core.exceptions import ValidationError
from django.db import IntegrityError, transaction

from sites.cleaning.models import CleaningJob, Payment
from sites.cleaning.services.payments import fee_of
from tests.sites.cleaning.marketplace import make_job

pytestmark = pytest.mark.django_db
CENT = Decimal("0.01")


def payment(job: CleaningJob, amount: Decimal, fee: Decimal, payout: Decimal) -> Payment:
    return Payment(job=job, reference="pi_1", amount=amount, platform_fee=fee, payout=payout)


@pytest.mark.parametrize("cents", [1005, 1013, 1021, 4830, 1, 999_999_99])
def test_any_amount_may_be_paid_whatever_floating_numbers_make_of_it(cents: int) -> None:
    """SQLite keeps euros as floating numbers, in which 1.51 + 8.54 is not 10.05."""
    amount = Decimal(cents) * CENT
    fee = fee_of(amount)
    one = payment(make_job(), amount, fee, amount - fee)
    one.full_clean()
    one.save()
    one.refresh_from_db()
    assert one.platform_fee + one.payout == one.amount == amount


@pytest.mark.parametrize("off", [CENT, -CENT])
def test_fee_and_payout_that_miss_the_whole_by_a_cent_are_refused(off: Decimal) -> None:
    wrong = payment(make_job(), Decimal("48.30"), Decimal("7.25"), Decimal("41.05") + off)
    with pytest.raises(ValidationError):
        wrong.full_clean()
    with pytest.raises(IntegrityError), transaction.atomic():
        wrong.save()
