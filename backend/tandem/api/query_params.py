"""Query parameters of a recommendation request, parsed strictly: every error names its parameter."""

import unicodedata
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from django.http import QueryDict

from recommendation_service.domain.ids import clean_id
from recommendation_service.domain.query import DEFAULT_LIMIT, MAX_LIMIT, Profile
from recommendation_service.errors import InvalidInput
from tandem.api.problem_details import printable

EXPLAIN, STRATEGY, DAYS = "explain", "strategy", "days"
TRUTH = {"true": True, "1": True, "false": False, "0": False}
MAX_VALUES = 100
MAX_VALUE_LENGTH = 200


@dataclass(frozen=True, slots=True)
class Parameters:
    """What the query string asked for."""

    limit: int
    explain: bool
    filters: Profile
    strategy: str | None = None


def parse(
    query: QueryDict,
    *,
    facets: Iterable[str],
    limit_name: str = "limit",
    default_limit: int = DEFAULT_LIMIT,
    strategies: Sequence[str] = (),
    others: Sequence[str] = (),
) -> Parameters:
    """The parameters, where `facets` are the filters that the catalogue declares. Raises InvalidInput.

    `limit_name` is the path's own word for how many; `others` are words that the path itself reads.
    """
    own = (limit_name, EXPLAIN, *((STRATEGY,) if strategies else ()), *others)
    known = sorted(set(facets) - set(own))
    unknown = [name for name in query if name not in own and name not in known]
    if unknown:
        told = f"not one of {', '.join(own)} and the filters {', '.join(known) or '(none)'}"
        shown = printable(unknown[0], 64)
        raise InvalidInput(f"unknown parameter '{shown}': {told}", fields={f"/{pointer(shown)}": told})
    return Parameters(
        limit=_limit(limit_name, query.getlist(limit_name), default_limit),
        explain=_truth(EXPLAIN, query.getlist(EXPLAIN)),
        filters={name: _values(name, query.getlist(name)) for name in query if name in known},
        strategy=_strategy(query.getlist(STRATEGY), strategies) if strategies else None,
    )


def pointer(step: str) -> str:
    """One step of a JSON pointer (RFC 6901)."""
    return step.replace("~", "~0").replace("/", "~1")


def one_id(query: QueryDict, name: str) -> str | None:
    """The one clean id under `name`, or None where it is missing. Raises InvalidInput."""
    values = query.getlist(name)
    if len(values) > 1:
        raise InvalidInput(f"{name} must come once", fields={f"/{name}": "must come once"})
    return clean_id(values[0], field=name) if values else None


def days(query: QueryDict, *, default: int, most: int) -> int:
    """How many days back `?days=` asks for, the only parameter there is. Raises InvalidInput."""
    unknown = [name for name in query if name != DAYS]
    if unknown:
        shown = printable(unknown[0], 64)
        raise InvalidInput(f"unknown parameter '{shown}': not {DAYS}", fields={f"/{pointer(shown)}": f"not {DAYS}"})
    values = query.getlist(DAYS) or [str(default)]
    text = values[0]
    if len(values) == 1 and text.isascii() and text.isdigit() and len(text) <= 4 and 1 <= int(text) <= most:
        return int(text)
    told = f"must be one whole number from 1 to {most}"
    raise InvalidInput(f"{DAYS} {told}", fields={f"/{DAYS}": told})


def _strategy(values: list[str], strategies: Sequence[str]) -> str | None:
    if not values or (len(values) == 1 and values[0] in strategies):
        return values[0] if values else None
    told = f"must be one of {', '.join(strategies)}, once"
    raise InvalidInput(f"strategy {told}", fields={"/strategy": told})


def _limit(name: str, values: list[str], default: int) -> int:
    if not values:
        return default
    text = values[0]
    if len(values) == 1 and text.isascii() and text.isdigit() and len(text) <= 3 and 1 <= int(text) <= MAX_LIMIT:
        return int(text)
    told = f"must be one whole number from 1 to {MAX_LIMIT}"
    raise InvalidInput(f"{name} {told}", fields={f"/{name}": told})


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
