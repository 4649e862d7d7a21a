"""What one user did: as recorded events with external ids (PastEvent), and in catalogue rows (History)."""

from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Annotated, Any

import numpy as np
from pydantic import BeforeValidator, ConfigDict, Field, PlainSerializer, WithJsonSchema

from recommendation_service.core.numeric import Floats, Ints
from recommendation_service.domain.ids import EventName, ExternalId

HISTORY_LIMIT = 500  # items whose weight counts for taste
SEEN_LIMIT = 5000  # events that are remembered as seen
UNKNOWN_TIME = float("-inf")  # of an event whose time nobody knows: it comes before every known time


def _no_rows() -> Ints:
    return np.empty(0, dtype=np.int64)


def _seconds(raw: Any) -> float:
    """Return Unix seconds of ISO 8601 text with an offset; UNKNOWN_TIME of None."""
    if raw is None:
        return UNKNOWN_TIME
    if not isinstance(raw, str):
        raise ValueError("must be ISO 8601 text such as 2026-01-31T12:00:00Z, or null if it is unknown")
    timestamp = datetime.fromisoformat(raw)
    if timestamp.tzinfo is None:
        raise ValueError("needs an offset such as Z or +00:00")
    return timestamp.timestamp()


def _iso(seconds: float) -> str | None:
    return None if seconds == UNKNOWN_TIME else datetime.fromtimestamp(seconds, UTC).isoformat()


@dataclass(frozen=True, slots=True)
class PastEvent:
    """One recorded interaction of a user. JSON is validated; Python code that creates an event is trusted."""

    __pydantic_config__ = ConfigDict(extra="forbid")

    item_id: ExternalId
    event: EventName
    time: Annotated[  # seconds since 1970-01-01 UTC, UNKNOWN_TIME if nobody knows it; ISO 8601 or null in JSON
        float,
        BeforeValidator(_seconds),
        PlainSerializer(_iso, when_used="json"),
        WithJsonSchema({"anyOf": [{"type": "string", "format": "date-time"}, {"type": "null"}]}),
        Field(description="ISO 8601 with an offset; null if it is unknown"),
    ]
    value: Annotated[float, Field(strict=True, allow_inf_nan=False)] | None = None  # such as the stars of a rating


@dataclass(frozen=True, slots=True, eq=False)
class History:
    """One user's history in catalogue rows: the newest HISTORY_LIMIT items with their weights, older items only as seen."""

    rows: Ints  # (k,) unique, newest first
    weights: Floats  # (k,) may be zero or negative: seen without liking, a dislike
    count: int  # events that count towards routing, not items: may exceed k
    older: Ints = field(default_factory=_no_rows)  # rows seen before those, unique, without a weight
    older_disliked: Ints = field(default_factory=_no_rows)  # those of `older` whose weight is negative
    events: Ints = field(default_factory=_no_rows)  # (k,) each row's strongest event, an index of `verbs`; (0,): unknown
    verbs: tuple[str, ...] = ()  # what the user did, such as "bought"; "": no verb is known

    def liked(self) -> tuple[Ints, Floats]:
        """Return rows and weights of the items with a positive weight, newest first."""
        positive = self.weights > 0
        return self.rows[positive], self.weights[positive]

    def disliked(self) -> Ints:
        """Return all rows with a negative weight, older ones included."""
        return np.concatenate([self.rows[self.weights < 0], self.older_disliked])

    @classmethod
    def empty(cls) -> "History":
        """Return the history of a user without interactions."""
        return cls(np.empty(0, dtype=np.int64), np.empty(0, dtype=np.float32), 0)
