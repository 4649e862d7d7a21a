"""Query parameters of a recommendation request, parsed strictly: every error names its parameter."""

import unicodedata
from collections.abc import Iterable
from dataclasses import dataclass

from django.http import QueryDict

from api.problems import printable
from recommendation_service.domain.query import DEFAULT_LIMIT, MAX_LIMIT, Profile
from recommendation_service.errors import InvalidInput

OWN_WORDS = ("limit", "explain")
TRUTH = {"true": True, "1": True, "false": False, "0": False}
MAX_VALUES = 100
MAX_VALUE_LENGTH = 200


@dataclass(frozen=True, slots=True)
class Parameters:
    """What the query string asked for."""

    limit: int
    explain: bool
    filters: Profile


def parse(query: QueryDict, *, facets: Iterable[str]) -> Parameters:
    """The parameters, where `facets` are the filters that the catalogue declares. Raises InvalidInput."""
    known = sorted(facets)
    unknown = [name for name in query if name not in OWN_WORDS and name not in known]
    if unknown:
        told = f"not one of limit, explain and the filters {', '.join(known) or '(none)'}"
        shown = printable(unknown[0], 64)
        raise InvalidInput(f"unknown parameter '{shown}': {told}", fields={f"/{pointer(shown)}": told})
    return Parameters(
        limit=_limit(query.getlist("limit")),
        explain=_truth("explain", query.getlist("explain")),
        filters={name: _values(name, query.getlist(name)) for name in query if name in known},
    )


def pointer(step: str) -> str:
    """One step of a JSON pointer (RFC 6901)."""
    return step.replace("~", "~0").replace("/", "~1")


def _limit(values: list[str]) -> int:
    if not values:
        return DEFAULT_LIMIT
    text = values[0]
    if len(values) == 1 and text.isascii() and text.isdigit() and len(text) <= 3 and 1 <= int(text) <= MAX_LIMIT:
        return int(text)
    told = f"must be one whole number from 1 to {MAX_LIMIT}"
    raise InvalidInput(f"limit {told}", fields={"/limit": told})


def _truth(name: str, values: list[str]) -> bool:
    if not values:
        return False
    if len(values) == 1 and values[0] in TRUTH:
        return TRUTH[values[0]]
    raise InvalidInput(f"{name} must be true or false, once", fields={f"/{name}": "must be true or false, once"})


def _values(name: str, values: list[str]) -> tuple[str, ...]:
    if len(values) > MAX_VALUES or any(not 1 <= len(value) <= MAX_VALUE_LENGTH for value in values):
        told = f"takes 1 to {MAX_VALUES} values of 1 to {MAX_VALUE_LENGTH} characters"
        raise InvalidInput(f"{name} {told}", fields={f"/{pointer(name)}": told})
    return tuple(unicodedata.normalize("NFC", value) for value in values)
