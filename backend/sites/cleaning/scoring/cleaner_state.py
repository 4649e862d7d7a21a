"""Scores of cleaners at a past time: what training may know of them when a job was posted."""

from collections.abc import Mapping

import numpy as np

from recommendation_service.core.numeric import Floats, Ints
from recommendation_service.domain.side import Texts
from sites.cleaning.models import Cleaner
from sites.cleaning.scoring.point_in_time import Ledger, Moments
from sites.cleaning.scoring.service import ScoringService, Standings, days_since

COLUMNS = {  # of a cleaner's side -> of CleanerScore
    "overall_score": "overall_score",
    "quality_score": "quality_score",
    "communication_score": "communication_score",
    "professionalism_score": "professionalism_score",
    "timeliness_score": "timeliness_score",
    "average_rating": "average_rating",
    "review_count": "review_count",
    "completion_rate": "completion_rate",
    "on_time_rate": "on_time_rate",
    "cancellation_rate": "cancellation_rate",
    "photo_rate": "photo_rate",
    "bid_count_all": "bid_count",
    "win_rate": "win_rate",
    "average_bid": "average_bid",
    "usual_rate": "usual_rate",
    "total_jobs": "total_jobs",
    "total_earnings": "total_earnings",
    "eco_percentage": "eco_percentage",
    "jobs_30_days": "jobs_30_days",
    "jobs_90_days": "jobs_90_days",
    "jobs_ahead": "jobs_ahead",
}
NEVER_UNKNOWN = ("review_count", "bid_count_all", "total_jobs", "total_earnings", "jobs_30_days", "jobs_90_days", "jobs_ahead")


def standings_as_of(cleaner_ids: Ints, moments: Moments) -> tuple[Mapping[str, Floats], Mapping[str, Texts]]:
    """Numbers and text columns of each cleaner, (n,) each, from rows known strictly before each time, in seconds.

    Each table is read once, and the result equals that of ScoringService at that time. `usual_rate` of a cleaner without
    bids is today's hourly rate; a payment that was refunded later never counts, because the time of a refund is not recorded.
    """
    declared = {
        key: (joined, rate) for key, joined, rate in Cleaner.objects.order_by().values_list("pk", "joined", "hourly_rate")
    }
    standings = as_of(cleaner_ids, moments, days_since([declared[key][0] for key in cleaner_ids.tolist()], moments))
    numbers = {name: standings.numbers[column].astype(np.float32) for name, column in COLUMNS.items()}
    rates = np.array([declared[key][1] for key in cleaner_ids.tolist()], dtype=np.float32)
    numbers["usual_rate"] = np.where(np.isnan(numbers["usual_rate"]), rates, numbers["usual_rate"])
    return numbers, {"primary_property_type": standings.kinds}


def as_of(cleaner_ids: Ints, moments: Moments, days_here: Moments) -> Standings:
    """Return the same as columns of CleanerScore, in float64."""
    ledger = Ledger(cleaner_ids)
    return ScoringService().stand(ledger.own(cleaner_ids, moments), ledger.market(moments), days_here)
