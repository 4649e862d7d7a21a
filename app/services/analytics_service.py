"""Statistics of the lists, as the backend counts them."""

from typing import Any
from urllib.parse import quote

from app.services.backend import Backend

PATH = "/api/v1/recommendations/stats"


class AnalyticsService:
    """What the lists led to: recommendations, clicks, enrolments and CTR."""

    def __init__(self, backend: Backend) -> None:
        """Figures come from `backend`."""
        self._backend = backend

    def user_stats(self, user_id: str) -> dict[str, Any]:
        """Return the figures of one learner. Raises Unavailable, also for an unknown learner."""
        return self._backend.request("GET", f"{PATH}/user/{quote(user_id, safe='')}")

    def global_stats(self) -> dict[str, Any]:
        """Return the figures of all learners. Raises Unavailable."""
        return self._backend.request("GET", f"{PATH}/global")
