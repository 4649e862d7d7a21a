"""Logs interactions: each is sent to the backend, whose table is what training learns from."""

from typing import Any

from app.running import USE_CASE
from app.services.backend import Backend


class InteractionLogger:
    """Sends events of learners to POST /api/v1/interactions."""

    def __init__(self, backend: Backend) -> None:
        """Events go through `backend`."""
        self._backend = backend

    def log(self, user_id: str, course_id: str, event: str, *, request_id: str | None = None) -> bool:
        """Store one event, with the list that it answers; False if it was stored before. Raises Unavailable with the reason."""
        row: dict[str, Any] = {"user_id": user_id, "item_id": course_id, "event": event, "use_case": USE_CASE}
        if request_id is not None:
            row["request_id"] = request_id
        return bool(self._backend.request("POST", "/api/v1/interactions", row)["accepted"])
