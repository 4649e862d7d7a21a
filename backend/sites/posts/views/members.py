"""GET and PUT /recommend/interests/, and GET /posts/insights/: a member's interests, and a creator's insights."""

from collections.abc import Mapping
from typing import Any

from drf_spectacular.utils import extend_schema
from rest_framework.exceptions import ParseError
from rest_framework.request import Request
from rest_framework.response import Response

from sites.posts import services
from sites.posts.access import SignedInOrDemo, requested_creator, requested_member
from sites.posts.insights import report_of
from sites.posts.models import Member, Post
from sites.posts.serializers import (
    InsightsQuerySerializer,
    InsightsSerializer,
    InterestsSerializer,
    MemberQuerySerializer,
    NewInterestsSerializer,
)
from sites.views import PrivateAPIView
from tandem.api.views.base import PROBLEMS


class InterestsView(PrivateAPIView):
    """One member's interests."""

    @extend_schema(
        operation_id="interests",
        summary="A member's interests",
        parameters=[MemberQuerySerializer],
        responses={200: InterestsSerializer, **PROBLEMS},
    )
    def get(self, request: Request) -> Response:
        """Return the interests, and all categories and tags that match posts."""
        return _interests(requested_member(request, MemberQuerySerializer.parse(request)))

    @extend_schema(
        operation_id="set_interests",
        summary="Replace a member's interests",
        description="At most 20 texts of 1 to 40 characters; letter case does not matter. An interest that no post has yet "
        "is stored and listed in `unmatched`. The member's next list uses the new interests.",
        parameters=[MemberQuerySerializer],
        request=NewInterestsSerializer,
        responses={200: InterestsSerializer, **PROBLEMS},
    )
    def put(self, request: Request) -> Response:
        """Replace all interests."""
        member = requested_member(request, MemberQuerySerializer.parse(request))
        body = NewInterestsSerializer(data=_body(request))
        body.is_valid(raise_exception=True)
        services.set_interests(member, services.clean_interests(body.validated_data["interests"]))
        return _interests(member)


class InsightsView(PrivateAPIView):
    """A creator's figures and insights."""

    permission_classes = (SignedInOrDemo,)

    @extend_schema(
        operation_id="insights",
        summary="A creator's insights about their readers",
        description="For creators, about their own posts only; staff and services may request any creator. Counts are of "
        "whole weeks that end now, and of the same number of weeks before.",
        parameters=[InsightsQuerySerializer],
        responses={200: InsightsSerializer, **PROBLEMS},
    )
    def get(self, request: Request) -> Response:
        """Return the report."""
        query = InsightsQuerySerializer.parse(request)
        return Response(InsightsSerializer(report_of(requested_creator(request, query), weeks=query["weeks"])).data)


def _interests(member: Member) -> Response:
    return Response(InterestsSerializer(member, context={"known": Post.objects.categories_and_tags()}).data)


def _body(request: Request) -> Any:
    """Return the parsed body; an empty one if it is not an object, so that the error names the missing key."""
    try:
        return request.data if isinstance(request.data, Mapping) else {}
    except RecursionError as error:
        raise ParseError("the body is nested too deeply") from error
