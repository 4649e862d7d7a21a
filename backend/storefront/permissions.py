"""Which sites have a page, and which people a visitor may see there."""

from typing import Any

from django.conf import settings
from django.http import Http404, HttpRequest
from django.urls import reverse

from recommendation_service.errors import InvalidInput
from tandem import identity
from tandem.sources import ItemSource, all_sources, source_of

NOT_FOUND = "this page does not exist, or you may not see it"


def source_or_404(site: str) -> type[ItemSource]:
    """Return the site of that name if it has a shared page.

    A catalogue has none if its people are not declared, have no list of their own, or if its page is elsewhere.
    """
    source = source_of(site)
    if source is None or source.own_page or not _has_page(source):
        raise Http404(NOT_FOUND)
    return source


def site_page_of(site: str) -> str:
    """Return the URL of the page that the site has instead of the shared one, or ""."""
    source = source_of(site)
    return reverse(source.own_page) if source is not None and source.own_page else ""


def listed_sites() -> list[tuple[str, list[type[ItemSource]]]]:
    """Return the URL and sources of every site with a page; sources with the same page are one site."""
    sites: dict[str, list[type[ItemSource]]] = {}
    for source in all_sources():
        url = site_page_of(source.catalogue)
        if url or _has_page(source):
            sites.setdefault(url or reverse("storefront:site", args=[source.catalogue]), []).append(source)
    return list(sites.items())


def _has_page(source: type[ItemSource]) -> bool:
    return any(source.surface_for(people.model) for people in source.profiles)


def is_demo() -> bool:
    """True on a local demo, where anyone may act as anyone."""
    return bool(getattr(settings, "STOREFRONT_DEMO", False))


def may_choose(request: HttpRequest) -> bool:
    """Return True if this visitor may see any person: staff, and everyone on a demo."""
    return is_demo() or bool(request.user.is_authenticated and request.user.is_staff)


def visitor_ids(request: HttpRequest, source: type[ItemSource]) -> tuple[str, ...]:
    """Return the user ids of the visitor on this site."""
    return identity.user_ids_of(request.user, catalogue=source.catalogue)


def person_or_404(request: HttpRequest, source: type[ItemSource], user_id: str) -> Any:
    """Return the person. Raises the same Http404 for an unknown id, a malformed one, and one that the visitor may not see."""
    try:
        wanted = identity.spelled_user_id(user_id, field="person")
    except InvalidInput as error:
        raise Http404(NOT_FOUND) from error
    person = source.person(wanted) if may_choose(request) or wanted in visitor_ids(request, source) else None
    if person is None:
        raise Http404(NOT_FOUND)
    return person


def requested_person(request: HttpRequest, source: type[ItemSource]) -> Any | None:
    """Return the person that `?person=` names, else the visitor's own; None without either. Raises Http404."""
    user_id = request.GET.get("person", "") or next(iter(visitor_ids(request, source)), "")
    return person_or_404(request, source, user_id) if user_id else None
