"""Popular items of a catalogue, from the database alone: the last fallback."""

import logging
import os
import threading
import time
from collections import defaultdict
from contextlib import suppress
from pathlib import Path

import orjson
from django.db import connections
from django.db.models import Count, Subquery
from django.db.models.functions import Coalesce
from django.db.utils import Error

from tandem import cache
from tandem.conf import tandem_settings
from tandem.models import UserInteraction
from tandem.selectors.deadlines import DatabaseLate, database_deadline
from tandem.selectors.history import positive
from tandem.selectors.items import any_items, available_ids, items_by_id, title_of
from tandem.selectors.quarantined import quarantined_keys
from tandem.selectors.transactions import contained
from tandem.sources import ItemSource
from tandem.surfaces import BoundSurface

NEWEST = 50_000  # events looked at: bounds the work however large the table is
KEPT = 1000
SHARED = 100
SECONDS = 300.0
SHARED_SECONDS = 7 * 24 * 3600
LATE_S = 60.0
AGAIN_S = 5.0
WAIT_S = 0.1  # for another thread that reads the first ranking

Ranking = tuple[float, list[tuple[str, float]]]  # monotonic time, ids and scores

log = logging.getLogger(__name__)
_ranking: dict[str, Ranking] = {}  # by catalogue
_late: set[str] = set()  # catalogues whose ranking is being read by a thread
_locks: defaultdict[str, threading.Lock] = defaultdict(threading.Lock)  # by catalogue: no query blocks another catalogue


def popular_ids(bound: BoundSurface) -> list[tuple[str, float]]:
    """Return up to 1,000 item ids with the number of users who liked each recently, most popular first.

    Users are counted, not events, so that no user can raise an item with many clicks. A ranking is read again after five
    minutes, by one thread; meanwhile the others get the old one, and with the database down everyone does.
    """
    cached = _ranking.get(bound.catalogue)
    if cached is not None and time.monotonic() - cached[0] < SECONDS:
        return cached[1]
    if bound.catalogue in _late:
        return _remembered(bound, cached)
    lock = _locks[bound.catalogue]
    if not lock.acquire(timeout=0 if cached else WAIT_S):
        return _remembered(bound, cached)
    try:
        latest = _ranking.get(bound.catalogue)
        if latest is None or latest is cached:
            with contained():
                latest = _keep(bound, _read(bound))
        return latest[1]
    except DatabaseLate:
        _read_later(bound)
        return _remembered(bound, cached)
    except Error:
        return _remembered(bound, cached)
    finally:
        lock.release()


def forget_ranking() -> None:
    """Read the rankings again at the next call; for tests and after an import."""
    _ranking.clear()


def shared_items(bound: BoundSurface) -> list[tuple[str, float, str]]:
    """Return id, score and title of the items that any process last found popular, or new where few are; [] if unknown.

    They come from the cache, or from a file beside the spool, for the time when the database does not answer. Where users see
    different items, there are none.
    """
    if bound.source.limits_visibility():
        return []
    stored = cache.look_up(f"popular:{bound.catalogue}")
    if stored is None:
        with suppress(OSError, ValueError):
            stored = orjson.loads(_file(bound).read_bytes())
    return [(str(item_id), float(score), str(title)) for item_id, score, title in stored or ()]


def read_and_share(bound: BoundSurface) -> None:
    """Read the ranking of a catalogue and store it for `shared_items`, such as after an export. Errors of the database pass."""
    with suppress(Error), contained():
        _keep(bound, _read(bound))


def _file(bound: BoundSurface) -> Path:
    return tandem_settings().spool_dir / f"popular-{bound.catalogue}.json"


def _share(bound: BoundSurface, items: list[tuple[str, float, str]]) -> None:
    cache.put(f"popular:{bound.catalogue}", items, SHARED_SECONDS)
    file = _file(bound)
    own = file.with_suffix(f".{os.getpid()}-{threading.get_ident()}")
    with suppress(OSError):
        file.parent.mkdir(parents=True, exist_ok=True)
        own.write_bytes(orjson.dumps(items))
        own.replace(file)


def _remembered(bound: BoundSurface, cached: Ranking | None) -> list[tuple[str, float]]:
    return cached[1] if cached else [(item_id, score) for item_id, score, _ in shared_items(bound)]


def _keep(bound: BoundSurface, ranking: list[tuple[str, float]]) -> Ranking:
    """Remember the ranking in this process, and its first items in the cache; if that fails, read it again soon."""
    _ranking[bound.catalogue] = entry = (time.monotonic(), ranking)
    if not bound.source.limits_visibility():
        try:
            with contained():
                _share(bound, _first_items(bound.source, dict(ranking[:SHARED])))
        except Error:
            _ranking[bound.catalogue] = (entry[0] - SECONDS + AGAIN_S, ranking)
    return entry


def _first_items(source: type[ItemSource], scores: dict[str, float]) -> list[tuple[str, float, str]]:
    """Return id, score and title of the scored items that may be recommended, and of others up to SHARED in all."""
    offered = available_ids(source=source, item_ids=scores, user_id=None)
    items = items_by_id(source=source, item_ids=[item_id for item_id in scores if item_id in offered])
    ranked = [(item_id, items[item_id]) for item_id in scores if item_id in items]
    if len(ranked) < SHARED:
        others = any_items(source=source, at_most=SHARED, user_id=None)
        ranked += [(item_id, item) for item_id, item in others if item_id not in items]
    return [(item_id, scores.get(item_id, 0.0), title_of(source=source, item=item)) for item_id, item in ranked[:SHARED]]


def _read_later(bound: BoundSurface) -> None:
    """Read the ranking in a thread with connections of its own: it takes longer than a list may wait."""
    _late.add(bound.catalogue)

    def read() -> None:
        try:
            with database_deadline(LATE_S):
                _keep(bound, _read(bound))
        except Error as error:
            log.warning("popular items of %s could not be read within %g s: %s", bound.catalogue, LATE_S, type(error).__name__)
        finally:
            _late.discard(bound.catalogue)
            connections.close_all()

    threading.Thread(target=read, name=f"tandem-popular-{bound.catalogue}", daemon=True).start()


def _read(bound: BoundSurface) -> list[tuple[str, float]]:
    events = UserInteraction.objects.filter(catalogue__name=bound.catalogue)
    oldest = Subquery(events.order_by("-id").values("id")[NEWEST - 1 : NEWEST])  # of the newest; MariaDB has no LIMIT inside IN
    quarantined = quarantined_keys()
    events = events.exclude(user_id__in=quarantined) if quarantined else events
    liked = events.filter(id__gte=Coalesce(oldest, 0)).filter(positive(bound.use_case))
    counted = liked.values("item__item_id").annotate(people=Count("user_id", distinct=True))
    ranked = counted.order_by("-people", "item__item_id").values_list("item__item_id", "people")[:KEPT]
    return [(item_id, float(people)) for item_id, people in ranked]
