"""A user's past as of the last export: always there, as old as that export."""

from recommendation_service.datasets.files import Dataset
from recommendation_service.histories.base import Past


class SnapshotHistories:
    """Reads pasts from one export's memory-mapped arrays, some microseconds each."""

    def __init__(self, dataset: Dataset) -> None:
        """`dataset` must have been verified; it stays open."""
        self._dataset = dataset

    def past(self, user_id: str) -> Past:
        """The exported past and profile; empty for a user the export does not know."""
        return Past(events=self._dataset.past_events(user_id), profile=self._dataset.profile(user_id))
