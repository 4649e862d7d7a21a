"""A user's past as of the last export: always there, as old as that export."""

from recommendation_service.datasets.reader import Dataset
from recommendation_service.domain.history import PastEvent
from recommendation_service.domain.query import Profile


class SnapshotHistories:
    """Reads pasts from one export's memory-mapped arrays, some microseconds each."""

    def __init__(self, dataset: Dataset) -> None:
        """`dataset` must have been verified; it stays open."""
        self._dataset = dataset

    def history(self, user_id: str) -> tuple[PastEvent, ...] | None:
        """The exported events, newest first, at most SEEN_LIMIT; None for a user the export does not know."""
        return self._dataset.past_events(user_id) if user_id in self._dataset.user_ids else None

    def profile(self, user_id: str) -> Profile:
        """The exported profile; empty when there is none."""
        return self._dataset.profile(user_id)
