"""GET /recommend/hybrid-recommendations/: the blog's own list, and for staff how often kept lists are shown again."""

from collections.abc import Mapping
from typing import Any, ClassVar

from django.http import HttpResponse
from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework.request import Request
from rest_framework.views import APIView

from recommendation_service.domain.query import DEFAULT_LIMIT, MAX_LIMIT
from sites.posts.access import SURFACE, USE_CASE
from sites.posts.models import Post
from sites.posts.serializers import CacheHitsSerializer, PostListSerializer
from tandem.api.permissions import StaffOrService
from tandem.api.views.lists import USER, ListView, personal
from tandem.api.views.recommendations import PROBLEMS
from tandem.selectors.cache_statistics import Reuse, reuse_by_day
from tandem.surfaces import bound_surface

DAYS = 7
TOPN = {"type": "integer", "minimum": 1, "maximum": MAX_LIMIT, "default": DEFAULT_LIMIT}


class HybridRecommendationsView(ListView):
    """One member's posts, of all types mixed."""

    use_case = USE_CASE
    surface = SURFACE
    limit_name: ClassVar[str] = "topn"

    @extend_schema(
        operation_id="hybrid_recommendations",
        summary="Posts for one member",
        description="Kept for ten minutes for each member and question. `method` names what really answered: `hybrid`, or "
        "what stood in for it. Filters: type, category, tags, any of the given values. Who has read everything that fits is "
        "shown popular posts again; only what was hidden or disliked stays away.",
        parameters=[
            OpenApiParameter("topn", TOPN, description="How many posts at most"),
            OpenApiParameter(USER, str, description="Whose list; your own when it is left out"),
        ],
        responses={200: PostListSerializer, **PROBLEMS},
    )
    def get(self, request: Request, **words: str) -> HttpResponse:
        """The list as JSON."""
        return super().get(request, **words)

    def shaped(self, answer: dict[str, Any], items: Mapping[str, Post]) -> dict[str, Any]:
        """The keys of the acceptance list, then where the list comes from."""
        shown = answer["recommendations"]
        results = [_result(items[one["item_id"]], one["score"], one["reasons"]) for one in shown if one["item_id"] in items]
        method = answer["method_used"]
        return {
            "results": results,
            "method": method,
            "request_id": answer["request_id"],
            "user_id": answer["user_id"],
            "method_used": method,
            "degraded": answer["degraded"],
            "degradation": answer["degradation"],
            "interaction_count": answer["interaction_count"],
            "generated_at": answer["generated_at"],
        }


class CacheHitsView(APIView):
    """How often kept lists are shown again: for staff and services."""

    permission_classes = (StaffOrService,)

    @extend_schema(
        operation_id="cache_hits",
        summary="How often kept lists are shown again",
        description="The last seven days (UTC), today first. `made` lists were asked of the service, `hits` came from the "
        "cache; null where the cache has no count of a day. The totals are of the days that were counted. Each kept list also "
        "has a count of its own beside it, which expires with it.",
        responses={200: CacheHitsSerializer, **PROBLEMS},
    )
    def get(self, request: Request) -> HttpResponse:
        """The days, and those that were counted together."""
        days = reuse_by_day(use_case=USE_CASE, surface=SURFACE, days=DAYS)
        counted = [day for day in days if day.hits is not None]
        total = _told(Reuse(days[0].day, sum(day.made for day in counted), sum(day.hits or 0 for day in counted)))
        total.pop("day")
        told = {
            "use_case": USE_CASE,
            "surface": SURFACE,
            "cache_seconds": bound_surface(USE_CASE, SURFACE).surface.cache_seconds,
        }
        return personal({**told, **total, "days": [_told(day) for day in days]})


def _result(post: Post, score: float, reasons: list[str]) -> dict[str, Any]:
    return {
        "type": post.type,
        "id": post.pk,
        "title": post.title,
        "excerpt": post.excerpt,
        "image": post.image_url,
        "score": score,
        "reasons": reasons,
    }


def _told(day: Reuse) -> dict[str, Any]:
    rate = None if day.rate is None else round(day.rate, 4)
    return {"day": day.day.isoformat(), "made": day.made, "hits": day.hits, "hit_rate": rate}
