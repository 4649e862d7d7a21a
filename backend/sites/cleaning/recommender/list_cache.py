"""Scored lists, kept for as long as RECOMMENDATION_CACHE_TTL says, under a key of all that a score is made of.

What is kept is the calculation, never the truth: who may be shown is asked of the tables again with every list, and a row
that changed in the tables is another key. So nothing has to be thrown away when somebody is hired or changes their price.
"""

import threading
from collections.abc import Mapping
from hashlib import sha256
from typing import Any

from django.db.models import Count, ExpressionWrapper, F, FloatField, Max, Model, Q, QuerySet, Sum
from pydantic import BaseModel, ConfigDict, ValidationError

from recommendation_service.domain.side import Side
from sites.cleaning.conf import cache_seconds
from sites.cleaning.models import Cleaner, CleaningJob
from sites.cleaning.recommender.blending import Row
from sites.cleaning.recommender.candidates import Filters
from sites.cleaning.recommender.pair_scoring import CLEANERS_FOR_JOB, Way, rule_words
from sites.cleaning.scoring.service import ScoringService
from tandem import cache

VERSION = 1  # of what is kept
DEGRADED_SECONDS = 3  # the service may be back at any moment
REMEMBERED = 4  # sides of all cleaners; 10,000 of them are under 2 MB
OF_CLEANERS = ("hourly_rate", "latitude", "longitude", "reach_km", "jobs_a_week")
OF_JOBS = ("pk", "client", "status", "eco_friendly", "hours", "budget", "posted_at", "wanted_for")
OF_PLACES = ("place", "place__kind", "place__size_m2", "place__latitude", "place__longitude")

_sides: dict[tuple[str, bool, tuple[str, ...]], Side] = {}
_lock = threading.Lock()


class Made(BaseModel):
    """A scored list, and how it came about."""

    model_config = ConfigDict(strict=True, frozen=True, extra="forbid")

    about: str  # the surface, and what the list is for
    mode: str
    degraded: bool
    degradation: list[dict[str, str]]
    model_version: str
    rows: list[Row]


def about(way: Way, subject: Model) -> str:
    """Whose list it is."""
    return f"{way.surface}:{subject.pk}"


def key_of(about: str, own: Side, stamp: str, question: Mapping[str, Any]) -> str:
    """The key of a list but for what the service serves: all that its scores depend on."""
    numbers = {name: repr(column.tolist()) for name, column in own.numbers.items()}
    words = {name: column.tolist() for name, column in own.words.items()}
    return cache.key_of("cleaning", VERSION, about, numbers, words, stamp, repr(sorted(question.items())), dict(rule_words()))


def read(key: str, state: str, wanted: str) -> Made | None:
    """The list under `key` made while the service served `state`, if it is the one `wanted`; None for anything else."""
    try:
        found = Made.model_validate(cache.look_up(_name(key, state)))
    except ValidationError:
        return None
    return found if found.about == wanted else None


def keep(key: str, state: str, made: Made) -> None:
    """Keep a list; one that is not as it should be only for a moment."""
    seconds = cache_seconds()
    cache.put(_name(key, state), made.model_dump(), min(seconds, DEGRADED_SECONDS) if made.degraded else seconds)


def side_of(way: Way, offered: QuerySet[Any], stamp: str, filters: Filters) -> Side:
    """What is known of the candidates. That of cleaners is remembered in this process until the stamp changes."""
    if way is not CLEANERS_FOR_JOB:
        return way.things(list(offered))
    key = (stamp, filters.eco, filters.property_type)
    with _lock:
        side = _sides.get(key)
    if side is None:
        side = way.things(list(offered))
        with _lock:
            while len(_sides) >= REMEMBERED:
                del _sides[next(iter(_sides))]
            _sides[key] = side
    return side


def stamp_of_cleaners() -> str:
    """A word that changes with every cleaner who comes, goes or changes, and with every standing."""
    sums = {f"{name}_": Sum(ExpressionWrapper(F("pk") * F(name), output_field=FloatField())) for name in OF_CLEANERS}
    stands = Sum(ExpressionWrapper(F("pk") * F("standing__overall_score"), output_field=FloatField()))
    agreed = CleaningJob.objects.filter(status__in=CleaningJob.AGREED).aggregate(
        ahead=Count("pk"), by=Sum(F("pk") * F("cleaner"))
    )
    prior = {"newcomer": ScoringService().newcomer_score()}
    found = (
        agreed
        | prior
        | Cleaner.objects.aggregate(
            n=Count("pk"),
            free=Sum("pk", filter=Q(is_available=True)),
            eco=Sum("pk", filter=Q(eco_friendly=True)),
            ranked=Count("standing"),
            active=Sum("pk", filter=Q(standing__is_active=True)),
            worked_out=Max("standing__updated_at"),
            stands=stands,
            **sums,
        )
    )
    # a sum of floats may differ in its last digits from run to run
    return _hashed([f"{value:.13g}" if isinstance(value, float) else str(value) for _, value in sorted(found.items())])


def stamp_of_jobs(jobs: QuerySet[CleaningJob]) -> str:
    """A word that changes with every one of these jobs that comes, goes or changes."""
    return _hashed(list(jobs.select_related(None).values_list(*OF_JOBS, *OF_PLACES)))


def _name(key: str, state: str) -> str:
    return f"cleaning:{key}:{sha256(state.encode()).hexdigest()[:16]}"


def _hashed(values: Any) -> str:
    return sha256(repr(values).encode()).hexdigest()[:32]
