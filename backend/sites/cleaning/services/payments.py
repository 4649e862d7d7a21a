"""Payments as a payment provider records them. They are simulated: no one is charged."""

import secrets
from decimal import ROUND_HALF_UP, Decimal

from django.conf import settings
from django.utils import timezone

from recommendation_service.errors import Conflict
from sites.cleaning.models import CleaningJob, Payment

CENT = Decimal("0.01")


def fee_of(amount: Decimal) -> Decimal:
    """Return the platform's share of an amount, in whole cents: the setting CLEANING_PLATFORM_FEE, 0 to 1."""
    return (amount * Decimal(str(settings.CLEANING_PLATFORM_FEE))).quantize(CENT, ROUND_HALF_UP)


def authorise(job: CleaningJob, amount: Decimal) -> Payment:
    """Reserve the amount. The caller holds the transaction and the lock on the job."""
    fee = fee_of(amount)
    return Payment.objects.create(
        job=job, reference=f"pi_{secrets.token_hex(12)}", amount=amount, platform_fee=fee, payout=amount - fee
    )


def capture(job: CleaningJob) -> Payment:
    """Take the reserved amount. Raises Conflict if nothing is reserved."""
    return _set_status(job, Payment.Status.SUCCEEDED, "captured")


def refund(job: CleaningJob) -> Payment:
    """Release the reserved amount. Raises Conflict if nothing is reserved, or it was captured."""
    return _set_status(job, Payment.Status.REFUNDED, "refunded")


def _set_status(job: CleaningJob, status: str, done: str) -> Payment:
    payment = Payment.objects.select_for_update().filter(job=job, status=Payment.Status.REQUIRES_CAPTURE).first()
    if payment is None:
        raise Conflict(f"there is no payment of job {job.pk} that could be {done}")
    payment.status, payment.time = status, timezone.now()
    payment.save(update_fields=("status", "time"))
    return payment
