"""Columns of jobs and cleaners that pairs are scored by: the same for lists and for training data."""

from collections.abc import Iterable, Sequence
from operator import attrgetter

import numpy as np
from django.db.models import Count, prefetch_related_objects

from recommendation_service.core.numeric import Floats, Ints
from recommendation_service.domain.side import PairSide, Texts
from sites.cleaning.models import Cleaner, CleanerScore, CleaningJob
from sites.cleaning.scoring.aggregates import MANY
from sites.cleaning.scoring.cleaner_state import COLUMNS, NEVER_UNKNOWN, standings_as_of
from sites.cleaning.scoring.market_rates import market_as_of, market_now
from sites.cleaning.scoring.point_in_time import Moments
from sites.cleaning.scoring.service import ScoringService

_OF_JOB = {
    "latitude": "place.latitude",
    "longitude": "place.longitude",
    "size_m2": "place.size_m2",
    "hours": "hours",
    "eco_wanted": "eco_friendly",
    "budget": "budget",
}
_OF_CLEANER = {
    "base_latitude": "latitude",
    "base_longitude": "longitude",
    "hourly_rate": "hourly_rate",
    "jobs_a_week": "jobs_a_week",
    "is_available": "is_available",
    "eco_offered": "eco_friendly",
    "reach_km": "reach_km",
}


def job_side(jobs: Iterable[CleaningJob], moments: Moments | None = None) -> PairSide:
    """Return the columns of each job now, or at each time, (n,) seconds. At most three queries, properties included."""
    jobs = list(jobs)
    prefetch_related_objects(jobs, "place")
    ids = np.array([job.pk for job in jobs], dtype=np.int64)
    kinds = np.array([job.place.kind for job in jobs], dtype=np.str_)
    wanted = np.array([job.wanted_for.timestamp() for job in jobs], dtype=np.float64)
    numbers = {
        **_declared(jobs, _OF_JOB),
        "hour_of_day": np.floor(wanted % 86_400 / 3600).astype(np.float32),
        "day_of_week": ((np.floor(wanted / 86_400) + 3) % 7).astype(np.float32),  # 1 January 1970 was a Thursday
        **(market_now(ids, kinds) if moments is None else market_as_of(ids, kinds, moments)),
    }
    return PairSide(
        tuple(str(job.pk) for job in jobs),
        numbers,
        {"property_type": kinds, "client_id": np.array([str(job.client_id) for job in jobs], dtype=np.str_)},
    )


def cleaner_side(cleaners: Iterable[Cleaner], moments: Moments | None = None) -> PairSide:
    """Return the columns of each cleaner by the last update of scores, or at each time, (n,) seconds.

    A constant number of queries; `select_related("standing")` is not needed. A cleaner without a CleanerScore has the
    newcomers' overall score, and the rest is unknown. `jobs_ahead` is counted now, because it changes with every accepted
    bid. What cleaners declare, such as their hourly rate, is today's at every time, because older values are not stored.
    """
    cleaners = list(cleaners)
    ids = np.array([cleaner.pk for cleaner in cleaners], dtype=np.int64)
    declared = _declared(cleaners, _OF_CLEANER)
    numbers, text_columns = _standings(ids, declared["hourly_rate"]) if moments is None else standings_as_of(ids, moments)
    return PairSide(tuple(str(key) for key in ids.tolist()), {**declared, **numbers}, dict(text_columns))


def _declared(things: Sequence[CleaningJob] | Sequence[Cleaner], names: dict[str, str]) -> dict[str, Floats]:
    read = attrgetter(*names.values())
    table = np.array([read(thing) for thing in things], dtype=np.float32).reshape(len(things), len(names))
    return {name: np.ascontiguousarray(table[:, at]) for at, name in enumerate(names)}


def _standings(ids: Ints, rates: Floats) -> tuple[dict[str, Floats], dict[str, Texts]]:
    """Return the scores of the last update by column."""
    scores = CleanerScore.objects.order_by()
    if ids.size < MANY:
        scores = scores.filter(pk__in=ids.tolist())
    found = {row[0]: row for row in scores.values_list("pk", "primary_property_type", *COLUMNS.values())}
    nothing = (None, "", *[None] * len(COLUMNS))
    rows = [found.get(key, nothing) for key in ids.tolist()]
    table = np.array([row[2:] for row in rows], dtype=np.float32).reshape(ids.size, len(COLUMNS))
    numbers = {name: np.ascontiguousarray(table[:, at]) for at, name in enumerate(COLUMNS)}
    new = np.array([row[0] is None for row in rows], dtype=np.bool_)
    for name in NEVER_UNKNOWN:
        numbers[name][new] = 0
    if new.any():
        numbers["overall_score"][new] = ScoringService().newcomer_score()
    numbers["usual_rate"] = np.where(np.isnan(numbers["usual_rate"]), rates, numbers["usual_rate"])
    numbers["jobs_ahead"] = _ahead(ids)
    return numbers, {"primary_property_type": np.array([row[1] for row in rows], dtype=np.str_)}


def _ahead(ids: Ints) -> Floats:
    agreed = CleaningJob.objects.filter(status__in=CleaningJob.AGREED, cleaner__isnull=False).order_by()
    if ids.size < MANY:
        agreed = agreed.filter(cleaner__in=ids.tolist())
    ahead = dict(agreed.values_list("cleaner").annotate(Count("pk")))
    return np.array([ahead.get(key, 0) for key in ids.tolist()], dtype=np.float32)
