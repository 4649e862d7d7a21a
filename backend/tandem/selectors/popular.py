"""The last resort that needs nothing but the database: what most people liked lately."""

import threading
import time

from django.db.models import Count
from django.db.utils import Error

from tandem.models import UserInteraction
from tandem.selectors.history import positive
from tandem.surfaces import BoundSurface

NEWEST = 50_000  # events looked at: bounds the work however large the table is
KEPT = 1000
SECONDS = 300.0

_ranking: dict[str, tuple[float, list[tuple[str, float]]]] = {}  # catalogue -> (monotonic time, ids and scores)
_lock = threading.Lock()


def popular_ids(bound: BoundSurface) -> list[tuple[str, float]]:
    """Up to 1,000 item ids with the number of people who liked each lately, most first; at most five minutes old.

    People, not events, are counted, so that nobody lifts an item by clicking. With the database down the last ranking
    this process knew is given, or an empty one.
    """
    known = _ranking.get(bound.catalogue)
    if known is not None and time.monotonic() - known[0] < SECONDS:
        return known[1]
    with _lock:
        known = _ranking.get(bound.catalogue)
        if known is None or time.monotonic() - known[0] >= SECONDS:
            try:
                known = (time.monotonic(), _read(bound))
            except Error:
                return known[1] if known else []
            _ranking[bound.catalogue] = known
        return known[1]


def forget_ranking() -> None:
    """Read again at the next call; for tests and after an import."""
    _ranking.clear()


def _read(bound: BoundSurface) -> list[tuple[str, float]]:
    events = UserInteraction.objects.filter(catalogue__name=bound.catalogue)
    newest = events.order_by("-id").values("id")[:NEWEST]
    liked = UserInteraction.objects.filter(id__in=newest).filter(positive(bound.use_case))
    counted = liked.values("item__item_id").annotate(people=Count("user_id", distinct=True))
    ranked = counted.order_by("-people", "item__item_id").values_list("item__item_id", "people")[:KEPT]
    return [(item_id, float(people)) for item_id, people in ranked]
