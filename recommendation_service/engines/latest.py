"""What a thread worked out for the query it is answering, so that explaining does not repeat scoring."""

import threading
from typing import Generic, TypeVar, cast

from recommendation_service.domain.query import Query

Worked = TypeVar("Worked")


class Latest(Generic[Worked]):
    """One value per thread, valid for one query object only."""

    def __init__(self) -> None:
        self._own = threading.local()

    def keep(self, query: Query, value: Worked) -> Worked:
        """Remember `value` for `query` in place of whatever this thread remembered, and return it."""
        self._own.kept = (query, value)
        return value

    def of(self, query: Query) -> Worked | None:
        """What this thread kept for exactly this query, or None."""
        kept = getattr(self._own, "kept", None)
        return cast(Worked, kept[1]) if kept is not None and kept[0] is query else None
