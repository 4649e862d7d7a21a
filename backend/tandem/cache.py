"""The cache of lists: fresh for a minute, and kept for a day as the last good answer.

Values are JSON, never pickles: a process that can write to the cache must not be able to run code here. Every error of the
cache is a miss; after an error the cache is not used for a second, so a dead Redis costs one timeout per second.
"""

import random
import time
import uuid
from collections.abc import Callable, Iterable
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, date, datetime
from hashlib import sha256
from typing import Any

import orjson
from django.core.cache import BaseCache, caches
from pydantic import ValidationError

from recommendation_service.domain.answer import Answer
from tandem.conf import tandem_settings

try:
    from redis.exceptions import RedisError
except ImportError:  # Redis is an option; without it nothing raises its errors

    class RedisError(Exception):  # type: ignore[no-redef]  # stands in for the class of the absent package
        """A stand-in that is never raised."""


SCHEMA = 3
LAST_GOOD_SECONDS = 24 * 3600
CHECKED_SECONDS = 4  # an item taken out of the catalogue is gone from cached lists within this
DAY_COUNTS_SECONDS = 14 * 24 * 3600
LEAVE_ALONE_SECONDS = 1.0
JITTER = 0.1
CACHE_ERRORS = (OSError, ValueError, TypeError, KeyError, AttributeError, RedisError)

_sick_until = 0.0  # monotonic


class JSONSerializer:
    """The serializer of Django's Redis cache: JSON, because loading a pickle can run code."""

    def dumps(self, value: Any) -> bytes | int:
        """Return JSON; integers stay integers, so that Redis can increment them."""
        return value if type(value) is int else orjson.dumps(value)

    def loads(self, stored: bytes) -> Any:
        """Return the value. Raises ValueError for text that is not JSON."""
        return orjson.loads(stored)


@dataclass(frozen=True, slots=True)
class CachedAnswer:
    """An answer from the cache."""

    answer: dict[str, Any]
    history_version: str  # version of the user's history when the list was requested
    state: str  # state of the service at that time; empty if unknown
    fresh: bool  # not expired, and nothing was recorded for the user since
    checked: bool  # its items were in the catalogue a few seconds ago


def key_of(*parts: Any) -> str:
    """Return the cache key of one list: a hash of what was requested and of the version of the schema."""
    return sha256(orjson.dumps([SCHEMA, *parts], option=orjson.OPT_SORT_KEYS)).hexdigest()[:40]


def read(key: str, user_id: str | None) -> CachedAnswer | None:
    """Return the list under `key` if it belongs to this user, else None."""
    names = {"kept": f"recs:kept:{key}", "fresh": f"recs:fresh:{key}", "checked": f"recs:checked:{key}"}
    version_key = _version_key(user_id)
    values = _try(lambda: cache().get_many([*names.values(), version_key])) or {}
    entry = values.get(names["kept"])
    if not isinstance(entry, dict) or not all(isinstance(entry.get(name), str) for name in ("history_version", "state")):
        return None
    try:
        answer = Answer.model_validate(entry.get("answer")).model_dump()
    except ValidationError:
        return None
    if answer["user_id"] != user_id:
        return None
    fresh = values.get(names["fresh"]) == entry.get("version") and names["fresh"] in values
    fresh = fresh and values.get(version_key, "") == entry.get("version")
    return CachedAnswer(answer, entry["history_version"], entry["state"], fresh, names["checked"] in values)


def save(
    key: str,
    user_id: str | None,
    answer: dict[str, Any],
    *,
    history_version: str,
    state: str,
    version: str,
    seconds: int | None = None,
    count: bool = False,
) -> None:
    """Store a list under `key`; `history_version` and `version` are from before the request, so later events make it stale.

    `seconds` is how long it is fresh; None: the setting CACHE_SECONDS. With `count`, `count_hit` can count.
    """
    seconds = tandem_settings().cache_seconds if seconds is None else seconds
    jittered = seconds * random.uniform(1 - JITTER, 1 + JITTER)  # noqa: S311 - spreads expiry, guards nothing

    def write() -> None:
        cache().set(
            f"recs:kept:{key}",
            {"answer": answer, "history_version": history_version, "state": state, "version": version},
            LAST_GOOD_SECONDS,
        )
        cache().set(f"recs:checked:{key}", 1, CHECKED_SECONDS)
        if seconds > 0:
            cache().set(f"recs:fresh:{key}", version, max(1, round(jittered)))
        if seconds > 0 and count:
            cache().set(f"recs:fresh:{key}:hits", 0, max(1, round(jittered)))

    _try(write)


def count_hit(key: str, *, where: str) -> None:
    """Count that the list under `key` was shown again, for itself and for the day at `where`, "<use case>:<surface>".

    The list's own count expires with it and a day's after two weeks, so counts never pile up.
    """

    def count() -> None:
        with suppress(ValueError):  # the count is gone a moment before its list: nothing to count on
            cache().incr(f"recs:fresh:{key}:hits")
        day = _day_name(where, datetime.now(UTC).date())
        cache().add(day, 0, DAY_COUNTS_SECONDS)
        cache().incr(day)

    _try(count)


def hits_by_day(where: str, days: Iterable[date]) -> dict[date, int]:
    """Return how many cached lists of `where` were shown again, by day (UTC); days without a count are absent.

    Counts are kept for two weeks, and are lost with the cache.
    """
    names = {day: _day_name(where, day) for day in days}
    values = _try(lambda: cache().get_many(list(names.values()))) or {}
    return {day: count for day, name in names.items() if isinstance(count := values.get(name), int)}


def hits_of(key: str) -> int:
    """Return how often the list under `key` was shown again; 0 if it is no longer fresh."""
    values = _try(lambda: cache().get(f"recs:fresh:{key}:hits", 0))
    return values if isinstance(values, int) else 0


def mark_checked(key: str) -> None:
    """Remember for a few seconds that the items of this list are still in the catalogue."""
    _try(lambda: cache().set(f"recs:checked:{key}", 1, CHECKED_SECONDS))


def cache_version(user_id: str | None) -> str:
    """Return the user's cache version, which changes with every recorded interaction; "" if none was recorded lately."""
    values = _try(lambda: cache().get(_version_key(user_id), ""))
    return values if isinstance(values, str) else ""


def forget(user_id: str) -> None:
    """Make every list of this user stale, in all processes that share the cache."""
    _try(lambda: cache().set(_version_key(user_id), uuid.uuid4().hex, 2 * LAST_GOOD_SECONDS))


def forget_recorded(sender: Any, *, user_id: str, **_others: Any) -> None:
    """`forget`, as a receiver of `interaction_recorded`."""
    forget(user_id)


def look_up(name: str) -> Any:
    """Return the value that a site stored under `name`; None if there is none or the cache fails."""
    return _try(lambda: cache().get(f"recs:own:{name}"))


def put(name: str, value: Any, seconds: int) -> None:
    """Store a JSON value of a site under `name` for `seconds`; 0 stores nothing."""
    if seconds > 0:
        _try(lambda: cache().set(f"recs:own:{name}", value, seconds))


def _day_name(where: str, day: date) -> str:
    return f"recs:hits:{where}:{day.isoformat()}"


def _version_key(user_id: str | None) -> str:
    return f"recs:turn:{sha256((user_id or '').encode()).hexdigest()[:40]}"


def cache() -> BaseCache:
    """Return the cache of TANDEM["CACHE_ALIAS"]."""
    return caches[tandem_settings().cache_alias]


def _try(work: Callable[[], Any]) -> Any:
    """Return the result of `work`, or None if the cache fails or failed less than a second ago."""
    global _sick_until
    if time.monotonic() < _sick_until:
        return None
    try:
        return work()
    except CACHE_ERRORS:
        _sick_until = time.monotonic() + LEAVE_ALONE_SECONDS
        return None
