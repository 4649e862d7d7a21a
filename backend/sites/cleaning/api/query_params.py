"""What the query string of a list asks for, read strictly: every error names its parameter."""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from django.http import QueryDict

from recommendation_service.domain.request import DEFAULT_LIMIT, MAX_LIMIT
from recommendation_service.errors import InvalidInput
from sites.cleaning.conf import MODES
from sites.cleaning.models import CleaningJob, PropertyType
from tandem.api.serializers import pointer, printable

NUMBER = re.compile(r"[0-9]{1,9}(\.[0-9]{1,6})?", re.ASCII)
TRUTH = {"true": True, "1": True, "false": False, "0": False}
FURTHEST_KM, DEAREST = 20_040, 1_000_000.0
DEFAULT_PAGE, MOST_PAGES = 20, 100


@dataclass(frozen=True, slots=True)
class ListQuery:
    """How long a list, scored how, out of which candidates."""

    limit: int = DEFAULT_LIMIT
    mode: str | None = None
    filters: Mapping[str, Any] | None = None


def list_query(query: QueryDict) -> ListQuery:
    """`limit`, `mode`, and the filters `max_distance`, `eco`, `property_type`, `max_price`. Raises InvalidInput."""
    values = read(query, {"limit": _limit, "mode": _mode, **FILTERS})
    filters = {name: value for name, value in values.items() if name in FILTERS}
    return ListQuery(values.get("limit", DEFAULT_LIMIT), values.get("mode"), filters)


def read(query: QueryDict, readers: Mapping[str, Callable[[str, str], Any]]) -> dict[str, Any]:
    """Each parameter that was sent as its reader reads it. Raises InvalidInput for unknown ones and for any sent twice."""
    parameters = {}
    for name in query:
        if name not in readers:
            raise wrong(name, f"is not one of {', '.join(readers) or '(none)'}")
        values = query.getlist(name)
        if len(values) != 1:
            raise wrong(name, "must come once")
        parameters[name] = readers[name](name, values[0])
    return parameters


def whole(least: int, most: int) -> Callable[[str, str], int]:
    """A reader of whole numbers."""

    def reader(name: str, text: str) -> int:
        if text.isascii() and text.isdigit() and len(text) <= len(str(most)) and least <= int(text) <= most:
            return int(text)
        raise wrong(name, f"must be one whole number from {least} to {most}")

    return reader


def find_kind(*words: str) -> Callable[[str, str], str]:
    """A reader of one word of several."""

    def reader(name: str, text: str) -> str:
        if text in words:
            return text
        raise wrong(name, f"must be one of {', '.join(words)}")

    return reader


def wrong(name: str, message: str) -> InvalidInput:
    """What is said of a parameter that cannot be used."""
    shown = printable(name, 64)
    return InvalidInput(f"{shown} {message}", fields={f"/{pointer(shown)}": message})


def _up_to(most: float) -> Callable[[str, str], float]:
    def reader(name: str, text: str) -> float:
        if NUMBER.fullmatch(text) and 0 < float(text) <= most:
            return float(text)
        raise wrong(name, f"must be one number above 0, at most {most:g}")

    return reader


def _truth(name: str, text: str) -> bool:
    if text in TRUTH:
        return TRUTH[text]
    raise wrong(name, "must be true or false")


_limit, _mode = whole(1, MAX_LIMIT), find_kind(*MODES)
FILTERS: Mapping[str, Callable[[str, str], Any]] = {
    "max_distance": whole(1, FURTHEST_KM),  # whole kilometres: closer would tell where somebody lives
    "eco": _truth,
    "property_type": find_kind(*PropertyType.values),
    "max_price": _up_to(DEAREST),
}
PAGING: Mapping[str, Callable[[str, str], Any]] = {
    "limit": _limit,
    "page": whole(1, MOST_PAGES),
    "status": find_kind(*CleaningJob.Status.values),
}


def one_id(name: str, text: str) -> str:
    """A reader of a row's number."""
    if text.isascii() and text.isdigit() and len(text) <= 18:
        return text
    raise wrong(name, "must be a number")
