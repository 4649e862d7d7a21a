"""Popular items of a catalogue, from the database alone: the last fallback."""

import threading
import time
from collections import defaultdict

from django.db.models import Count, Subquery
from django.db.models.functions import Coalesce
from django.db.utils import Error

from tandem.models import UserInteraction
from tandem.selectors.history import positive
from tandem.selectors.quarantined import quarantined_keys
from tandem.selectors.transactions import contained
from tandem.surfaces import BoundSurface

NEWEST = 50_000  # events looked at: bounds the work however large the table is
KEPT = 1000
SECONDS = 300.0

_ranking: dict[str, tuple[float, list[tuple[str, float]]]] = {}  # catalogue -> (monotonic time, ids and scores)
_locks: defaultdict[str, threading.Lock] = defaultdict(threading.Lock)  # by catalogue: no query blocks another catalogue


def popular_ids(bound: BoundSurface) -> list[tuple[str, float]]:
    """Return up to 1,000 item ids with the number of users who liked each recently, most popular first.

    Users are counted, not events, so that no user can raise an item with many clicks. A ranking is read again after five
    minutes, by one thread; meanwhile the others get the old one, and with the database down everyone does.
    """
    cached = _ranking.get(bound.catalogue)
    if cached is not None and time.monotonic() - cached[0] < SECONDS:
        return cached[1]
    lock = _locks[bound.catalogue]
    if not lock.acquire(blocking=cached is None):
        return cached[1] if cached else []
    try:
        latest = _ranking.get(bound.catalogue)
        if latest is None or latest is cached:
            with contained():
                latest = _ranking[bound.catalogue] = (time.monotonic(), _read(bound))
        return latest[1]
    except Error:
        return cached[1] if cached else []
    finally:
        lock.release()


def forget_ranking() -> None:
    """Read the rankings again at the next call; for tests and after an import."""
    _ranking.clear()


def _read(bound: BoundSurface) -> list[tuple[str, float]]:
    events = UserInteraction.objects.filter(catalogue__name=bound.catalogue)
    oldest = Subquery(events.order_by("-id").values("id")[NEWEST - 1 : NEWEST])  # of the newest; MariaDB has no LIMIT inside IN
    quarantined = quarantined_keys()
    events = events.exclude(user_id__in=quarantined) if quarantined else events
    liked = events.filter(id__gte=Coalesce(oldest, 0)).filter(positive(bound.use_case))
    counted = liked.values("item__item_id").annotate(people=Count("user_id", distinct=True))
    ranked = counted.order_by("-people", "item__item_id").values_list("item__item_id", "people")[:KEPT]
    return [(item_id, float(people)) for item_id, people in ranked]
