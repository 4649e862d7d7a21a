"""A user's history as of the last export."""

from recommendation_service.datasets.reader import Dataset
from recommendation_service.domain.history import PastEvent
from recommendation_service.domain.query import Profile


class SnapshotHistories:
    """Reads histories from the memory-mapped arrays of an export, in some microseconds each."""

    def __init__(self, dataset: Dataset) -> None:
        """`dataset` must have been verified; it stays open."""
        self._dataset = dataset

    def history(self, user_id: str) -> tuple[PastEvent, ...] | None:
        """Return the exported events, newest first, at most SEEN_LIMIT; None for a user who is not in the export."""
        return self._dataset.past_events(user_id) if user_id in self._dataset.user_ids else None

    def profile(self, user_id: str) -> Profile:
        """Return the exported profile; empty if there is none."""
        return self._dataset.profile(user_id)
