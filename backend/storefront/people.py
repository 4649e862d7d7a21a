"""The people one can choose: found by a search, those worth trying first, each with count and segment."""

from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any

from django.core.exceptions import FieldDoesNotExist
from django.db.models import Q, QuerySet
from django.db.models.functions import TruncDate

from recommendation_service.use_cases.schema import Surface
from tandem.models import UserInteraction
from tandem.selectors.history import positive
from tandem.sources import ItemSource, use_case_of
from tandem.surfaces import BoundSurface, bound_surface

FOUND = 20
LONGEST_SEARCH = 80
SEGMENTS = ("cold", "warm", "hot")


@dataclass(frozen=True, slots=True)
class PersonLine:
    """One person in the list of those to choose from."""

    user_id: str
    name: str
    about: str
    count: int
    segment: str
    first: bool  # one of those listed first


def lines(source: type[ItemSource], *, search: str) -> list[PersonLine]:
    """Without a search the people listed first (or any, where a site names none), else those whose words hold it.

    Up to 20 of each kind of people, the kinds in the order in which the source names them, each by count.
    """
    text = "".join(letter for letter in search if letter.isprintable()).strip()[:LONGEST_SEARCH]  # PostgreSQL refuses NUL
    kinds = [list(found[:FOUND]) for found in (_found if text else _first)(source, text)]
    if not text and not any(kinds):
        kinds = [list(people.all()[:FOUND]) for people in source.profiles]
    counts = counts_of(source, [source.user_id(person) for kind in kinds for person in kind])
    made = [[line_of(source, person, counts[source.user_id(person)]) for person in kind] for kind in kinds]
    return [line for kind in made for line in sorted(kind, key=lambda line: (not line.first, line.count, line.name))]


def line_of(source: type[ItemSource], person: Any, count: int) -> PersonLine:
    """One person with what the page says of them."""
    surface = place_for(source, person).surface
    first = bool(source.page_first and getattr(person, source.page_first, False))
    return PersonLine(source.user_id(person), str(person), source.describe(person), count, segment_of(surface, count), first)


def place_for(source: type[ItemSource], person: Any) -> BoundSurface:
    """Where this person's lists are asked for."""
    return bound_surface(use_case_of(source), source.surface_for(person))


def segment_of(surface: Surface, count: int) -> str:
    """ "cold", "warm" or "hot" where the surface routes by count; empty where it does not.

    Where both limits are the same there are two segments only, and whoever has a past is "warm".
    """
    if surface.router.kind != "by_count":
        return ""
    cold_below, warm_below = surface.router.options["cold_below"], surface.router.options["warm_below"]
    return SEGMENTS[(count >= cold_below) + (count >= warm_below > cold_below)]


def counts_of(source: type[ItemSource], user_ids: Iterable[str]) -> Counter[str]:
    """Counted interactions of several people in one query: positive ones, repeats of a day once."""
    use_case = bound_surface(use_case_of(source), _any_surface(source)).use_case
    events = UserInteraction.objects.filter(user__user_id__in=list(user_ids), catalogue__name=source.catalogue)
    days = events.filter(positive(use_case)).annotate(day=TruncDate("time"))
    once = days.values_list("user__user_id", "item_id", "kind_id", "day").distinct()
    return Counter(user_id for user_id, *_ in once)


def _any_surface(source: type[ItemSource]) -> str:
    return source.surface_for(source.profiles[0].model())


def _first(source: type[ItemSource], _text: str) -> Iterator[QuerySet[Any]]:
    for people in source.profiles:
        if source.page_first and _has(people, source.page_first):
            yield people.all().filter(**{source.page_first: True})


def _found(source: type[ItemSource], text: str) -> Iterator[QuerySet[Any]]:
    exact = source.person(text)
    for people in source.profiles:
        wanted = Q(pk=exact.pk) if isinstance(exact, people.model) else Q(pk__in=[])
        for name in source.page_search:
            if _has(people, name):
                wanted |= Q(**{f"{name}__icontains": text})
        yield people.all().filter(wanted)


def _has(people: QuerySet[Any], name: str) -> bool:
    try:
        people.model._meta.get_field(name)
    except FieldDoesNotExist:
        return False
    return True
