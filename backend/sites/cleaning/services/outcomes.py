"""Outcomes of recommendations: viewed, contacted, bid for, hired, and feedback. Every outcome is recorded once."""

from datetime import datetime

from django.db import transaction
from django.db.models import F
from django.utils import timezone

from recommendation_service.errors import InvalidInput
from sites.cleaning.models import CleanerRecommendation, CleaningJob, JobBid, JobRecommendation, RecommendationFeedback
from sites.cleaning.services.interactions import record_cleaner_event, record_client_event

Shown = JobRecommendation | CleanerRecommendation
MAX_COMMENT_LENGTH = 2000


def report_viewed(recommendation: Shown) -> None:
    """Record, once, that the user opened the recommendation."""
    _record_event("view", recommendation)
    mark_viewed(recommendation)


def report_contacted(recommendation: CleanerRecommendation) -> None:
    """Record, once, that the client contacted the cleaner."""
    _record_event("contact", recommendation)
    mark_contacted(recommendation)


def mark_viewed(recommendation: Shown, *, now: datetime | None = None) -> bool:
    """Set the time of the first view. True the first time."""
    return _first_time(recommendation, "viewed_at", now)


def mark_contacted(recommendation: CleanerRecommendation, *, now: datetime | None = None) -> bool:
    """Set the time of the first contact, which is a view too. True the first time."""
    at = now or timezone.now()
    mark_viewed(recommendation, now=at)
    return _first_time(recommendation, "contacted_at", at)


def bid_was_placed(bid: JobBid) -> JobRecommendation | None:
    """Mark and return the recommendation that led to the bid; None if the job was never shown to the cleaner.

    It is that of the list which the bid names, else the newest before the bid.
    """
    shown = JobRecommendation.objects.filter(job_id=bid.job_id, cleaner_id=bid.cleaner_id, created_at__lte=bid.time)
    if bid.request_id is not None:
        shown = shown.filter(request_id=bid.request_id)
    with transaction.atomic():
        origin = shown.filter(bid=bid).first() or shown.order_by("-created_at", "-pk").first()
        if origin is not None and origin.bid_placed_at is None:
            origin.bid, origin.bid_placed_at = bid, bid.time
            origin.save(update_fields=("bid", "bid_placed_at"))
    return origin


def bid_was_decided(job: CleaningJob) -> CleanerRecommendation | None:
    """Mark the recommendations that led to the hire; return the client's, or None if there is none or no one is hired.

    If the client saw the cleaner in several lists, it is the one they contacted the cleaner from, else the one they
    opened, else the newest.
    """
    if job.cleaner_id is None:
        return None
    at = job.accepted_at or timezone.now()
    if job.accepted_bid_id is not None:
        JobRecommendation.objects.filter(bid_id=job.accepted_bid_id, bid_accepted_at=None).update(bid_accepted_at=at)
    with transaction.atomic():
        shown = CleanerRecommendation.objects.filter(job=job, cleaner_id=job.cleaner_id, created_at__lte=at)
        by_interest = (F("contacted_at").desc(nulls_last=True), F("viewed_at").desc(nulls_last=True), "-created_at", "-pk")
        origin = shown.exclude(hired_at=None).first() or shown.order_by(*by_interest).first()
        if origin is not None and origin.hired_at is None:
            origin.hired_at = at
            origin.save(update_fields=("hired_at",))
    return origin


def give_feedback(recommendation: Shown, feedback_type: str, comment: str = "") -> RecommendationFeedback:
    """Save feedback on one recommendation; it replaces earlier feedback.

    Raises InvalidInput for an unknown type, naming the known ones, and for a comment of over 2000 characters.
    """
    if feedback_type not in RecommendationFeedback.Verdict.values:
        message = f"must be one of {', '.join(RecommendationFeedback.Verdict.values)}"
        raise InvalidInput(f"feedback_type {message}", fields={"/feedback_type": message})
    if len(comment) > MAX_COMMENT_LENGTH:
        message = f"has {len(comment)} characters; the maximum is {MAX_COMMENT_LENGTH}"
        raise InvalidInput(f"comment {message}", fields={"/comment": message})
    values = {"feedback_type": feedback_type, "comment": comment, "created_at": timezone.now()}
    if isinstance(recommendation, JobRecommendation):
        return RecommendationFeedback.objects.update_or_create(job_recommendation=recommendation, defaults=values)[0]
    return RecommendationFeedback.objects.update_or_create(cleaner_recommendation=recommendation, defaults=values)[0]


def _record_event(event: str, shown: Shown) -> None:
    record = record_client_event if isinstance(shown, CleanerRecommendation) else record_cleaner_event
    record(event, job=shown.job, cleaner_id=shown.cleaner_id, request_id=shown.request_id, now=timezone.now())


def _first_time(recommendation: Shown, field: str, now: datetime | None) -> bool:
    at = now or timezone.now()
    rows = type(recommendation)._default_manager.filter(pk=recommendation.pk, **{field: None})
    first = bool(rows.update(**{field: at}))
    recommendation.refresh_from_db(fields=[field])
    return first
