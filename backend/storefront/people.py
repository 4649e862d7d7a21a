"""The list of people to choose from: found by a search, or those with demo data, each with count and segment."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from django.core.exceptions import FieldDoesNotExist
from django.db.models import Q, QuerySet

from recommendation_service.use_cases.schema import Surface
from tandem.selectors.history import counts_of
from tandem.sources import ItemSource, use_case_of
from tandem.surfaces import BoundSurface, bound_surface

MOST_PEOPLE = 20
MAX_SEARCH_LENGTH = 80
SEGMENTS = ("cold", "warm", "hot")


@dataclass(frozen=True, slots=True)
class PersonLine:
    """One person to choose."""

    user_id: str
    name: str
    about: str
    count: int
    segment: str
    first: bool  # True: listed first


def person_lines(source: type[ItemSource], *, search: str) -> list[PersonLine]:
    """Return the people that match the search; without a search those listed first, or any if the site names none.

    Up to 20 of each kind of people, in the order of the source's kinds, each sorted by count.
    """
    text = "".join(letter for letter in search if letter.isprintable()).strip()[:MAX_SEARCH_LENGTH]  # PostgreSQL refuses NUL
    kinds = [list(people[:MOST_PEOPLE]) for people in (_matching(source, text) if text else _listed_first(source))]
    if not text and not any(kinds):
        kinds = [list(people.all()[:MOST_PEOPLE]) for people in source.profiles]
    counts = counts_of(source, [source.user_id(person) for kind in kinds for person in kind])
    lines = [[person_line(source, person, counts[source.user_id(person)]) for person in kind] for kind in kinds]
    return [line for kind in lines for line in sorted(kind, key=lambda line: (not line.first, line.count, line.name))]


def person_line(source: type[ItemSource], person: Any, count: int) -> PersonLine:
    """Return one person with the texts of the page."""
    segment = segment_of(surface_of(source, person).surface, count)
    first = bool(source.page_first and getattr(person, source.page_first, False))
    return PersonLine(source.user_id(person), str(person), source.describe(person), count, segment, first)


def surface_of(source: type[ItemSource], person: Any) -> BoundSurface:
    """Return the surface of this person's lists."""
    return bound_surface(use_case_of(source), source.surface_for(person))


def segment_of(surface: Surface, count: int) -> str:
    """Return "cold", "warm" or "hot", or "" if the surface does not route by count.

    If both limits are equal there are two segments only, "cold" and "warm".
    """
    if surface.router.kind != "by_count":
        return ""
    cold_below, warm_below = surface.router.options["cold_below"], surface.router.options["warm_below"]
    return SEGMENTS[(count >= cold_below) + (count >= warm_below > cold_below)]


def _listed_first(source: type[ItemSource]) -> Iterator[QuerySet[Any]]:
    for people in source.profiles:
        if source.page_first and _has_field(people, source.page_first):
            yield people.all().filter(**{source.page_first: True})


def _matching(source: type[ItemSource], text: str) -> Iterator[QuerySet[Any]]:
    exact = source.person(text)
    for people in source.profiles:
        condition = Q(pk=exact.pk) if isinstance(exact, people.model) else Q(pk__in=[])
        for name in source.page_search:
            if _has_field(people, name):
                condition |= Q(**{f"{name}__icontains": text})
        yield people.all().filter(condition)


def _has_field(people: QuerySet[Any], name: str) -> bool:
    try:
        people.model._meta.get_field(name)
    except FieldDoesNotExist:
        return False
    return True
