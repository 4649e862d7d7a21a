"""Cleaners for a job and jobs for a cleaner: lists of `tandem.services.recommend`, with the rows that store their outcomes.

A mode is a strategy of the surface: rule_based, neural or ensemble.
"""

import logging
from collections.abc import Mapping, Sequence
from typing import Any, NotRequired, TypedDict
from uuid import UUID

from django.db import transaction
from django.db.utils import Error
from django.utils import timezone

from recommendation_service.domain.request import DEFAULT_LIMIT, MAX_LIMIT
from recommendation_service.errors import InvalidInput
from sites.cleaning.candidates import read_filters
from sites.cleaning.conf import ENSEMBLE, NEURAL, RULE_BASED, check_mode, ensemble_weights
from sites.cleaning.models import Cleaner, CleanerRecommendation, CleaningJob, JobRecommendation
from sites.cleaning.user_ids import of_cleaner, of_client
from tandem.selectors.items import items_by_id
from tandem.services.recommend import recommend_for_subjects
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
    """Makes lists in one `mode`: rule_based, neural or ensemble. None: the setting RECOMMENDATION_MODE.

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
        return self.recommend_cleaners_for_jobs([job], limit, filters)[0]

    def recommend_cleaners_for_jobs(
        self, jobs: Sequence[CleaningJob], limit: int = DEFAULT_LIMIT, filters: Mapping[str, Any] | None = None
    ) -> list[Recommendations]:
        """Return a list for each job, in that order, with as many queries as for one job."""
        subjects = [(of_client(job.client_id), str(job.pk)) for job in jobs]
        lists = self._lists(CLEANERS_FOR_JOB, "cleaner", subjects, limit, filters)
        rows = [
            CleanerRecommendation(
                job=job,
                client_id=job.client_id,
                cleaner=item["cleaner"],
                reliability=getattr(getattr(item["cleaner"], "standing", None), "reliability", None),
                **_columns(listed, item, "quality"),
            )
            for job, listed in zip(jobs, lists, strict=True)
            for item in listed
        ]
        _record(lists, CleanerRecommendation, rows)
        return lists

    def recommend_jobs_for_cleaner(
        self, cleaner: Cleaner, limit: int = DEFAULT_LIMIT, filters: Mapping[str, Any] | None = None
    ) -> Recommendations:
        """Return jobs that suit a cleaner and that they have not bid for, recorded as shown to them; otherwise as above."""
        subjects = [(of_cleaner(cleaner.pk), str(cleaner.pk))]
        (listed,) = self._lists(JOBS_FOR_CLEANER, "job", subjects, limit, filters)
        rows = [
            JobRecommendation(job=item["job"], cleaner=cleaner, **_columns(listed, item, "availability")) for item in listed
        ]
        _record([listed], JobRecommendation, rows)
        return listed

    def _lists(
        self, surface: str, kind: str, subjects: Sequence[tuple[str, str]], limit: int, filters: Mapping[str, Any] | None
    ) -> list[Recommendations]:
        if isinstance(limit, bool) or not isinstance(limit, int) or not 1 <= limit <= MAX_LIMIT:
            message = f"must be one whole number from 1 to {MAX_LIMIT}"
            raise InvalidInput(f"limit {message}", fields={"/limit": message})
        answers = recommend_for_subjects(
            use_case=USE_CASE,
            surface=surface,
            subjects=subjects,
            limit=limit,
            filters=read_filters(filters).as_strings(),
            explain=True,
            strategy=self.mode,
        )
        item_ids = {item["item_id"] for answer in answers for item in answer["recommendations"]}
        rows = items_by_id(source=bound_surface(USE_CASE, surface).source, item_ids=item_ids)
        return [
            Recommendations(
                [
                    _recommendation(kind, rows[item["item_id"]], item)
                    for item in answer["recommendations"]
                    if item["item_id"] in rows
                ],
                answer,
                self.mode,
            )
            for answer in answers
        ]


def _recommendation(kind: str, row: Cleaner | CleaningJob, item: Mapping[str, Any]) -> Recommendation:
    parts = item["parts"]
    recommendation: Any = {
        kind: row,
        "score": item["score"],
        "rule_based_score": parts.get(RULE_BASED),
        "neural_score": parts.get(NEURAL),
        "breakdown": {name: parts.get(name) for name in BREAKDOWN},
        "reasoning": list(item["reasons"]),
        "rank": item["position"],
        "recommendation_id": None,
    }
    return recommendation  # type: ignore[no-any-return]  # a TypedDict cannot be built with a variable key


def _record(lists: Sequence[Recommendations], model: Any, rows: Sequence[Any]) -> None:
    """Write one row per item, which later stores its outcome; without the database the items have no ids."""
    now = timezone.now()
    for row in rows:
        row.created_at = now
    try:
        with transaction.atomic():
            model._default_manager.bulk_create(rows)
    except Error as error:
        log.warning("%d rows of shown lists were not recorded: %s", len(rows), type(error).__name__, exc_info=True)
        return
    for item, row in zip((item for listed in lists for item in listed), rows, strict=True):
        item["recommendation_id"] = row.pk


def _columns(listed: Recommendations, item: Recommendation, part: str) -> dict[str, Any]:
    """Return the columns of both tables, `part` among the parts of the score."""
    return {
        "request_id": listed.request_id,
        "rank": item["rank"],
        "score": item["score"],
        "mode": RULE_BASED if item["neural_score"] is None else listed.mode,
        "degraded": listed.degraded,
        "rule_based_score": item["rule_based_score"],
        "neural_score": item["neural_score"],
        "model_version": listed.model_version[:80],
        "reasons": item["reasoning"],
        **{name: item["breakdown"][name] for name in (part, "location", "pricing", "specialization")},
    }
