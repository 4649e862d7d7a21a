"""Where a user's past comes from when an Ask brings none."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Protocol

from recommendation_service.domain.history import PastEvent
from recommendation_service.domain.query import Profile


@dataclass(frozen=True, slots=True)
class Past:
    """What is known of one user. `count` is None where it must be derived from the events."""

    events: Sequence[PastEvent] = ()  # newest first, at most HISTORY_LIMIT
    count: int | None = None
    profile: Profile = field(default_factory=dict)


class Histories(Protocol):
    """A source of pasts for one catalogue."""

    def past(self, user_id: str) -> Past:
        """The user's past; an empty one for somebody unknown. Never raises for a failing source."""
        ...
