"""The life of a job after it is posted: open → bidding → accepted → confirmed → completed, or cancelled, or failed.

Each step is one transaction that locks the job's row, so that concurrent steps run one after the other. A step raises
NotFound for an unknown bid or job, Conflict if the job's state does not allow the step, Gone if the job will never allow
it again, and InvalidInput for wrong values. `now` is the time of the step.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime, timedelta
from decimal import Decimal
from uuid import UUID

from django.db import connection, transaction
from django.utils import timezone

from recommendation_service.errors import Conflict, Gone, InvalidInput, NotFound
from sites.cleaning.models import Cleaner, CleaningJob, JobBid, Review
from sites.cleaning.services import bid_suggestions, outcomes, payments
from sites.cleaning.services.interactions import list_before_bid, record_cleaner_event, record_client_event
from sites.cleaning.services.posting import clean

GRACE = timedelta(minutes=30)  # a job that ends this long after its hours is still on time
Status = CleaningJob.Status


def place_bid(
    *,
    job: CleaningJob,
    cleaner: Cleaner,
    amount: Decimal,
    message: str = "",
    request_id: UUID | None = None,
    now: datetime | None = None,
) -> JobBid:
    """Save a cleaner's bid. `request_id` is the list that showed them the job; None: the newest list that did."""
    at = now or timezone.now()
    with _locked(job) as locked:
        _require_open(locked, at)
        if not cleaner.is_available:
            raise Conflict("you take no jobs at present; set yourself to available first")
        if locked.client.account_id is not None and locked.client.account_id == cleaner.account_id:
            raise Conflict("this is your own job")
        bid = locked.bids.filter(cleaner=cleaner).first() or JobBid(job=locked, cleaner=cleaner)
        if bid.pk is not None and bid.status != JobBid.Status.WITHDRAWN:
            raise Conflict("you have bid for this job already; withdraw that bid first")
        bid.amount, bid.message, bid.status, bid.time = amount, message.strip(), JobBid.Status.PENDING, at
        bid.request_id = list_before_bid(job=locked, cleaner=cleaner, request_id=request_id)
        clean(bid)
        bid.save()
        _set_status(locked, Status.BIDDING)
        outcomes.bid_was_placed(bid)
        bid_suggestions.note_bid(bid)
    return bid


def withdraw_bid(*, job: CleaningJob, cleaner: Cleaner) -> JobBid:
    """Withdraw a pending bid; the job is open again if it was the only one."""
    with _locked(job) as locked:
        bid = locked.bids.filter(cleaner=cleaner).first()
        if bid is None:
            raise NotFound("there is no bid of yours for this job")
        if bid.status != JobBid.Status.PENDING:
            raise Conflict(f"this bid is {bid.status}, so it cannot be withdrawn")
        _set(bid, JobBid.Status.WITHDRAWN)
        if locked.status == Status.BIDDING and not locked.bids.filter(status=JobBid.Status.PENDING).exists():
            _set_status(locked, Status.OPEN)
    return bid


def accept_bid(*, job: CleaningJob, bid_id: int, now: datetime | None = None) -> CleaningJob:
    """Hire the cleaner of a bid, reject the other bids, and authorise the payment."""
    at = now or timezone.now()
    with _locked(job) as locked:
        bid = locked.bids.select_related("cleaner").filter(pk=bid_id).first()
        if bid is None:
            raise NotFound("there is no such bid for this job")
        _require(locked, CleaningJob.OFFERED, "choosing a bid")
        if locked.wanted_for <= at:
            raise Conflict("the time of this job is past; cancel the job and post a new one")
        if bid.status != JobBid.Status.PENDING:
            raise Gone("this bid was withdrawn")
        _set(bid, JobBid.Status.ACCEPTED)
        locked.bids.filter(status=JobBid.Status.PENDING).update(status=JobBid.Status.REJECTED)
        locked.cleaner, locked.accepted_bid, locked.accepted_at = bid.cleaner, bid, at
        _set_status(locked, Status.ACCEPTED, "cleaner", "accepted_bid", "accepted_at")
        payments.authorise(locked, bid.amount)
        shown = outcomes.bid_was_decided(locked)
        bid_suggestions.note_decision(locked)
        origin = None if shown is None else shown.request_id
        record_client_event("hire", job=locked, cleaner_id=bid.cleaner_id, request_id=origin, now=at)
        record_cleaner_event("win", job=locked, cleaner_id=bid.cleaner_id, request_id=bid.request_id, now=at)
    return locked


def confirm_job(*, job: CleaningJob, cleaner: Cleaner, now: datetime | None = None) -> CleaningJob:
    """Confirm that the hired cleaner will come."""
    with _locked(job) as locked:
        _require_hired(locked, cleaner)
        _require(locked, (Status.ACCEPTED,), "confirming")
        locked.confirmed_at = now or timezone.now()
        _set_status(locked, Status.CONFIRMED, "confirmed_at")
    return locked


def complete_job(
    *,
    job: CleaningJob,
    cleaner: Cleaner | None = None,
    photos: int = 0,
    on_time: bool | None = None,
    now: datetime | None = None,
) -> CleaningJob:
    """Complete the job and capture the payment. `cleaner` reports it; None: the client does.

    Only the client may set `on_time`. With None, the job was on time if it is reported within its hours and GRACE.
    """
    at = now or timezone.now()
    if not 0 <= photos <= 1000:
        raise InvalidInput("photos must be 0 to 1000", fields={"/photos": "must be 0 to 1000"})
    if cleaner is not None and on_time is not None:
        raise InvalidInput("only the client may set on_time", fields={"/on_time": "only the client may set it"})
    with _locked(job) as locked:
        if cleaner is not None:
            _require_hired(locked, cleaner)
        _require(locked, (Status.CONFIRMED,), "completing")
        due = locked.wanted_for + timedelta(hours=float(locked.hours)) + GRACE
        locked.was_on_time = at <= due if on_time is None else on_time
        locked.ended_at, locked.photos = at, photos
        _set_status(locked, Status.COMPLETED, "ended_at", "photos", "was_on_time")
        payments.capture(locked)
    return locked


def cancel_job(*, job: CleaningJob, cleaner: Cleaner | None = None, now: datetime | None = None) -> CleaningJob:
    """Cancel the job and refund the payment: the client at any time before it is over, the `cleaner` once hired."""
    with _locked(job) as locked:
        if cleaner is not None:
            _require_hired(locked, cleaner)
            _require(locked, CleaningJob.AGREED, "cancelling")
        _require(locked, (*CleaningJob.OFFERED, *CleaningJob.AGREED), "cancelling")
        _end_without_work(locked, Status.CANCELLED, now or timezone.now(), by_cleaner=cleaner is not None)
    return locked


def fail_job(*, job: CleaningJob, now: datetime | None = None) -> CleaningJob:
    """Report that no cleaner came, once the time of the job is past; the payment is refunded."""
    at = now or timezone.now()
    with _locked(job) as locked:
        _require(locked, CleaningJob.AGREED, "reporting it as failed")
        if locked.wanted_for > at:
            raise Conflict("the time of this job has not come yet; cancel it instead")
        locked.was_on_time = False
        locked.save(update_fields=("was_on_time",))
        _end_without_work(locked, Status.FAILED, at, by_cleaner=False)
    return locked


def review_job(*, job: CleaningJob, comment: str = "", now: datetime | None = None, **marks: int) -> Review:
    """Save the client's review, one per completed job. `marks` are the five columns of marks, 1 to 10."""
    with _locked(job) as locked:
        _require(locked, (Status.COMPLETED,), "reviewing")
        if locked.cleaner is None:
            raise Conflict("the cleaner of this job was deleted")
        if Review.objects.filter(job=locked).exists():
            raise Conflict("this job is reviewed already")
        review = Review(
            job=locked, client_id=locked.client_id, cleaner=locked.cleaner, comment=comment.strip(),
            time=now or timezone.now(), **marks,
        )  # fmt: skip
        clean(review)
        review.save()
    return review


def _own_row() -> tuple[str, ...]:
    """Return which of the joined rows to lock: the job alone, where the database can; MariaDB locks all of them."""
    return ("self",) if connection.features.has_select_for_update_of else ()


@contextmanager
def _locked(job: CleaningJob) -> Iterator[CleaningJob]:
    """Lock the job's row for a transaction. Raises NotFound if the row was deleted."""
    with transaction.atomic():
        rows = CleaningJob.objects.select_related("client", "place", "cleaner").select_for_update(of=_own_row())
        locked = rows.filter(pk=job.pk).first()
        if locked is None:
            raise NotFound("there is no such job")
        yield locked


def _end_without_work(job: CleaningJob, status: str, at: datetime, *, by_cleaner: bool) -> None:
    agreed = job.status in CleaningJob.AGREED
    job.bids.filter(status=JobBid.Status.PENDING).update(status=JobBid.Status.REJECTED)
    job.ended_at, job.cancelled_by_cleaner = at, by_cleaner
    _set_status(job, status, "ended_at", "cancelled_by_cleaner")
    if agreed:
        payments.refund(job)


def _require(job: CleaningJob, allowed: tuple[str, ...], step: str) -> None:
    if job.status not in allowed:
        raise Conflict(f"this job is {job.status}; {step} needs it to be {' or '.join(allowed)}")


def _require_open(job: CleaningJob, at: datetime) -> None:
    if job.status not in CleaningJob.OFFERED:
        raise Gone(f"this job is {job.status} and takes no bids any more")
    if job.wanted_for <= at:
        raise Gone("the time of this job is past")


def _require_hired(job: CleaningJob, cleaner: Cleaner) -> None:
    if job.cleaner_id != cleaner.pk:
        raise NotFound("this is not a job of yours")


def _set_status(job: CleaningJob, status: str, *changed: str) -> None:
    job.status = status
    job.save(update_fields=("status", *changed))


def _set(bid: JobBid, status: str) -> None:
    bid.status = status
    JobBid.objects.filter(pk=bid.pk).update(status=status)  # no event of its own, so its mirror stays as it is
