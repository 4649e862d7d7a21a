"""Who may be shown for a job and which jobs to a cleaner, as the tables are now, and what a caller narrows that down by."""

import math
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Any

import numpy as np
from django.db.models import Exists, OuterRef, Q, QuerySet

from recommendation_service.core.numeric import Bools
from recommendation_service.datasets.pair_features import PairTable
from recommendation_service.errors import InvalidInput
from sites.cleaning.models import Cleaner, CleaningJob, JobBid, PropertyType

TRUTH = {"true": True, "1": True, "false": False, "0": False}


@dataclass(frozen=True, slots=True)
class Filters:
    """What a list is narrowed down to. None: no matter. The distance and the price are of the pair, not of one side."""

    max_distance: float | None = None  # km
    eco: bool = False  # True: eco-friendly only
    property_type: tuple[str, ...] = ()  # of the job; of a cleaner, what they do most
    min_price: float | None = None  # €: what a cleaner would ask for this job; of a job, its budget
    max_price: float | None = None


def read_filters(told: Mapping[str, Any] | None) -> Filters:
    """The filters of that name. Raises InvalidInput, naming the known ones, for another name or a value that cannot be."""
    found = {}
    for name, value in (told or {}).items():
        if name not in READERS:
            raise _wrong(str(name)[:40], f"is no filter; there are {', '.join(READERS)}")
        if value is not None:
            found[name] = READERS[name](name, value)
    filters = Filters(**found)
    if filters.min_price is not None and filters.max_price is not None and filters.min_price > filters.max_price:
        raise _wrong("min_price", "must not be above max_price")
    return filters


def cleaners_for(filters: Filters) -> QuerySet[Cleaner]:
    """Cleaners who take jobs and did something lately, or whose standing was not worked out yet: they joined just now."""
    active = Q(standing__isnull=True) | Q(standing__is_active=True)
    found = Cleaner.objects.filter(active, is_available=True)
    if filters.eco:
        found = found.filter(eco_friendly=True)
    if filters.property_type:
        found = found.filter(standing__primary_property_type__in=filters.property_type)
    return found.order_by("pk")


def jobs_for(cleaner: Cleaner, filters: Filters, now: datetime) -> QuerySet[CleaningJob]:
    """Jobs that take bids, lie ahead, and have none of this cleaner's that still stands; none of their own account's."""
    own = JobBid.objects.filter(job=OuterRef("pk"), cleaner=cleaner).exclude(status=JobBid.Status.WITHDRAWN)
    found = CleaningJob.objects.filter(~Exists(own), status__in=CleaningJob.OFFERED, wanted_for__gt=now)
    if cleaner.account_id is not None:
        found = found.exclude(client__account_id=cleaner.account_id)
    if filters.eco:
        found = found.filter(eco_friendly=True)
    if filters.property_type:
        found = found.filter(place__kind__in=filters.property_type)
    return found.select_related("place").order_by("pk")


def closed(job: CleaningJob, now: datetime) -> str:
    """Why nobody is looked for any more, in words; "" while somebody is."""
    if job.status not in CleaningJob.OFFERED:
        return f"the job is {job.status}, so nobody is looked for"
    return "" if job.wanted_for > now else "the time the job was wanted for is past"


def fitting(filters: Filters, pairs: PairTable, *, price: str) -> Bools:
    """(n,) which pairs lie within the cleaner's reach and the filters; `price` is the column that prices are compared with.

    Who does not work with eco-friendly products fits no job that wants only these. A distance or price that is not
    known fits no filter of it.
    """
    far, asked = pairs.number("distance_km"), pairs.number(price)
    fits = ~(far > pairs.number("reach_km"))  # where either is unknown, nothing speaks against it
    fits = fits & ~((pairs.number("eco_wanted") > 0) & (pairs.number("eco_offered") == 0))
    for limit, column, sign in (
        (filters.max_distance, far, 1),
        (filters.max_price, asked, 1),
        (filters.min_price, asked, -1),
    ):
        if limit is not None:
            fits = fits & (sign * column <= np.float32(sign * limit))
    return np.asarray(fits, dtype=np.bool_)


def _positive(name: str, value: Any) -> float:
    try:
        number = float(value) if isinstance(value, int | float | Decimal | str) and not isinstance(value, bool) else math.nan
    except (ValueError, OverflowError):
        number = math.nan
    if not (math.isfinite(number) and number > 0):
        raise _wrong(name, "must be a number above 0")
    return number


def _truth(name: str, value: Any) -> bool:
    found = value if isinstance(value, bool) else TRUTH.get(value) if isinstance(value, str) else None
    if found is None:
        raise _wrong(name, "must be true or false")
    return found


def _kinds(name: str, value: Any) -> tuple[str, ...]:
    words = (value,) if isinstance(value, str) else value
    if not isinstance(words, tuple | list) or not words or any(word not in PropertyType.values for word in words):
        raise _wrong(name, f"must be of {', '.join(PropertyType.values)}")
    return tuple(str(word) for word in words)


def _wrong(name: str, told: str) -> InvalidInput:
    return InvalidInput(f"{name} {told}", fields={f"/filters/{name}": told})


READERS: Mapping[str, Any] = {
    "max_distance": _positive,
    "eco": _truth,
    "property_type": _kinds,
    "min_price": _positive,
    "max_price": _positive,
}
