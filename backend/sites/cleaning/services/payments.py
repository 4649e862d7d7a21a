"""What a job costs, and who gets how much of it: a payment provider's words, without a provider. Nobody is charged."""

import secrets
from decimal import ROUND_HALF_UP, Decimal

from django.conf import settings
from django.utils import timezone

from recommendation_service.errors import Conflict
from sites.cleaning.models import CleaningJob, Payment

CENT = Decimal("0.01")


def fee_of(amount: Decimal) -> Decimal:
    """The platform's share of an amount, in whole cents: the setting CLEANING_PLATFORM_FEE, 0 to 1."""
    return (amount * Decimal(str(settings.CLEANING_PLATFORM_FEE))).quantize(CENT, ROUND_HALF_UP)


def authorise(job: CleaningJob, amount: Decimal) -> Payment:
    """Keep the amount ready to be taken. The caller holds the transaction and the lock on the job."""
    fee = fee_of(amount)
    return Payment.objects.create(
        job=job, reference=f"pi_{secrets.token_hex(12)}", amount=amount, platform_fee=fee, payout=amount - fee
    )


def capture(job: CleaningJob) -> Payment:
    """Take what was kept ready. Raises Conflict where nothing was."""
    return _turn(job, Payment.Status.SUCCEEDED, "taken")


def refund(job: CleaningJob) -> Payment:
    """Give back what was kept ready. Raises Conflict where nothing was, or where it was taken already."""
    return _turn(job, Payment.Status.REFUNDED, "given back")


def _turn(job: CleaningJob, status: str, done: str) -> Payment:
    payment = Payment.objects.select_for_update().filter(job=job, status=Payment.Status.REQUIRES_CAPTURE).first()
    if payment is None:
        raise Conflict(f"there is no payment of job {job.pk} that could be {done}")
    payment.status, payment.time = status, timezone.now()
    payment.save(update_fields=("status", "time"))
    return payment
