"""Who of the community is asking, and what they may open. What is not theirs reads as not there."""

from typing import Any

from django.http import Http404, HttpRequest
from rest_framework.permissions import BasePermission
from rest_framework.request import Request
from rest_framework.views import APIView

from recommendation_service.errors import NotFound
from sites.posts.models import Discussion, Member
from sites.posts.recommendation_sources import Posts
from storefront import permissions as page
from tandem.api import query_params
from tandem.api.views.lists import USER, whose
from tandem.surfaces import bound_surface

USE_CASE, SURFACE = "posts", "hybrid-recommendations"


class SignedInOrDemo(BasePermission):
    """A local demo lets everyone in, as its pages do; elsewhere one signs in or sends a token."""

    def has_permission(self, request: Request, view: APIView) -> bool:
        """Whether the door opens at all; whose things are shown is decided behind it."""
        return page.is_demo() or bool(request.user and request.user.is_authenticated)


def member_asked_for(request: Request) -> Member:
    """Whose `?user_id=` names, else the asker. Raises NotFound, InvalidInput."""
    wanted = query_params.one_id(request._request.GET, USER)
    if not (page.is_demo() and wanted is not None):
        wanted = whose(request, wanted, bound_surface(USE_CASE, SURFACE))
    return _member(wanted)


def creator_asked_for(request: Request) -> Member:
    """As `member_asked_for`, but a reader is not found."""
    member = member_asked_for(request)
    if not member.is_creator:
        raise NotFound("only creators have insights")
    return member


def visitor_or_404(request: HttpRequest, user_id: str) -> Member:
    """The member as whom this visitor looks at a page: the one named, if they may be that one, else their own."""
    chosen = user_id or next(iter(page.visitor_ids(request, Posts)), "")
    member: Member = page.person_or_404(request, Posts, chosen)
    return member


def creator_or_404(request: HttpRequest, user_id: str) -> Member:
    """As `visitor_or_404`, but a reader is not found."""
    member = visitor_or_404(request, user_id)
    if not member.is_creator:
        raise Http404(page.NOT_FOUND)
    return member


def require_may_discuss(request: HttpRequest, discussion: Discussion) -> None:
    """Raise Http404 unless the visitor is staff, or the creator whom the talk is about."""
    page.person_or_404(request, Posts, str(discussion.creator_id))


def name_of(request: HttpRequest, fallback: Member) -> str:
    """Under which name this visitor writes: their member's, their account's, or on a demo that of whom they act as."""
    own = page.visitor_ids(request, Posts)
    if own and str(fallback.pk) not in own:
        return str(Member.objects.get(pk=own[0]))
    if request.user.is_authenticated and not own:
        return request.user.get_username()
    return fallback.name


def _member(user_id: str | None) -> Member:
    found: Any = None if user_id is None else Posts.person(user_id)
    if not isinstance(found, Member):
        raise NotFound("nobody here has that id")
    return found
