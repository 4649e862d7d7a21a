"""Which member makes a request, and what they may open. What they may not open is "not found"."""

from typing import Any

from django.http import Http404, HttpRequest
from rest_framework.permissions import BasePermission
from rest_framework.request import Request
from rest_framework.views import APIView

from recommendation_service.domain.ids import clean_id
from recommendation_service.errors import NotFound
from sites.posts.models import Discussion, Member
from sites.posts.recommendation_sources import Posts
from storefront import permissions as page
from tandem.api.permissions import resolve_user_id
from tandem.api.serializers import USER
from tandem.surfaces import bound_surface

USE_CASE, SURFACE = "posts", "hybrid-recommendations"


class SignedInOrDemo(BasePermission):
    """Allows everyone on a local demo, as its pages do; elsewhere a signed-in user or a token."""

    def has_permission(self, request: Request, view: APIView) -> bool:
        """Return True if the visitor may use the endpoint; which member they see is checked later."""
        return page.is_demo() or bool(request.user and request.user.is_authenticated)


def requested_member(request: Request, query: dict[str, Any]) -> Member:
    """Return the member that `user_id` of the validated query names, else the visitor's own. Raises NotFound, InvalidInput."""
    user_id = clean_id(query[USER], field=USER) if USER in query else None
    if user_id is None or not page.is_demo():
        user_id = resolve_user_id(request.user, user_id, bound_surface(USE_CASE, SURFACE))
    member = None if user_id is None else Posts.person(user_id)
    if not isinstance(member, Member):
        raise NotFound("there is no member with that id")
    return member


def requested_creator(request: Request, query: dict[str, Any]) -> Member:
    """Like `requested_member`; raises NotFound for a member who writes no posts."""
    member = requested_member(request, query)
    if not member.is_creator:
        raise NotFound("only creators have insights")
    return member


def visitor_or_404(request: HttpRequest, user_id: str) -> Member:
    """Return the member as whom the visitor sees a page: the named one, if they may see it, else their own."""
    member: Member = page.person_or_404(request, Posts, user_id or next(iter(page.visitor_ids(request, Posts)), ""))
    return member


def creator_or_404(request: HttpRequest, user_id: str) -> Member:
    """Like `visitor_or_404`; raises Http404 for a member who writes no posts."""
    member = visitor_or_404(request, user_id)
    if not member.is_creator:
        raise Http404(page.NOT_FOUND)
    return member


def require_may_discuss(request: HttpRequest, discussion: Discussion) -> None:
    """Raise Http404 unless the visitor is staff, or the creator of the posts that are discussed."""
    page.person_or_404(request, Posts, str(discussion.creator_id))


def author_name(request: HttpRequest, default: Member) -> str:
    """Return the name for the visitor's remark: their member's, their account's, or on a demo that of the chosen member."""
    ids = page.visitor_ids(request, Posts)
    if ids and str(default.pk) not in ids:
        return str(Member.objects.get(pk=ids[0]))
    if request.user.is_authenticated and not ids:
        return request.user.get_username()
    return default.name
