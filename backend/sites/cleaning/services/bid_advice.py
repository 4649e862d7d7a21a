"""Where the marketplace's doors meet what advises: the two lists, the bids advised, and what came of both."""

from collections.abc import Mapping
from typing import Any
from uuid import UUID

from sites.cleaning.models import (
    BidSuggestion,
    Cleaner,
    CleanerRecommendation,
    CleaningJob,
    JobBid,
    JobRecommendation,
    RecommendationFeedback,
)
from sites.cleaning.recommender import outcomes
from sites.cleaning.recommender.engine import RecommendationEngine, Recommendations
from sites.cleaning.services import bid_suggestions

Shown = JobRecommendation | CleanerRecommendation


def cleaners_for(
    job: CleaningJob, *, limit: int, mode: str | None = None, filters: Mapping[str, Any] | None = None
) -> Recommendations:
    """The engine's list of cleaners for a job, recorded as shown to its client."""
    return RecommendationEngine(mode=mode).recommend_cleaners_for_job(job, limit=limit, filters=dict(filters or {}))


def jobs_for(
    cleaner: Cleaner, *, limit: int, mode: str | None = None, filters: Mapping[str, Any] | None = None
) -> Recommendations:
    """The engine's list of jobs for a cleaner, recorded as shown to them."""
    return RecommendationEngine(mode=mode).recommend_jobs_for_cleaner(cleaner, limit=limit, filters=dict(filters or {}))


def suggested_bid(job: CleaningJob, cleaner: Cleaner) -> BidSuggestion:
    """What this cleaner might ask for this job, kept so that it can be compared with what they ask."""
    return bid_suggestions.suggest_bid(job, cleaner)


def bid_was_placed(bid: JobBid) -> None:
    """Tell both: the lists that showed the job, and the advice on what to ask."""
    outcomes.bid_was_placed(bid)
    bid_suggestions.note_bid(bid)


def bid_was_decided(job: CleaningJob) -> UUID | None:
    """Tell both who was chosen; gives the list that led the client to the cleaner, None where none did."""
    led = outcomes.bid_was_decided(job)
    bid_suggestions.note_decision(job)
    return None if led is None else led.request_id


def was_viewed(shown: Shown) -> None:
    """Somebody opened what was recommended."""
    outcomes.mark_viewed(shown)


def was_contacted(shown: CleanerRecommendation) -> None:
    """A client wrote to a recommended cleaner."""
    outcomes.mark_contacted(shown)


def judged(shown: Shown, *, verdict: str, comment: str) -> RecommendationFeedback:
    """What somebody says of one recommendation; the newest word replaces the older."""
    return outcomes.give_feedback(shown, verdict, comment)
