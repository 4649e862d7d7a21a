"""Mails with recommendations: who receives one, once per occasion.

A campaign's row is written before its mail is sent, so that a crash between the two never sends it twice. Its list is
recorded as an Impression, so clicks in mails are in the statistics.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import datetime
from smtplib import SMTPException
from typing import Any

from django.core.mail import get_connection
from django.db import IntegrityError, transaction
from django.db.models import QuerySet
from django.utils import timezone

from recommendation_service.errors import InvalidInput
from sites.shop.models import CartAbandonment, Customer, EmailCampaign, UserEmailPreference
from sites.shop.services.mails import written_mail

State = EmailCampaign.State
ABANDONED_CART = EmailCampaign.Kind.ABANDONED_CART
SUBJECTS: dict[str, str] = {ABANDONED_CART: "Still in your cart", EmailCampaign.Kind.WEEKLY_PICKS: "Picked for you this week"}


@dataclass(frozen=True, slots=True)
class Due:
    """One mail to send."""

    customer: Customer
    occasion: str


@dataclass(slots=True)
class Sent:
    """Counts of one run."""

    sent: int = 0
    failed: int = 0


def send_campaign(
    *,
    kind: str,
    base_url: str,
    now: datetime | None = None,
    limit: int | None = None,
    say: Callable[[str], None] = lambda _line: None,
) -> Sent:
    """Send the mails of one kind that are due and wanted, at most `limit`; run twice, it sends nothing the second time.

    `base_url` is the start of all links. A mail that the mail server refuses is recorded as failed, and the next run tries
    it again. Raises InvalidInput for an unknown kind, OSError if the server cannot be reached.
    """
    if kind not in EmailCampaign.Kind.values:
        raise InvalidInput(f"there is no campaign '{kind}'; there are {', '.join(EmailCampaign.Kind.values)}")
    done = Sent()
    with get_connection() as connection:
        for due in _due(kind, timezone.now() if now is None else now):
            if limit is not None and done.sent + done.failed >= limit:
                break
            campaign = _claimed(kind, due)
            if campaign is None:
                continue
            if _send(campaign, base_url, connection):
                done.sent += 1
            else:
                done.failed += 1
            if (done.sent + done.failed) % 100 == 0:
                say(f"{kind}: {done.sent:,} sent, {done.failed:,} failed")
    return done


def _due(kind: str, now: datetime) -> Iterator[Due]:
    """Yield customers with an address who receive this kind of mail and had none for this occasion."""
    unwanted = UserEmailPreference.objects.filter(**{kind: False}).values("pk")
    reachable = Customer.objects.exclude(email="").exclude(pk__in=unwanted)
    notified = set(EmailCampaign.objects.filter(kind=kind).exclude(state=State.FAILED).values_list("customer_id", "occasion"))
    for due in _left_carts(reachable) if kind == ABANDONED_CART else _of_week(reachable, now):
        if (due.customer.pk, due.occasion) not in notified:
            yield due


def _left_carts(reachable: QuerySet[Customer]) -> Iterator[Due]:
    waiting = CartAbandonment.objects.filter(recovered_at=None, customer__in=reachable, cart__closed_at=None)
    for abandonment in waiting.select_related("customer").order_by("detected_at", "pk"):
        yield Due(abandonment.customer, str(abandonment.pk))


def _of_week(reachable: QuerySet[Customer], now: datetime) -> Iterator[Due]:
    year, week, _ = now.isocalendar()
    for customer in reachable.order_by("pk"):
        yield Due(customer, f"{year}-W{week:02}")


def _claimed(kind: str, due: Due) -> EmailCampaign | None:
    """Create the row of a mail that is being sent; return None if another run has created it."""
    key = {"kind": kind, "customer": due.customer, "occasion": due.occasion}
    try:
        with transaction.atomic():
            return EmailCampaign.objects.create(**key, subject=SUBJECTS[kind])
    except IntegrityError:
        again = EmailCampaign.objects.filter(**key, state=State.FAILED).update(state=State.SENDING, error="")
        return EmailCampaign.objects.get(**key) if again else None


def _send(campaign: EmailCampaign, base_url: str, connection: Any) -> bool:
    try:
        mail = written_mail(campaign, base_url=base_url)
        mail.connection = connection
        mail.send()
        campaign.state, campaign.sent_at = State.SENT, timezone.now()
    except (SMTPException, OSError) as error:
        campaign.state, campaign.error = State.FAILED, f"{type(error).__name__}: {error}"[:200]
    campaign.save(update_fields=["state", "sent_at", "error", "request_id"])
    return bool(campaign.state == State.SENT)
