"""What one user did: in outside words (PastEvent) and in catalogue rows (History)."""

from dataclasses import dataclass, field

import numpy as np

from recommendation_service.core.numeric import Floats, Ints

HISTORY_LIMIT = 500  # items whose weight counts for taste
SEEN_LIMIT = 5000  # events that are remembered as seen


def _no_rows() -> Ints:
    return np.empty(0, dtype=np.int64)


@dataclass(frozen=True, slots=True)
class PastEvent:
    """One recorded interaction in outside words."""

    item_id: str
    event: str
    time: float  # seconds since 1970-01-01 UTC
    value: float | None = None  # what the event carries, such as the stars of a rating


@dataclass(frozen=True, slots=True, eq=False)
class History:
    """One user's past in catalogue rows: the newest HISTORY_LIMIT items with their weights, older ones only as seen."""

    rows: Ints  # (k,) unique, newest first
    weights: Floats  # (k,) may be zero or negative: seen without liking, a dislike
    count: int  # events that count towards routing, not items: may exceed k
    older: Ints = field(default_factory=_no_rows)  # rows seen before those, unique, without a say in taste
    older_disliked: Ints = field(default_factory=_no_rows)  # those of `older` whose weight is negative

    def liked(self) -> tuple[Ints, Floats]:
        """Rows and weights of the items with a positive weight, newest first."""
        positive = self.weights > 0
        return self.rows[positive], self.weights[positive]

    def disliked(self) -> Ints:
        """Rows with a negative weight, however old."""
        return np.concatenate([self.rows[self.weights < 0], self.older_disliked])

    @classmethod
    def empty(cls) -> "History":
        """The past of someone who has done nothing yet."""
        return cls(np.empty(0, dtype=np.int64), np.empty(0, dtype=np.float32), 0)
