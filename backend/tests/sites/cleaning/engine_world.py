"""A marketplace as of this minute: open jobs, cleaners of known distance and price, and lists of them."""

import math
from collections.abc import Sequence
from datetime import timedelta
from decimal import Decimal
from typing import Any

from django.utils import timezone

from sites.cleaning.models import Cleaner, CleanerScore, CleaningJob
from sites.cleaning.services.recommendations import RecommendationEngine, Recommendations
from tests.sites.cleaning import marketplace

KM_OF_DEGREE = 6371.0 * math.pi / 180  # of latitude


def open_job(**more: Any) -> CleaningJob:
    """An apartment in the middle of Athens, posted a minute ago: four hours in two days, for up to €80."""
    now = timezone.now()
    place = more.pop("place", None) or marketplace.make_place(
        latitude=marketplace.ATHENS[0], longitude=marketplace.ATHENS[1], kind=more.pop("kind", "apartment")
    )
    told = {"posted_at": now - timedelta(minutes=1), "wanted_for": now + timedelta(days=2), **more}
    return marketplace.make_job(place, **told)


def cleaner_at(km: float, *, rate: float = 15.0, **more: Any) -> Cleaner:
    """Somebody who lives so far north of the job, and asks so much an hour."""
    told = {"latitude": marketplace.ATHENS[0] + km / KM_OF_DEGREE, "hourly_rate": Decimal(str(rate)), **more}
    return marketplace.make_cleaner(**told)


def stands(cleaner: Cleaner, score: float, **more: Any) -> CleanerScore:
    """Give them a standing, as if it had been worked out just now."""
    parts = dict.fromkeys(("quality", "reliability", "experience", "bidding", "activity"), score)
    told = {"overall_score": score, "review_count": 5, "total_jobs": 6, "updated_at": timezone.now(), **parts, **more}
    return CleanerScore.objects.update_or_create(cleaner=cleaner, defaults=told)[0]


def cleaners_for(job: CleaningJob, mode: str | None = "rule_based", **words: Any) -> Recommendations:
    """The engine's list."""
    return RecommendationEngine(mode=mode).recommend_cleaners_for_job(job=job, **words)


def jobs_for(cleaner: Cleaner, mode: str | None = "rule_based", **words: Any) -> Recommendations:
    """The engine's list, the other way round."""
    return RecommendationEngine(mode=mode).recommend_jobs_for_cleaner(cleaner=cleaner, **words)


def who(found: Sequence[Any], kind: str = "cleaner") -> list[int]:
    """Keys of what is shown, the best first."""
    return [row[kind].pk for row in found]
