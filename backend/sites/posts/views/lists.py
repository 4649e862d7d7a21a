"""GET /recommend/hybrid-recommendations/: the blog's list, and for staff how often cached lists are shown again."""

from collections.abc import Mapping
from typing import Any, ClassVar

from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework.request import Request
from rest_framework.response import Response

from recommendation_service.domain.query import DEFAULT_LIMIT, MAX_LIMIT
from sites.posts.access import SURFACE, USE_CASE
from sites.posts.models import Post
from sites.posts.serializers import CacheHitsSerializer, PostListSerializer
from sites.views import PrivateAPIView
from tandem.api.permissions import StaffOrService
from tandem.api.serializers import USER
from tandem.api.views.base import PROBLEMS
from tandem.api.views.lists import ListView
from tandem.selectors.cache_statistics import Reuse, reuse_by_day
from tandem.surfaces import bound_surface

DAYS = 7
TOPN = {"type": "integer", "minimum": 1, "maximum": MAX_LIMIT, "default": DEFAULT_LIMIT}


class HybridRecommendationsView(ListView):
    """One member's posts, of all types."""

    use_case = USE_CASE
    surface = SURFACE
    limit_name: ClassVar[str] = "topn"

    @extend_schema(
        operation_id="hybrid_recommendations",
        summary="Posts for one member",
        description="Cached for ten minutes per member and query. `method` is the engine that answered: `hybrid`, or its "
        "replacement. Filters: type, category, tags, any of the given values. A member who has read everything that matches "
        "gets popular posts again; hidden and disliked posts are never shown.",
        parameters=[
            OpenApiParameter("topn", TOPN, description="Maximum number of posts"),
            OpenApiParameter(USER, str, description="Whose list; your own if you leave it out"),
        ],
        responses={200: PostListSerializer, **PROBLEMS},
    )
    def get(self, request: Request, **kwargs: str) -> Response:
        """Return the list as JSON."""
        return super().get(request, **kwargs)

    def shaped(self, answer: dict[str, Any], items: Mapping[str, Post]) -> dict[str, Any]:
        """Return the answer under the keys of the acceptance list."""
        entries = [entry | {"item": items.get(entry["item_id"])} for entry in answer["recommendations"]]
        shown = [entry for entry in entries if entry["item"] is not None]
        return dict(PostListSerializer(answer | {"recommendations": shown}).data)


class CacheHitsView(PrivateAPIView):
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
        days = reuse_by_day(use_case=USE_CASE, surface=SURFACE, days=DAYS)
        counted = [day for day in days if day.hits is not None]
        total = Reuse(days[0].day, sum(day.made for day in counted), sum(day.hits or 0 for day in counted))
        report = {
            "use_case": USE_CASE,
            "surface": SURFACE,
            "cache_seconds": bound_surface(USE_CASE, SURFACE).surface.cache_seconds,
            "made": total.made,
            "hits": total.hits,
            "hit_rate": None if total.rate is None else round(total.rate, 4),
            "days": days,
        }
        return Response(CacheHitsSerializer(report).data)
