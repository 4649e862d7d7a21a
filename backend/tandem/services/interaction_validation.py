"""One interaction from outside, checked: which catalogue, event, time and value it means, or what is wrong with it."""

import time as clock
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any
from uuid import UUID, uuid4

from recommendation_service.domain.ids import clean_id
from recommendation_service.errors import InvalidInput
from tandem.sources import all_sources, source_of, use_case_of
from tandem.use_cases import load, names

FIELDS = ("event_id", "user_id", "item_id", "event", "use_case", "catalogue", "time", "value", "request_id")
EARLIEST = 631_152_000.0  # 1990-01-01: before it, a time is a mistake of units
AHEAD_S = 86_400.0  # a clock may run ahead by this much, or stand in another zone
LARGEST_VALUE = 1e9


@dataclass(frozen=True, slots=True)
class CleanRow:
    """An interaction that may be written."""

    event_id: UUID
    user_id: str
    item_id: str
    event: str
    catalogue: str
    time: datetime
    value: float | None
    request_id: UUID | None


@dataclass(slots=True)
class _Problems:
    """Problems are gathered, so that a client sees all of them at once."""

    errors: list[dict[str, str]] = field(default_factory=list)

    def wrong(self, name: str, detail: str) -> None:
        self.errors.append({"pointer": f"/{name}", "detail": detail})


def clean_row(raw: Any, *, now: float | None = None) -> CleanRow | list[dict[str, str]]:
    """The row ready to be written, or its problems as [{"pointer", "detail"}]; `now` is seconds since 1970 UTC."""
    if not isinstance(raw, Mapping):
        return [{"pointer": "", "detail": "must be an object"}]
    problems = _Problems()
    for name in raw:
        if name not in FIELDS:
            problems.wrong(_shown(name), f"is not known; known are {', '.join(FIELDS)}")
    user_id, item_id = _id(raw, "user_id", problems), _id(raw, "item_id", problems)
    catalogue = _catalogue(raw, problems)
    event = _event(raw, catalogue, problems)
    time = _time(raw.get("time"), clock.time() if now is None else now, problems)
    value = _value(raw.get("value"), problems)
    event_id, request_id = _uuid(raw, "event_id", problems), _uuid(raw, "request_id", problems)
    if problems.errors:
        return problems.errors
    return CleanRow(event_id or uuid4(), user_id, item_id, event, catalogue, time, value, request_id)


def catalogue_of(raw: Mapping[str, Any]) -> str | None:
    """The catalogue that a row means, or None when it means none that is known."""
    return _catalogue(raw, _Problems()) or None


def _shown(name: Any) -> str:
    text = "".join(letter if letter.isprintable() else "?" for letter in str(name)[:64])
    return text.replace("~", "~0").replace("/", "~1")


def _id(raw: Mapping[str, Any], name: str, problems: _Problems) -> str:
    value = raw.get(name)
    if not isinstance(value, str):
        problems.wrong(name, "is required, as text" if value is None else "must be text")
        return ""
    try:
        return clean_id(value, field=name)
    except InvalidInput as error:
        problems.wrong(name, error.fields.get(f"/{name}", error.message))
        return ""


def _catalogue(raw: Mapping[str, Any], problems: _Problems) -> str:
    """The catalogue that is named, or the only one of the use case that is named."""
    catalogue, use_case = raw.get("catalogue"), raw.get("use_case")
    known = [source.catalogue for source in all_sources()]
    if isinstance(catalogue, str):
        source = source_of(catalogue)
        if source is None:
            problems.wrong("catalogue", f"is not known here; known are {', '.join(known)}")
            return ""
        if use_case is not None and use_case != use_case_of(source):
            problems.wrong("use_case", f"does not have that catalogue; it belongs to {use_case_of(source)}")
        return catalogue
    if catalogue is not None or not isinstance(use_case, str):
        problems.wrong("catalogue", f"name the catalogue, one of {', '.join(known)}")
        return ""
    owned = [source.catalogue for source in all_sources() if use_case_of(source) == use_case]
    if len(owned) != 1:
        fix = f"name one of {', '.join(owned)} as catalogue" if owned else f"is not known here; known are {_use_cases()}"
        problems.wrong("use_case", fix)
        return ""
    return owned[0]


def _use_cases() -> str:
    return ", ".join(sorted({use_case_of(source) for source in all_sources()}))


def _event(raw: Mapping[str, Any], catalogue: str, problems: _Problems) -> str:
    event = raw.get("event")
    if not isinstance(event, str):
        problems.wrong("event", "is required, as text" if event is None else "must be text")
        return ""
    source = source_of(catalogue) if catalogue else None
    if source is not None and use_case_of(source) in names():
        known = load(use_case_of(source)).events
        if event not in known and event.lower() in known:  # some sites write CART_ADD
            return event.lower()
        if event not in known:
            problems.wrong("event", f"is not an event of {use_case_of(source)}; those are {', '.join(known)}")
    return event


def _time(raw: Any, now: float, problems: _Problems) -> datetime:
    """ISO 8601 (without a zone: UTC), seconds since 1970, or nothing for now."""
    moment = datetime.fromtimestamp(now, UTC)
    if raw is None:
        return moment
    try:
        moment = _moment(raw)
    except (ValueError, TypeError, OverflowError, OSError):
        problems.wrong("time", "must be ISO 8601 such as 2025-03-01T12:00:00Z, or seconds since 1970")
        return moment
    if not EARLIEST <= moment.timestamp() <= now + AHEAD_S:
        problems.wrong("time", "must lie between 1990 and now; seconds, not milliseconds, are counted since 1970")
    return moment


def _moment(raw: Any) -> datetime:
    if isinstance(raw, bool):
        raise TypeError
    if isinstance(raw, int | float):
        return datetime.fromtimestamp(raw, UTC)
    moment = raw if isinstance(raw, datetime) else datetime.fromisoformat(raw)
    return moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment.astimezone(UTC)


def _value(raw: Any, problems: _Problems) -> float | None:
    if raw is None:
        return None
    if isinstance(raw, bool) or not isinstance(raw, int | float) or not abs(raw) <= LARGEST_VALUE:  # NaN is not
        problems.wrong("value", "must be a finite number, at most 1e9 in size")
        return None
    return float(raw)


def _uuid(raw: Mapping[str, Any], name: str, problems: _Problems) -> UUID | None:
    value = raw.get(name)
    if value is None or isinstance(value, UUID):
        return value
    try:
        return UUID(value)
    except (ValueError, AttributeError, TypeError):
        problems.wrong(name, "must be a UUID")
        return None
