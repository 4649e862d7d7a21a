"""Writes down what was shown, list by list: the site's own two tables, and the list that statistics are made of."""

import logging
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID, uuid4

from django.db import transaction
from django.db.models import Model
from django.db.utils import Error

from recommendation_service.errors import NotFound
from sites.cleaning.models import Cleaner, CleanerRecommendation, CleaningJob, JobRecommendation
from sites.cleaning.recommender.blending import Row
from sites.cleaning.recommender.list_cache import Made
from sites.cleaning.recommender.pair_scoring import USE_CASE, Way
from sites.cleaning.user_ids import of_cleaner, of_client
from tandem.services.impressions import record_impressions
from tandem.surfaces import bound_surface

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Showing:
    """One list on its way to somebody."""

    way: Way
    subject: CleaningJob | Cleaner
    made: Made
    things: Mapping[str, Any]  # id -> cleaner or job, every one of the list
    request_id: UUID

    @classmethod
    def of(cls, way: Way, subject: CleaningJob | Cleaner, made: Made, things: Mapping[str, Any]) -> "Showing":
        """With a request id of its own, also where the scores were kept; without those who are gone by now."""
        rows = [row for row in made.rows if row.id in things]
        made = made if len(rows) == len(made.rows) else made.model_copy(update={"rows": rows})
        return cls(way, subject, made, {row.id: things[row.id] for row in rows}, uuid4())


def record(showings: Sequence[Showing], *, now: datetime) -> list[list[int | None]]:
    """The keys of the written rows, list by list; None where the database refused: that costs nobody their list."""
    rows = [_written(showing, rank, row, now) for showing in showings for rank, row in enumerate(showing.made.rows, start=1)]
    try:
        with transaction.atomic():
            _insert(rows)
    except Error as error:
        log.warning("%d shown lists were not recorded: %s", len(showings), type(error).__name__, exc_info=True)
        return [[None] * len(showing.made.rows) for showing in showings]
    _tell_statistics(showings)
    keys = iter(rows)
    return [[next(keys).pk for _ in showing.made.rows] for showing in showings]


def _insert(rows: Sequence[Model]) -> None:
    CleanerRecommendation.objects.bulk_create(row for row in rows if isinstance(row, CleanerRecommendation))
    JobRecommendation.objects.bulk_create(row for row in rows if isinstance(row, JobRecommendation))


def _written(showing: Showing, rank: int, row: Row, now: datetime) -> CleanerRecommendation | JobRecommendation:
    thing, parts = showing.things[row.id], row.breakdown
    shared: dict[str, Any] = {
        "request_id": showing.request_id,
        "rank": rank,
        "score": row.score,
        "mode": row.mode,
        "degraded": showing.made.degraded,
        "rule_based_score": row.rule_based_score,
        "neural_score": row.neural_score,
        "model_version": showing.made.model_version[:80],
        "reasons": row.reasons,
        "location": parts.get("location"),
        "pricing": parts.get("pricing"),
        "specialization": parts.get("specialization"),
        "created_at": now,
    }
    subject = showing.subject
    if isinstance(subject, CleaningJob):
        standing = getattr(thing, "standing", None)
        reliability = None if standing is None else standing.reliability
        return CleanerRecommendation(
            job=subject,
            cleaner=thing,
            client_id=subject.client_id,
            quality=parts.get("quality"),
            reliability=reliability,
            **shared,
        )
    return JobRecommendation(job=thing, cleaner=subject, availability=parts.get("availability"), **shared)


def _tell_statistics(showings: Sequence[Showing]) -> None:
    """The same lists as every other site's are kept, so that clicks and bids are counted by what was shown."""
    for way in {showing.way.surface: showing.way for showing in showings}.values():
        try:
            bound = bound_surface(USE_CASE, way.surface)
        except NotFound:
            return  # a site without the declarations has no statistics either
        record_impressions(bound=bound, answers=[_answer(showing) for showing in showings if showing.way is way])


def _answer(showing: Showing) -> dict[str, Any]:
    made, subject = showing.made, showing.subject
    return {
        "request_id": str(showing.request_id),
        "user_id": of_client(subject.client_id) if isinstance(subject, CleaningJob) else of_cleaner(subject.pk),
        "use_case": USE_CASE,
        "surface": showing.way.surface,
        "method_used": made.mode,
        "model_version": made.model_version,
        "degraded": made.degraded,
        "degradation": made.degradation,
        "probabilities": {},
        "recommendations": [
            {"item_id": row.id, "position": rank, "score": row.score, "parts": {}}
            for rank, row in enumerate(made.rows, start=1)
        ],
    }
