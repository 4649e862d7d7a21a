"""Converts values of a site's columns into ids, times and values of interactions."""

from datetime import UTC, date, datetime, time
from decimal import Decimal
from typing import Any
from uuid import UUID

from django.core.exceptions import ValidationError
from django.db.models import Field
from django.utils import timezone

from recommendation_service.datasets.interaction_files.values import is_empty, parse_times

UNITS = ((1e11, 1.0), (1e14, 1e3), (1e17, 1e6))  # below the limit, so many units are a second: s, ms, us
DAYS = (19_000_000, 22_000_000)  # whole numbers between these are YYYYMMDD


class Unusable(Exception):
    """A value that cannot be converted; the message says why."""


def id_text(value: Any, field: "Field[Any, Any] | None" = None) -> str:
    """Return an id as text, as `field` spells it; "" if there is none."""
    if value is None or (isinstance(value, str) and is_empty(value)):
        return ""
    if field is not None:
        try:
            value = field.to_python(value)
        except (ValidationError, ValueError, TypeError):
            raise Unusable(f"{value!r} is not a {field.model.__name__}.{field.name}") from None
    return str(value)


def time_of(value: Any) -> datetime | None:
    """Return a time in UTC; None if there is none.

    A time without a zone, and the midnight of a date, are in the site's TIME_ZONE. Numbers are seconds, milliseconds or
    microseconds since 1970, or YYYYMMDD, by their size. Raises Unusable for anything else.
    """
    if isinstance(value, str):
        value = value.strip()
        value = None if is_empty(value) else _parsed(value)
    if value is None:
        return None
    if isinstance(value, datetime):
        return _aware(value)
    if isinstance(value, date):
        return _aware(datetime.combine(value, time()))
    if isinstance(value, int | float | Decimal) and not isinstance(value, bool):
        return _from_number(float(value))
    raise Unusable(f"{value!r} is not a time")


def _parsed(text: str) -> datetime | float:
    try:
        return float(text)
    except ValueError:
        pass
    try:
        return datetime.fromisoformat(text)
    except ValueError:
        seconds = parse_times([text])
    if seconds is None:
        raise Unusable(f"{text!r} is not a time")
    return datetime.fromtimestamp(seconds[0], UTC)


def _from_number(number: float) -> datetime:
    if DAYS[0] < number < DAYS[1]:
        try:
            return _aware(datetime.strptime(str(int(number)), "%Y%m%d"))  # noqa: DTZ007 - _aware adds the zone
        except ValueError:
            pass
    for limit, units in UNITS:
        if 0 <= number < limit:
            return datetime.fromtimestamp(number / units, UTC)
    raise Unusable(f"{number!r} is not a time in seconds, milliseconds or microseconds since 1970")


def _aware(moment: datetime) -> datetime:
    if moment.tzinfo is None:
        moment = moment.replace(tzinfo=timezone.get_default_timezone())
    return moment.astimezone(UTC)


def value_of(value: Any) -> float | None:
    """Return the number; None if there is none. Raises Unusable."""
    if value is None or (isinstance(value, str) and is_empty(value)):
        return None
    try:
        return float(value)
    except (TypeError, ValueError, OverflowError):
        raise Unusable(f"{value!r} is not a number") from None


def uuid_of(value: Any) -> UUID | None:
    """Return the UUID; None if there is none, or if the value is not one."""
    try:
        return value if value is None or isinstance(value, UUID) else UUID(str(value))
    except ValueError:
        return None
