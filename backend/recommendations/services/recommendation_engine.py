"""The marketplace's engine under the name that sites import it by; the setting RECOMMENDATION_ENGINE says which it is."""

from collections.abc import Mapping, Sequence
from typing import Any, Protocol

from django.conf import settings
from django.utils.module_loading import import_string

__all__ = ["RecommendationEngine", "TwoWayEngine"]


class TwoWayEngine(Protocol):
    """Shows clients whom to ask, and cleaners which jobs to bid for. Every list is a list of dicts, the best first."""

    mode: str

    def __init__(self, mode: str | None = None) -> None: ...

    def recommend_cleaners_for_job(self, job: Any, limit: int = 10, filters: Mapping[str, Any] | None = None) -> Sequence[Any]:
        """Cleaners who suit a job."""
        ...

    def recommend_jobs_for_cleaner(
        self, cleaner: Any, limit: int = 10, filters: Mapping[str, Any] | None = None
    ) -> Sequence[Any]:
        """Jobs that suit a cleaner."""
        ...

    def recommend_cleaners_for_jobs(self, jobs: Sequence[Any], limit: int = 10) -> Sequence[Sequence[Any]]:
        """Cleaners for each of many jobs."""
        ...


RecommendationEngine: type[TwoWayEngine] = import_string(settings.RECOMMENDATION_ENGINE)
