"""Parses numbers and times as files write them."""

from collections.abc import Callable, Sequence
from datetime import UTC, datetime

import numpy as np

from recommendation_service.domain.ids import is_nothing

DATE_FORMATS = (
    "%m %d, %Y",  # Amazon's reviewTime
    "%B %d, %Y",
    "%b %d, %Y",
    "%Y/%m/%d",
    "%Y/%m/%d %H:%M:%S",
    "%Y/%m/%d %H:%M",
    "%d/%m/%Y",
    "%m/%d/%Y",
    "%d/%m/%Y %H:%M",
    "%m/%d/%Y %H:%M",
    "%d/%m/%Y %H:%M:%S",
    "%m/%d/%Y %H:%M:%S",
    "%d.%m.%Y",
    "%d-%m-%Y",
    "%d-%b-%Y",
    "%Y-%m-%d %H:%M:%S.%f %Z",
    "%Y-%m-%d %H:%M:%S %Z",
    "%a %b %d %H:%M:%S %z %Y",  # Foursquare, Twitter
)


def is_empty(cell: str) -> bool:
    """True if the cell is blank or a word for no value, such as NULL or NaN."""
    return is_nothing(cell)


def parse_number(cell: str) -> float:
    """Return the number, NaN for an empty cell, or infinity if the cell is not a number."""
    if is_empty(cell):
        return np.nan
    try:
        return float(cell)
    except ValueError:
        return np.inf


def parse_numbers(cells: Sequence[str]) -> list[float] | None:
    """Return the numbers, or None if a cell is not a number."""
    try:
        return [float(cell) for cell in cells]
    except ValueError:
        return None


def parse_times(cells: Sequence[str]) -> list[float] | None:
    """Return seconds since 1970, in the first format that fits all cells (UTC without a zone), or None if none does."""
    for parse in (datetime.fromisoformat, *map(_parser, DATE_FORMATS)):
        try:
            return [_seconds(parse(cell)) for cell in cells]
        except ValueError:
            continue
    return None


def _parser(date_format: str) -> Callable[[str], datetime]:
    return lambda cell: datetime.strptime(cell, date_format)  # noqa: DTZ007 - _seconds adds the missing zone


def _seconds(time: datetime) -> float:
    return (time if time.tzinfo else time.replace(tzinfo=UTC)).timestamp()
