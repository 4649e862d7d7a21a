"""What came of a recommendation: seen, contacted, bid for, won; and what somebody said of it.

Everything may be told twice: the first time counts and is kept.
"""

from datetime import datetime

from django.db import transaction
from django.db.models import F
from django.utils import timezone

from recommendation_service.errors import InvalidInput
from sites.cleaning.models import CleanerRecommendation, CleaningJob, JobBid, JobRecommendation, RecommendationFeedback

Shown = JobRecommendation | CleanerRecommendation
LONGEST_COMMENT = 2000


def mark_viewed(recommendation: Shown, *, now: datetime | None = None) -> bool:
    """It was opened. True the first time."""
    return _first_time(recommendation, "viewed_at", now)


def mark_contacted(recommendation: CleanerRecommendation, *, now: datetime | None = None) -> bool:
    """The client wrote to the cleaner, whom they therefore saw. True the first time."""
    at = now or timezone.now()
    mark_viewed(recommendation, now=at)
    return _first_time(recommendation, "contacted_at", at)


def bid_was_placed(bid: JobBid) -> JobRecommendation | None:
    """The cleaner bid for a job that was shown to them: by the list that the bid names, else by the newest before it.

    Gives the recommendation that led to the bid, None where the job was never shown to them.
    """
    shown = JobRecommendation.objects.filter(job_id=bid.job_id, cleaner_id=bid.cleaner_id, created_at__lte=bid.time)
    if bid.request_id is not None:
        shown = shown.filter(request_id=bid.request_id)
    with transaction.atomic():
        led = shown.filter(bid=bid).first() or shown.order_by("-created_at", "-pk").first()
        if led is not None and led.bid_placed_at is None:
            led.bid, led.bid_placed_at = bid, bid.time
            led.save(update_fields=("bid", "bid_placed_at"))
    return led


def bid_was_decided(job: CleaningJob) -> CleanerRecommendation | None:
    """Somebody was hired: marks the list that led their bid, and the one that showed them to the client.

    Of several, the one from which the client wrote to them, else that they looked at, else the newest. Gives that one,
    None where they were never shown to the client or nobody is hired.
    """
    if job.cleaner_id is None:
        return None
    at = job.accepted_at or timezone.now()
    if job.accepted_bid_id is not None:
        JobRecommendation.objects.filter(bid_id=job.accepted_bid_id, bid_accepted_at=None).update(bid_accepted_at=at)
    with transaction.atomic():
        shown = CleanerRecommendation.objects.filter(job=job, cleaner_id=job.cleaner_id, created_at__lte=at)
        by_interest = (F("contacted_at").desc(nulls_last=True), F("viewed_at").desc(nulls_last=True), "-created_at", "-pk")
        led = shown.exclude(hired_at=None).first() or shown.order_by(*by_interest).first()
        if led is not None and led.hired_at is None:
            led.hired_at = at
            led.save(update_fields=("hired_at",))
    return led


def give_feedback(recommendation: Shown, feedback_type: str, comment: str = "") -> RecommendationFeedback:
    """What somebody says of one recommendation; it replaces what was said of it before.

    Raises InvalidInput for a type that there is not, naming those there are, and for a comment of over 2000 characters.
    """
    if feedback_type not in RecommendationFeedback.Verdict.values:
        message = f"must be one of {', '.join(RecommendationFeedback.Verdict.values)}"
        raise InvalidInput(f"feedback_type {message}", fields={"/feedback_type": message})
    if len(comment) > LONGEST_COMMENT:
        message = f"has {len(comment)} characters; at most {LONGEST_COMMENT} are kept"
        raise InvalidInput(f"comment {message}", fields={"/comment": message})
    values = {"feedback_type": feedback_type, "comment": comment, "created_at": timezone.now()}
    if isinstance(recommendation, JobRecommendation):
        return RecommendationFeedback.objects.update_or_create(job_recommendation=recommendation, defaults=values)[0]
    return RecommendationFeedback.objects.update_or_create(cleaner_recommendation=recommendation, defaults=values)[0]


def _first_time(recommendation: Shown, field: str, now: datetime | None) -> bool:
    at = now or timezone.now()
    model = type(recommendation)
    first = model._default_manager.filter(pk=recommendation.pk, **{field: None}).update(**{field: at})
    if first:
        setattr(recommendation, field, at)
    else:
        recommendation.refresh_from_db(fields=[field])
    return bool(first)
