"""Numbers and times as files write them."""

from collections.abc import Callable, Sequence
from datetime import UTC, datetime

FORMATS = (
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


def numbers(cells: Sequence[str]) -> list[float] | None:
    """None where one of them is no number."""
    try:
        return [float(cell) for cell in cells]
    except ValueError:
        return None


def instants(cells: Sequence[str]) -> list[float] | None:
    """Seconds since 1970, of the first way of writing that fits all of them; UTC where no zone is told. None: there is none."""
    for read in (datetime.fromisoformat, *map(_written, FORMATS)):
        try:
            return [_seconds(read(cell)) for cell in cells]
        except ValueError:
            continue
    return None


def _written(form: str) -> Callable[[str], datetime]:
    return lambda cell: datetime.strptime(cell, form)  # noqa: DTZ007 - the zone is set where it is missing


def _seconds(told: datetime) -> float:
    return (told if told.tzinfo else told.replace(tzinfo=UTC)).timestamp()
