"""What the doors say of cleaners, jobs, bids and lists. Nothing private leaves: no tiers, no budget tiers, no homes.

Where a cleaner starts from, and where a job is before its cleaner is hired, are told to about a kilometre; parts of a score
in whole points, since exact ones would tell the distance.
"""

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Any

from django.db.models import Count, Min

from sites.cleaning.api.permissions import Role
from sites.cleaning.models import BidSuggestion, Cleaner, CleanerScore, CleaningJob, JobBid, Payment, Review
from sites.cleaning.services.recommendations import Recommendations

CENT = Decimal("0.01")
KM_AWAY = re.compile(r"([0-9]+(?:\.[0-9]+)?) km away")
COARSE = 2  # decimals of a degree: 1.1 km from north to south, 0.9 km from east to west in Athens
FIGURES = (
    "overall_score", "average_rating", "review_count", "completion_rate", "on_time_rate", "photo_rate", "win_rate",
    "total_jobs", "eco_percentage",
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Competition:
    """How many offers a job has, and the lowest of them."""

    count: int = 0
    lowest: Decimal | None = None


def competition_of(jobs: Iterable[CleaningJob]) -> dict[int, Competition]:
    """Of each job; offers taken back do not count. One query."""
    rows = JobBid.objects.filter(job__in=[job.pk for job in jobs]).exclude(status=JobBid.Status.WITHDRAWN)
    found = rows.order_by().values("job").annotate(count=Count("pk"), lowest=Min("amount"))
    return {row["job"]: Competition(row["count"], row["lowest"].quantize(CENT)) for row in found}  # SQLite adds digits


def cleaner_told(cleaner: Cleaner) -> dict[str, Any]:
    """A cleaner as anybody may see them."""
    standing = standing_of(cleaner)
    return {
        "id": cleaner.pk,
        "name": cleaner.name,
        "about": cleaner.about,
        "hourly_rate": float(cleaner.hourly_rate),
        "reach_km": cleaner.reach_km,
        "eco_friendly": cleaner.eco_friendly,
        "is_available": cleaner.is_available,
        "latitude": round(cleaner.latitude, COARSE),
        "longitude": round(cleaner.longitude, COARSE),
        "primary_property_type": "" if standing is None else standing.primary_property_type,
        **{name: None if standing is None else rounded(getattr(standing, name), 3) for name in FIGURES},
    }


def job_told(job: CleaningJob, role: Role, competition: Competition, own: JobBid | None = None) -> dict[str, Any]:
    """A job as somebody in this role may see it; `own` is the bid of a cleaner who looks."""
    told = {
        "id": job.pk,
        "status": job.status,
        "property": _place_told(job, exact=sees_address(job, role)),
        "description": job.description,
        "eco_friendly": job.eco_friendly,
        "hours": float(job.hours),
        "budget": float(job.budget),
        "posted_at": job.posted_at.isoformat(),
        "wanted_for": job.wanted_for.isoformat(),
        "bid_count": competition.count,
        "lowest_bid": None if competition.lowest is None else float(competition.lowest),
    }
    if role in (Role.CLEANER, Role.HIRED):
        told["own_bid"] = None if own is None else bid_told(own)
    if role is not Role.CLEANER:
        told |= _agreement_told(job)
    return told


def sees_address(job: CleaningJob, role: Role) -> bool:
    """Whether somebody in this role is told where exactly the job is."""
    agreed = job.status in (*CleaningJob.AGREED, CleaningJob.Status.COMPLETED)
    return role in (Role.CLIENT, Role.EVERYTHING) or (role is Role.HIRED and agreed)


def bid_told(bid: JobBid) -> dict[str, Any]:
    """One offer, to those who may see it."""
    return {
        "id": bid.pk,
        "job_id": bid.job_id,
        "cleaner_id": bid.cleaner_id,
        "amount": float(bid.amount),
        "status": bid.status,
        "message": bid.message,
        "time": bid.time.isoformat(),
    }


def suggestion_told(suggestion: BidSuggestion) -> dict[str, Any]:
    """What to ask, and what that was made of."""
    return {
        "id": suggestion.pk,
        "job_id": suggestion.job_id,
        "cleaner_id": suggestion.cleaner_id,
        "minimum": float(suggestion.minimum),
        "optimal": float(suggestion.optimal),
        "maximum": float(suggestion.maximum),
        "method": suggestion.method,
        "model_version": suggestion.model_version,
        "client_budget": float(suggestion.client_budget),
        "market_average": _amount(suggestion.market_average),
        "cleaner_average": _amount(suggestion.cleaner_average),
        "win_rate": rounded(suggestion.win_rate, 3),
        "current_bid_count": suggestion.current_bid_count,
        "lowest_bid": _amount(suggestion.lowest_bid),
    }


def review_told(review: Review) -> dict[str, Any]:
    """A review as it was just given."""
    marks = ("overall", "quality", "communication", "professionalism", "timeliness")
    told = {name: getattr(review, name) for name in marks}
    return {"job_id": review.job_id, "cleaner_id": review.cleaner_id, **told, "comment": review.comment}


def list_told(recommendations: Recommendations, kind: str, things: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    """A list as the engine gave it; `things` are its cleaners or jobs as they may be told, in the same order."""
    shown = [
        {
            kind: thing,
            "score": rounded(one["score"], 1),
            "rule_based_score": rounded(one["rule_based_score"], 1),
            "neural_score": rounded(one["neural_score"], 1),
            "breakdown": {name: rounded(value, 0) for name, value in one["breakdown"].items()},
            "reasoning": [coarse(reason) for reason in one["reasoning"]],
            "rank": one["rank"],
            "recommendation_id": one["recommendation_id"],
        }
        for one, thing in zip(recommendations, things, strict=True)
    ]
    return {
        "recommendations": shown,
        "mode": recommendations.mode,
        "asked_mode": recommendations.asked_mode,
        "degraded": recommendations.degraded,
        "degradation": list(recommendations.degradation),
        "model_version": recommendations.model_version or "",
        "request_id": str(recommendations.request_id),
    }


def standing_of(cleaner: Cleaner) -> CleanerScore | None:
    """How the cleaner stands, or None for one who was never scored."""
    found: CleanerScore | None = getattr(cleaner, "standing", None)
    return found


def payment_of(job: CleaningJob) -> Payment | None:
    """The job's payment, or None before anybody was hired."""
    found: Payment | None = getattr(job, "payment", None)
    return found


def rounded(value: float | None, digits: int) -> float | None:
    """A number for people; unknown stays unknown, and a count a whole number."""
    if value is None or isinstance(value, int):
        return value
    return None if value != value else round(float(value), digits)


def coarse(reason: str) -> str:
    """A reason with its distance in whole kilometres: several exact ones would tell where somebody lives."""
    return KM_AWAY.sub(_about, reason)


def _about(found: re.Match[str]) -> str:
    km = float(found[1])
    return "under 1 km away" if km < 1 else f"about {km:.0f} km away"


def _place_told(job: CleaningJob, *, exact: bool) -> dict[str, Any]:
    place = job.place
    told = {"kind": place.kind, "district": place.district, "size_m2": place.size_m2, "is_exact": exact}
    digits = 6 if exact else COARSE
    return {**told, "latitude": round(place.latitude, digits), "longitude": round(place.longitude, digits)}


def _agreement_told(job: CleaningJob) -> dict[str, Any]:
    payment = payment_of(job)
    return {
        "client": {"id": job.client_id, "name": job.client.name},
        "cleaner": None if job.cleaner is None else {"id": job.cleaner.pk, "name": job.cleaner.name},
        "accepted_at": _moment(job.accepted_at),
        "confirmed_at": _moment(job.confirmed_at),
        "ended_at": _moment(job.ended_at),
        "was_on_time": job.was_on_time,
        "photos": job.photos,
        "payment": None
        if payment is None
        else {
            "reference": payment.reference,
            "amount": float(payment.amount),
            "platform_fee": float(payment.platform_fee),
            "payout": float(payment.payout),
            "status": payment.status,
        },
    }


def _moment(moment: datetime | None) -> str | None:
    return None if moment is None else moment.isoformat()


def _amount(amount: Decimal | None) -> float | None:
    return None if amount is None else float(amount)
