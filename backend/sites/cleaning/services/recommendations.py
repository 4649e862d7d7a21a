"""Cleaners for a job and jobs for a cleaner: lists of `tandem.services.recommend`, with the rows that outcomes are kept in.

A mode is a strategy of the surface: rule_based, neural or ensemble.
"""

import logging
from collections.abc import Mapping, Sequence
from typing import Any, NotRequired, TypedDict
from uuid import UUID

from django.db import transaction
from django.db.utils import Error
from django.utils import timezone

from recommendation_service.domain.query import DEFAULT_LIMIT, MAX_LIMIT
from recommendation_service.errors import InvalidInput
from sites.cleaning.candidates import read_filters
from sites.cleaning.conf import ENSEMBLE, NEURAL, RULE_BASED, check_mode, ensemble_weights
from sites.cleaning.models import Cleaner, CleanerRecommendation, CleaningJob, JobRecommendation
from sites.cleaning.user_ids import of_cleaner, of_client
from tandem.selectors.items import items_by_id
from tandem.services.recommend import recommend
from tandem.surfaces import bound_surface

log = logging.getLogger(__name__)

USE_CASE = "cleaning"
CLEANERS_FOR_JOB, JOBS_FOR_CLEANER = "cleaners-for-job", "jobs-for-cleaner"
BREAKDOWN = ("quality", "location", "specialization", "pricing", "availability")


class Recommendation(TypedDict):
    """One item of a list."""

    cleaner: NotRequired[Cleaner]
    job: NotRequired[CleaningJob]
    score: float  # 0 to 100
    rule_based_score: float | None
    neural_score: float | None  # None: the network was not asked, or has no prediction
    breakdown: dict[str, float | None]  # quality, location, specialization, pricing, availability: 0 to 100, None: unknown
    reasoning: list[str]
    rank: int
    recommendation_id: int | None  # None: the database could not record it


class Recommendations(list[Recommendation]):
    """A list, the best first, and how it was made."""

    def __init__(self, rows: Sequence[Recommendation], answer: Mapping[str, Any], asked_mode: str) -> None:
        super().__init__(rows)
        self.request_id = UUID(answer["request_id"])
        self.asked_mode = asked_mode
        self.mode: str = answer["method_used"]  # what made the scores
        self.degraded: bool = answer["degraded"]
        self.degradation: list[dict[str, str]] = answer["degradation"]  # engine, code, detail of what is missing
        self.model_version: str = answer["model_version"]


class RecommendationEngine:
    """Scores by `mode`: rule_based, neural or ensemble. None: the setting RECOMMENDATION_MODE.

    Raises InvalidInput for an unknown mode, ImproperlyConfigured for a wrong setting.
    """

    def __init__(self, mode: str | None = None) -> None:
        self.mode = check_mode(mode)
        if self.mode == ENSEMBLE:
            ensemble_weights()  # a wrong setting must stop the engine before the first list

    def recommend_cleaners_for_job(
        self, job: CleaningJob, limit: int = DEFAULT_LIMIT, filters: Mapping[str, Any] | None = None
    ) -> Recommendations:
        """Return cleaners who suit a job, recorded as shown to its client. Empty, with the reason, for a job that is over.

        `filters` are max_distance (km), eco, property_type, min_price and max_price (€). Raises InvalidInput for others
        and for a limit that is not 1 to 100, NotFound for a job that was deleted.
        """
        return self._recommend(CLEANERS_FOR_JOB, job, of_client(job.client_id), limit, filters)

    def recommend_jobs_for_cleaner(
        self, cleaner: Cleaner, limit: int = DEFAULT_LIMIT, filters: Mapping[str, Any] | None = None
    ) -> Recommendations:
        """Return jobs that suit a cleaner and that they have not bid for, recorded as shown to them; otherwise as above."""
        return self._recommend(JOBS_FOR_CLEANER, cleaner, of_cleaner(cleaner.pk), limit, filters)

    def recommend_cleaners_for_jobs(self, jobs: Sequence[CleaningJob], limit: int = DEFAULT_LIMIT) -> list[Recommendations]:
        """Return a list for each job, in that order."""
        return [self.recommend_cleaners_for_job(job, limit) for job in jobs]

    def _recommend(
        self, surface: str, subject: CleaningJob | Cleaner, user_id: str, limit: int, filters: Mapping[str, Any] | None
    ) -> Recommendations:
        if isinstance(limit, bool) or not isinstance(limit, int) or not 1 <= limit <= MAX_LIMIT:
            message = f"must be one whole number from 1 to {MAX_LIMIT}"
            raise InvalidInput(f"limit {message}", fields={"/limit": message})
        answer = recommend(
            use_case=USE_CASE,
            surface=surface,
            user_id=user_id,
            item_ids=[str(subject.pk)],
            limit=limit,
            filters=read_filters(filters).as_strings(),
            explain=True,
            strategy=self.mode,
        )
        source = bound_surface(USE_CASE, surface).source
        items = items_by_id(source=source, item_ids=[item["item_id"] for item in answer["recommendations"]])
        key = "cleaner" if surface == CLEANERS_FOR_JOB else "job"
        rows = [
            _recommendation(key, items[item["item_id"]], item) for item in answer["recommendations"] if item["item_id"] in items
        ]
        listed = Recommendations(rows, answer, self.mode)
        _record(listed, subject)
        return listed


def _recommendation(key: str, shown: Cleaner | CleaningJob, item: Mapping[str, Any]) -> Recommendation:
    parts = item["parts"]
    found: Any = {
        key: shown,
        "score": item["score"],
        "rule_based_score": parts.get(RULE_BASED),
        "neural_score": parts.get(NEURAL),
        "breakdown": {name: parts.get(name) for name in BREAKDOWN},
        "reasoning": list(item["reasons"]),
        "rank": item["position"],
        "recommendation_id": None,
    }
    recommendation: Recommendation = found
    return recommendation


def _record(listed: Recommendations, subject: CleaningJob | Cleaner) -> None:
    """Write one row per item, which later keeps its outcome; without the database the list has no ids."""
    now = timezone.now()
    if isinstance(subject, CleaningJob):
        rows: Any = [_cleaner_row(listed, row, subject) for row in listed]
    else:
        rows = [JobRecommendation(job=row["job"], cleaner=subject, **_columns(listed, row, "availability")) for row in listed]
    for row in rows:
        row.created_at = now
    try:
        with transaction.atomic():
            type(rows[0])._default_manager.bulk_create(rows) if rows else None
    except Error as error:
        log.warning("the %d rows of a shown list were not recorded: %s", len(rows), type(error).__name__, exc_info=True)
        return
    for recommendation, row in zip(listed, rows, strict=True):
        recommendation["recommendation_id"] = row.pk


def _cleaner_row(listed: Recommendations, row: Recommendation, job: CleaningJob) -> CleanerRecommendation:
    standing = getattr(row["cleaner"], "standing", None)
    return CleanerRecommendation(
        job=job,
        cleaner=row["cleaner"],
        client_id=job.client_id,
        reliability=None if standing is None else standing.reliability,
        **_columns(listed, row, "quality"),
    )


def _columns(listed: Recommendations, row: Recommendation, part: str) -> dict[str, Any]:
    """Return the columns of both tables, `part` among the parts of the score."""
    return {
        "request_id": listed.request_id,
        "rank": row["rank"],
        "score": row["score"],
        "mode": RULE_BASED if row["neural_score"] is None else listed.mode,
        "degraded": listed.degraded,
        "rule_based_score": row["rule_based_score"],
        "neural_score": row["neural_score"],
        "model_version": listed.model_version[:80],
        "reasons": row["reasoning"],
        **{name: row["breakdown"][name] for name in (part, "location", "pricing", "specialization")},
    }
