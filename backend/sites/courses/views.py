"""GET /api/v1/recommendations/home, similar/<course_id> and stats/...: lists of courses and their results."""

from collections.abc import Mapping
from typing import Any, ClassVar

from django.utils import timezone
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiParameter, OpenApiResponse, extend_schema
from rest_framework.request import Request
from rest_framework.response import Response

from recommendation_service.domain.ids import clean_id
from recommendation_service.errors import NotFound
from sites.courses import statistics
from sites.courses.recommendation_sources import Courses
from sites.courses.serializers import CourseListSerializer, DaysQuerySerializer, GlobalStatsSerializer, LearnerStatsSerializer
from sites.views import PrivateAPIView
from storefront.labels import method_description
from tandem.api.permissions import StaffOrService, require_may_see
from tandem.api.serializers import ProblemSerializer
from tandem.api.views.base import PROBLEMS
from tandem.api.views.lists import ListView
from tandem.selectors.impressions import Window
from tandem.surfaces import BoundSurface

LIMIT = OpenApiParameter(
    "limit", {"type": "integer", "minimum": 1, "maximum": 100, "default": 10}, description="Maximum number of courses"
)
EXPLAIN = OpenApiParameter("explain", OpenApiTypes.BOOL, description="Adds a `reason` to each course")
WHO = OpenApiParameter("user_id", str, description="Whose list, your own by default; others' for staff and services")
NOT_STAFF = {
    (403, "application/problem+json"): OpenApiResponse(ProblemSerializer, description="Neither staff nor a service's token")
}


class CourseListView(ListView):
    """A list of courses."""

    use_case: ClassVar[str] = "courses"

    def shaped(self, answer: dict[str, Any], items: Mapping[str, Any]) -> dict[str, Any]:
        """Return the answer under the keys of the acceptance list."""
        query, method = self.request.query_params, answer["method_used"]
        entries = [entry | {"item": items.get(entry["item_id"])} for entry in answer["recommendations"]]
        strategy = query.get("strategy") or method
        context = {
            "explain": query.get("explain") in ("true", "1"),
            "method_description": method_description(statistics.use_case(), method),
        }
        values = answer | {"strategy": strategy, "recommendations": entries}
        return dict(CourseListSerializer(values, context=context).data)


class HomeView(CourseListView):
    """Courses for one person."""

    surface = "home"

    @extend_schema(
        operation_id="courses_home",
        summary="Courses for one person",
        description="`strategy` puts one engine first; without it the site's router chooses, with the "
        "chances in `probabilities`. `category`, `level` and `skills` are filters.",
        parameters=[
            WHO,
            LIMIT,
            EXPLAIN,
            OpenApiParameter("strategy", str, enum=["two_tower", "popularity", "content", "hybrid", "ease", "next_item"]),
        ],
        responses={200: CourseListSerializer, **PROBLEMS},
    )
    def get(self, request: Request, **kwargs: str) -> Response:
        """Return the list as JSON."""
        return super().get(request, **kwargs)


class SimilarView(CourseListView):
    """Courses similar to one course."""

    surface = "similar"

    @extend_schema(
        operation_id="courses_similar",
        summary="Courses similar to this one",
        parameters=[OpenApiParameter("course_id", str, OpenApiParameter.PATH), WHO, LIMIT, EXPLAIN],
        responses={200: CourseListSerializer, **PROBLEMS},
    )
    def get(self, request: Request, **kwargs: str) -> Response:
        """Return the list as JSON; 404 for an unknown course, 410 for one that was removed."""
        return super().get(request, **kwargs)

    def item_ids(self, request: Request, bound: BoundSurface, user_id: str | None, **kwargs: str) -> tuple[str, ...]:
        """Return the course of the path."""
        return (clean_id(kwargs["course_id"], field="course_id"),)


class LearnerStatsView(PrivateAPIView):
    """Results of one person's lists."""

    @extend_schema(
        operation_id="courses_stats_user",
        summary="One person's statistics",
        parameters=[
            OpenApiParameter("user_id", str, OpenApiParameter.PATH, description="Your own, unless staff or service"),
            DaysQuerySerializer,
        ],
        responses={200: LearnerStatsSerializer, **PROBLEMS},
    )
    def get(self, request: Request, user_id: str) -> Response:
        """Return counts since `days` ago (default 365)."""
        wanted = clean_id(user_id, field="user_id")
        require_may_see(request.user, wanted, catalogue=Courses.catalogue)
        if Courses.person(wanted) is None:
            raise NotFound("there is no learner with that id")
        return Response(LearnerStatsSerializer(statistics.of_learner(wanted, _window(request, default=365))).data)


class GlobalStatsView(PrivateAPIView):
    """Results of all lists."""

    permission_classes = (StaffOrService,)

    @extend_schema(
        operation_id="courses_stats_global",
        summary="Statistics of all people",
        parameters=[DaysQuerySerializer],
        responses={200: GlobalStatsSerializer, **PROBLEMS, **NOT_STAFF},
    )
    def get(self, request: Request) -> Response:
        """Return counts, shares and a series of the last `days` (default 30)."""
        return Response(GlobalStatsSerializer(statistics.of_everyone(_window(request, default=30))).data)


def _window(request: Request, *, default: int) -> Window:
    return Window.last(DaysQuerySerializer.parse(request).get("days", default), until=timezone.now())
