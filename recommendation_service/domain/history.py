"""What one user did: in outside words (PastEvent) and in catalogue rows (History)."""

from dataclasses import dataclass

import numpy as np

from recommendation_service.numeric import Floats, Ints

HISTORY_LIMIT = 500


@dataclass(frozen=True, slots=True)
class PastEvent:
    """One recorded interaction in outside words."""

    item_id: str
    event: str
    time: float  # seconds since 1970-01-01 UTC
    value: float | None = None  # what the event carries, such as the stars of a rating


@dataclass(frozen=True, slots=True, eq=False)
class History:
    """One user's past in catalogue rows, bounded to the newest HISTORY_LIMIT items."""

    rows: Ints  # (k,) unique, newest first
    weights: Floats  # (k,) may be zero or negative: seen without liking, a dislike
    count: int  # events that count towards routing, not items: may exceed k

    def liked(self) -> tuple[Ints, Floats]:
        """Rows and weights of the items with a positive weight, newest first."""
        positive = self.weights > 0
        return self.rows[positive], self.weights[positive]

    @classmethod
    def empty(cls) -> "History":
        """The past of someone who has done nothing yet."""
        return cls(np.empty(0, dtype=np.int64), np.empty(0, dtype=np.float32), 0)
