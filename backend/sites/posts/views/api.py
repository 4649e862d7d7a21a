"""The blog's endpoints: the list, how often cached lists are shown again, a member's interests, and a creator's insights."""

from collections.abc import Mapping
from typing import ClassVar

from drf_spectacular.utils import extend_schema, extend_schema_view
from rest_framework.permissions import BasePermission
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from recommendation_service.errors import NotFound
from sites.posts import services
from sites.posts.insights import report_of
from sites.posts.models import Post
from sites.posts.recommendation_sources import SURFACE, Posts
from sites.posts.serializers import (
    CacheHitsSerializer,
    InsightsQuerySerializer,
    InsightsSerializer,
    InterestsSerializer,
    NewInterestsSerializer,
    PostListSerializer,
)
from sites.serializers import UserQuerySerializer
from sites.views import WHO, PersonAPIView, SiteListView, list_schema
from storefront.permissions import is_demo
from tandem.api.permissions import StaffOrService
from tandem.api.views.base import PROBLEMS, TandemAPIView
from tandem.selectors.cache_statistics import reuse_by_day
from tandem.surfaces import bound_surface

DAYS = 7


class SignedInOrDemo(BasePermission):
    """Allows everyone on a local demo, as its pages do; elsewhere a signed-in user or a token."""

    def has_permission(self, request: Request, view: APIView) -> bool:
        """Return True if the visitor may use the endpoint; which member they see is checked later."""
        return is_demo() or bool(request.user and request.user.is_authenticated)


@list_schema(
    "hybrid_recommendations",
    "Posts for one member",
    description="Cached for ten minutes per member and query. `method` is the engine that answered: `hybrid`, or its "
    "replacement. Filters: type, category, tags, any of the given values. A member who has read everything that matches "
    "gets popular posts again; hidden and disliked posts are never shown.",
    parameters=(WHO,),
)
class HybridRecommendationsView(SiteListView):
    """One member's posts, of all types."""

    use_case, surface = Posts.catalogue, SURFACE
    limit_name: ClassVar[str] = "topn"
    serializer_class = PostListSerializer
    keep_deleted = False


class CacheHitsView(TandemAPIView):
    """How often cached lists are shown again, for staff and services."""

    permission_classes = (StaffOrService,)

    @extend_schema(
        operation_id="cache_hits",
        summary="How often cached lists are shown again",
        description="The last seven days (UTC), today first. `made` lists were requested from the service, `hits` came from "
        "the cache; null if the cache has no count of a day. The totals are of the days with a count.",
        responses={200: CacheHitsSerializer, **PROBLEMS},
    )
    def get(self, request: Request) -> Response:
        """Return the days and their totals."""
        days = reuse_by_day(use_case=Posts.catalogue, surface=SURFACE, days=DAYS)
        return Response(CacheHitsSerializer({"surface": bound_surface(Posts.catalogue, SURFACE), "days": days}).data)


@extend_schema_view(
    get=extend_schema(
        operation_id="interests",
        summary="A member's interests",
        parameters=[UserQuerySerializer],
        responses={200: InterestsSerializer, **PROBLEMS},
    ),
    put=extend_schema(
        operation_id="set_interests",
        summary="Replace a member's interests",
        description="At most 20 texts of 1 to 40 characters; letter case does not matter. An interest that no post has yet "
        "is stored and listed in `unmatched`. The member's next list uses the new interests.",
        parameters=[UserQuerySerializer],
        request=NewInterestsSerializer,
        responses={200: InterestsSerializer, **PROBLEMS},
    ),
)
class InterestsView(PersonAPIView):
    """One member's interests."""

    source = Posts

    def get(self, request: Request) -> Response:
        """Return the interests, and all categories and tags that match posts."""
        return Response(InterestsSerializer(self.person, context={"known": Post.objects.categories_and_tags()}).data)

    def put(self, request: Request) -> Response:
        """Replace all interests."""
        data = request.data if isinstance(request.data, Mapping) else {}  # so that the error names the missing key
        body = NewInterestsSerializer(data=data)
        body.is_valid(raise_exception=True)
        services.set_interests(self.person, services.clean_interests(body.validated_data["interests"]))
        return self.get(request)


class InsightsView(PersonAPIView):
    """A creator's figures and insights."""

    source = Posts
    permission_classes = (SignedInOrDemo,)
    query_serializer = InsightsQuerySerializer

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
        if not self.person.is_creator:
            raise NotFound("only creators have insights")
        return Response(InsightsSerializer(report_of(self.person, weeks=self.query["weeks"])).data)
