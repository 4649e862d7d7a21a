"""The cleaners for a job and the jobs for a cleaner, as the tables are now, and the filters of both lists."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields
from datetime import datetime
from decimal import Decimal
from functools import partial
from hashlib import sha256
from typing import Any

import numpy as np
from django.db.models import Aggregate, Exists, Field, Model, OuterRef, Q, QuerySet, TextField
from django.db.models.functions import JSONArray
from django.utils import timezone

from recommendation_service.core.numeric import Bools
from recommendation_service.datasets.pair_features import PairTable
from recommendation_service.domain.query import Profile
from recommendation_service.errors import InvalidInput, NotFound
from sites.cleaning.conf import cache_seconds, ensemble_weights
from sites.cleaning.models import Cleaner, CleaningJob, JobBid, PropertyType
from sites.cleaning.scoring.pair_features import cleaner_side, job_side
from sites.cleaning.scoring.service import ScoringService
from sites.cleaning.user_ids import parse_pk
from tandem.sources import CandidateSet

TRUTH = {"true": True, "1": True, "false": False, "0": False}
STRONG = 80.0  # from here on a half of the network is a reason
NO_REASON = "Nothing stands out; the score is the mean of its parts"
REASONS: Mapping[str, Mapping[str, str]] = {
    "cleaners": {
        "collaborative": "Clients like this one rate them highly",
        "content": "Cleaners like them did jobs like this one well",
        "new": "New here: no jobs or reviews yet",
    },
    "jobs": {
        "collaborative": "Clients like this one rate you highly",
        "content": "Cleaners like you did jobs like this one well",
        "new": "You are new here: no jobs or reviews of yours yet",
    },
}
CLEANER_COLUMNS = (
    "pk", "is_available", "eco_friendly", "hourly_rate", "latitude", "longitude", "reach_km", "jobs_a_week",
    "standing__is_active", "standing__updated_at", "standing__overall_score",
)  # fmt: skip
JOB_COLUMNS = (
    "pk", "client", "status", "eco_friendly", "hours", "budget", "posted_at", "wanted_for",
    "place", "place__kind", "place__size_m2", "place__latitude", "place__longitude",
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Filters:
    """The filters of a list; None: no limit. The distance and the price are of the pair, not of one side."""

    max_distance: float | None = None  # km
    eco: bool = False  # True: eco-friendly only
    property_type: tuple[str, ...] = ()  # of the job; of a cleaner, what they do most
    min_price: float | None = None  # €: what a cleaner would ask for this job; of a job, its budget
    max_price: float | None = None

    def as_strings(self) -> dict[str, tuple[str, ...]]:
        """Return the filters that are set, as `recommend` takes them; `read_filters` reads them back."""
        values = {item.name: getattr(self, item.name) for item in fields(self)}
        chosen = {name: value for name, value in values.items() if value not in (None, False, ())}
        return {name: value if isinstance(value, tuple) else (str(value).lower(),) for name, value in chosen.items()}


def read_filters(values: Mapping[str, Any] | None) -> Filters:
    """Return the filters. Raises InvalidInput for an unknown name, naming the known ones, and for a wrong value."""
    read = {}
    for name, value in (values or {}).items():
        if name not in READERS:
            raise _wrong(str(name)[:40], f"is no filter; there are {', '.join(READERS)}")
        if value is not None:
            read[name] = READERS[name](name, value)
    filters = Filters(**read)
    if filters.min_price is not None and filters.max_price is not None and filters.min_price > filters.max_price:
        raise _wrong("min_price", "must not be above max_price")
    return filters


def cleaners_for_jobs(job_ids: Sequence[str], filters: Profile) -> dict[str, CandidateSet]:
    """Return the cleaners of today for each job; none for a job that is over. Raises NotFound, InvalidInput.

    The number of queries does not depend on the number of jobs.
    """
    jobs, (criteria, facets) = _subjects(CleaningJob, job_ids), _read(filters, "standing__primary_property_type")
    sides, version, now = job_side(jobs.values()), _cleaners_version(), timezone.now()
    cleaners = cleaners_for(criteria).filter(facets)
    result = {}
    for index, (job_id, job) in enumerate(jobs.items()):
        unavailable = closed(job, now)
        result[job_id] = CandidateSet(
            subject=sides.take(np.array([index])),
            rows=Cleaner.objects.none() if unavailable else cleaners,
            version=f"{version}:{unavailable}",
            side_key="" if unavailable else version,
            fits=partial(fitting, criteria, price="bid"),
            unavailable=unavailable,
            weights=ensemble_weights,
            cache_seconds=cache_seconds(),
            reasons=partial(_reasons, "cleaners"),
        )
    return result


def jobs_for_cleaners(cleaner_ids: Sequence[str], filters: Profile) -> dict[str, CandidateSet]:
    """Return the jobs of today for each cleaner. Raises NotFound, InvalidInput."""
    cleaners, (criteria, facets) = _subjects(Cleaner, cleaner_ids), _read(filters, "place__kind")
    sides, now = cleaner_side(cleaners.values()), timezone.now()
    result = {}
    for index, (cleaner_id, cleaner) in enumerate(cleaners.items()):
        rows = jobs_for(cleaner, criteria, now).filter(facets)
        result[cleaner_id] = CandidateSet(
            subject=sides.take(np.array([index])),
            rows=rows,
            version=rows_version(rows.select_related(None), JOB_COLUMNS),
            fits=partial(fitting, criteria, price="budget"),
            weights=ensemble_weights,
            cache_seconds=cache_seconds(),
            reasons=partial(_reasons, "jobs"),
        )
    return result


def cleaners_for(filters: Filters) -> QuerySet[Cleaner]:
    """Return cleaners who take jobs and were active recently, or who have no score yet because they joined just now."""
    active = Q(standing__isnull=True) | Q(standing__is_active=True)
    cleaners = Cleaner.objects.filter(active, is_available=True)
    if filters.eco:
        cleaners = cleaners.filter(eco_friendly=True)
    if filters.property_type:
        cleaners = cleaners.filter(standing__primary_property_type__in=filters.property_type)
    return cleaners.order_by("pk")


def jobs_for(cleaner: Cleaner, filters: Filters, now: datetime) -> QuerySet[CleaningJob]:
    """Return future jobs that take bids, without those of the cleaner's own account and those they have a bid for."""
    own_bids = JobBid.objects.filter(job=OuterRef("pk"), cleaner=cleaner).exclude(status=JobBid.Status.WITHDRAWN)
    jobs = CleaningJob.objects.filter(~Exists(own_bids), status__in=CleaningJob.OFFERED, wanted_for__gt=now)
    if cleaner.account_id is not None:
        jobs = jobs.exclude(client__account_id=cleaner.account_id)
    if filters.eco:
        jobs = jobs.filter(eco_friendly=True)
    if filters.property_type:
        jobs = jobs.filter(place__kind__in=filters.property_type)
    return jobs.select_related("place").order_by("pk")


def closed(job: CleaningJob, now: datetime) -> str:
    """Return why the job takes no cleaner any more, or "" while it does."""
    if job.status not in CleaningJob.OFFERED:
        return f"the job is {job.status} and needs no cleaner"
    return "" if job.wanted_for > now else "the time the job was wanted for is past"


def fitting(filters: Filters, pairs: PairTable, *, price: str) -> Bools:
    """(n,) True for pairs within the cleaner's reach and the filters; `price` is the column that prices are compared with.

    A cleaner without eco-friendly products fits no job that wants only these. An unknown distance or price fits no filter
    of it.
    """
    distance, amounts = pairs.number("distance_km"), pairs.number(price)
    fits = ~(distance > pairs.number("reach_km"))  # where either is unknown, nothing speaks against the pair
    fits = fits & ~((pairs.number("eco_wanted") > 0) & (pairs.number("eco_offered") == 0))
    for limit, column, sign in (
        (filters.max_distance, distance, 1),
        (filters.max_price, amounts, 1),
        (filters.min_price, amounts, -1),
    ):
        if limit is not None:
            fits = fits & (sign * column <= np.float32(sign * limit))
    return np.asarray(fits, dtype=np.bool_)


def _subjects(model: type[Model], ids: Sequence[str]) -> dict[str, Any]:
    """Return the rows by id, in the order of the ids; one query. Raises NotFound that names the first unknown id."""
    keys = {text: parse_pk(text) for text in ids}
    rows = model._default_manager.in_bulk([key for key in keys.values() if key is not None])
    missing = next((text for text, key in keys.items() if key not in rows), None)
    if missing is not None:
        raise NotFound(f"there is no {model._meta.verbose_name} {missing}")
    return {text: rows[key] for text, key in keys.items()}


def _read(values: Profile, category: str) -> tuple[Filters, Q]:
    """Return the marketplace's filters, and a condition for the filters that every catalogue has."""
    facets = Q()
    if "category" in values:
        facets &= Q(**{f"{category}__in": values["category"]})
    if "eco_friendly" in values:
        facets &= Q(eco_friendly__in=[value.casefold() == "true" for value in values["eco_friendly"]])
    criteria = {name: value if name == "property_type" else value[0] for name, value in values.items() if name in READERS}
    unknown = next((name for name in values if name not in READERS and name not in ("category", "eco_friendly")), None)
    return read_filters({**criteria, unknown: ""} if unknown else criteria), facets


class AllRows(Aggregate):
    """All rows as one JSON text, or its MD5 where the database can compute it: tables with different rows have different texts.

    Rows without an order may give another text for the same rows, which costs a cache miss and nothing else.
    """

    function = "JSON_ARRAYAGG"
    output_field: "Field[Any, Any]" = TextField()

    def as_sqlite(self, compiler: Any, connection: Any, **context: Any) -> Any:
        """SQLite has the function under another name."""
        return self.as_sql(compiler, connection, function="JSON_GROUP_ARRAY", **context)

    def as_postgresql(self, compiler: Any, connection: Any, **context: Any) -> Any:
        """PostgreSQL returns 32 characters instead of all rows; sorted, because it may scan rows in any order."""
        row = '(%(expressions)s)::text COLLATE "C"'
        return self.as_sql(compiler, connection, template=f"MD5(STRING_AGG({row}, ',' ORDER BY {row}))", **context)


def rows_version(rows: QuerySet[Any], columns: Sequence[str]) -> str:
    """Return a digest of these columns of every row: one aggregate query that returns one value."""
    text = rows.order_by().aggregate(text=AllRows(JSONArray(*columns)))["text"]
    return sha256(repr(text).encode()).hexdigest()[:32]


def _cleaners_version() -> str:
    """Return a version of everything that cleaners' columns are made of: rows, scores, jobs ahead, the newcomers' score."""
    ahead = CleaningJob.objects.filter(status__in=CleaningJob.AGREED, cleaner__isnull=False)
    versions = rows_version(Cleaner.objects.all(), CLEANER_COLUMNS), rows_version(ahead, ("pk", "cleaner"))
    return sha256(repr((*versions, ScoringService().newcomer_score())).encode()).hexdigest()[:32]


def _reasons(catalogue: str, by_rules: Sequence[str], pairs: PairTable, row: int, parts: Mapping[str, float]) -> list[str]:
    """Return the reasons of the rules, the network's strongest half, and that a cleaner is new."""
    halves = {name: parts[name] for name in ("collaborative", "content") if name in parts}
    best = max(halves, key=lambda name: halves[name], default="")
    reasons = [*by_rules, REASONS[catalogue][best]] if best and halves[best] >= STRONG else list(by_rules)
    if all(not np.nan_to_num(pairs.number(name)[row]) for name in ("review_count", "total_jobs")):
        reasons.append(REASONS[catalogue]["new"])
    return reasons or [NO_REASON]


def _positive(name: str, value: Any) -> float:
    try:
        number = float(value) if isinstance(value, int | float | Decimal | str) and not isinstance(value, bool) else math.nan
    except (ValueError, OverflowError):
        number = math.nan
    if not (math.isfinite(number) and number > 0):
        raise _wrong(name, "must be a number above 0")
    return number


def _truth(name: str, value: Any) -> bool:
    truth = value if isinstance(value, bool) else TRUTH.get(value) if isinstance(value, str) else None
    if truth is None:
        raise _wrong(name, "must be true or false")
    return truth


def _kinds(name: str, value: Any) -> tuple[str, ...]:
    kinds = (value,) if isinstance(value, str) else value
    if not isinstance(kinds, tuple | list) or not kinds or any(kind not in PropertyType.values for kind in kinds):
        raise _wrong(name, f"must be of {', '.join(PropertyType.values)}")
    return tuple(str(kind) for kind in kinds)


def _wrong(name: str, message: str) -> InvalidInput:
    return InvalidInput(f"{name} {message}", fields={f"/filters/{name}": message})


READERS: Mapping[str, Any] = {
    "max_distance": _positive,
    "eco": _truth,
    "property_type": _kinds,
    "min_price": _positive,
    "max_price": _positive,
}
