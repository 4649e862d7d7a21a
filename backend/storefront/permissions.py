"""Who may see whose list on the page."""

from typing import Any

from django.conf import settings
from django.http import Http404, HttpRequest
from django.urls import reverse

from recommendation_service.domain.ids import clean_id
from recommendation_service.errors import InvalidInput
from tandem import identity
from tandem.sources import ItemSource, all_sources, source_of

NOT_HERE = "there is nothing here, or it is not yours to see"


def source_or_404(site: str) -> type[ItemSource]:
    """The site of that name.

    A catalogue whose people are not declared, or have no list of their own, has no page, and one whose page is elsewhere
    has none here.
    """
    source = source_of(site)
    if source is None or source.own_page or not _has_page(source):
        raise Http404(NOT_HERE)
    return source


def own_page_of(site: str) -> str:
    """Where the site of that name has a page of its own; empty where it has none."""
    source = source_of(site)
    return reverse(source.own_page) if source is not None and source.own_page else ""


def shown_sites() -> list[tuple[str, list[type[ItemSource]]]]:
    """Every site that has a page: its address, and its sources. Several that share a page of their own are one site."""
    sites: dict[str, list[type[ItemSource]]] = {}
    for source in all_sources():
        own = own_page_of(source.catalogue)
        if own or _has_page(source):
            sites.setdefault(own or reverse("storefront:site", args=[source.catalogue]), []).append(source)
    return list(sites.items())


def _has_page(source: type[ItemSource]) -> bool:
    return any(source.surface_for(people.model) for people in source.profiles)


def is_demo() -> bool:
    """True on a local demo, where anyone may act as anyone."""
    return bool(getattr(settings, "STOREFRONT_DEMO", False))


def may_choose(request: HttpRequest) -> bool:
    """Whether this visitor may look at any person: staff, and everyone on a demo."""
    return is_demo() or bool(request.user.is_authenticated and request.user.is_staff)


def own_ids(request: HttpRequest, source: type[ItemSource]) -> tuple[str, ...]:
    """The user ids that are the visitor's own here."""
    return identity.user_ids_of(request.user, catalogue=source.catalogue)


def person_or_404(request: HttpRequest, source: type[ItemSource], user_id: str) -> Any:
    """The person row. Raises Http404 alike for an unknown id, a malformed one, and one that is not the visitor's."""
    try:
        wanted = clean_id(user_id, field="person")
    except InvalidInput as error:
        raise Http404(NOT_HERE) from error
    if not may_choose(request) and wanted not in own_ids(request, source):
        raise Http404(NOT_HERE)
    person = source.person(wanted)
    if person is None:
        raise Http404(NOT_HERE)
    return person
