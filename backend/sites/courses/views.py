"""GET /api/v1/recommendations/home, similar/<course_id> and stats/...: courses for people, and what came of them."""

from collections.abc import Mapping
from typing import Any, ClassVar

from django.http import HttpResponse
from django.utils import timezone
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiParameter, OpenApiResponse, extend_schema
from rest_framework.request import Request
from rest_framework.views import APIView

from recommendation_service.domain.ids import clean_id
from recommendation_service.errors import NotFound
from sites.courses import statistics
from sites.courses.models import Course
from sites.courses.recommendation_sources import Courses
from sites.courses.serializers import CourseListSerializer, EverybodySerializer, LearnerStatsSerializer
from storefront.labels import method_description
from tandem.api import query_params
from tandem.api.permissions import StaffOrService, require_may_see
from tandem.api.serializers import ProblemSerializer
from tandem.api.views.lists import ListView, personal
from tandem.api.views.recommendations import PROBLEMS
from tandem.selectors.impressions import MAX_DAYS, Window
from tandem.surfaces import BoundSurface

KEPT = (
    "request_id", "user_id", "method_used", "model_version", "degraded", "degradation", "probabilities", "generated_at",
)  # fmt: skip
LIMIT = OpenApiParameter(
    "limit", {"type": "integer", "minimum": 1, "maximum": 100, "default": 10}, description="At most so many"
)
EXPLAIN = OpenApiParameter("explain", OpenApiTypes.BOOL, description="Adds a `reason` to each course")
WHO = OpenApiParameter("user_id", str, description="Whose list; your own when left out, others' for staff and services")
NOT_STAFF = {
    (403, "application/problem+json"): OpenApiResponse(ProblemSerializer, description="Neither staff nor a service's token")
}
DAYS = OpenApiParameter(
    "days", {"type": "integer", "minimum": 1, "maximum": MAX_DAYS}, description="How many days back, today with them"
)


class CourseListView(ListView):
    """Courses in the words of this site."""

    use_case: ClassVar[str] = "courses"

    def shaped(self, answer: dict[str, Any], items: Mapping[str, Any]) -> dict[str, Any]:
        """The answer with `course_id` and what a card needs; `reason` only where it was asked for."""
        explained = self.request.query_params.get(query_params.EXPLAIN) in ("true", "1")
        asked = self.request.query_params.get(query_params.STRATEGY)
        kept = {name: answer[name] for name in KEPT}
        courses = [_course(answer, item, items.get(item["item_id"]), explained=explained) for item in answer["recommendations"]]
        return {**kept, "strategy": asked or answer["method_used"], "recommendations": courses}


class HomeView(CourseListView):
    """A person's own courses."""

    surface = "home"

    @extend_schema(
        operation_id="courses_home",
        summary="Courses for one person",
        description="`strategy` puts one engine first; without it the site's router chooses, and `probabilities` tells the "
        "chances it chose with. `category`, `level` and `skills` are filters.",
        parameters=[
            WHO,
            LIMIT,
            EXPLAIN,
            OpenApiParameter("strategy", str, enum=["two_tower", "popularity", "content", "hybrid", "ease", "next_item"]),
        ],
        responses={200: CourseListSerializer, **PROBLEMS},
    )
    def get(self, request: Request, **words: str) -> HttpResponse:
        """The list as JSON."""
        return super().get(request, **words)


class SimilarView(CourseListView):
    """Courses like one course."""

    surface = "similar"

    @extend_schema(
        operation_id="courses_similar",
        summary="Courses like this one",
        parameters=[OpenApiParameter("course_id", str, OpenApiParameter.PATH), WHO, LIMIT, EXPLAIN],
        responses={200: CourseListSerializer, **PROBLEMS},
    )
    def get(self, request: Request, **words: str) -> HttpResponse:
        """The list as JSON; 404 for a course nobody knows, 410 for one that was taken away."""
        return super().get(request, **words)

    def item_ids(self, request: Request, bound: BoundSurface, user_id: str | None, **words: str) -> tuple[str, ...]:
        """The course of the path."""
        return (clean_id(words["course_id"], field="course_id"),)


class LearnerStatsView(APIView):
    """What came of one person's lists."""

    @extend_schema(
        operation_id="courses_stats_user",
        summary="One person's figures",
        parameters=[
            OpenApiParameter("user_id", str, OpenApiParameter.PATH, description="Your own, unless staff or service"),
            DAYS,
        ],
        responses={200: LearnerStatsSerializer, **PROBLEMS},
    )
    def get(self, request: Request, user_id: str) -> HttpResponse:
        """Counts since `days` ago (default 365)."""
        wanted = clean_id(user_id, field="user_id")
        require_may_see(request.user, wanted, catalogue=Courses.catalogue)
        if Courses.person(wanted) is None:
            raise NotFound("no learner of that id")
        return personal(statistics.of_learner(wanted, _window(request, default=365)))


class EverybodyView(APIView):
    """What came of all lists."""

    permission_classes = (StaffOrService,)

    @extend_schema(
        operation_id="courses_stats_global",
        summary="Everybody's figures",
        parameters=[DAYS],
        responses={200: EverybodySerializer, **PROBLEMS, **NOT_STAFF},
    )
    def get(self, request: Request) -> HttpResponse:
        """Counts, shares and a series of the last `days` (default 30)."""
        return personal(statistics.of_everybody(_window(request, default=30)))


def _window(request: Request, *, default: int) -> Window:
    days = query_params.days(request._request.GET, default=default, most=MAX_DAYS)
    return Window.last(days, until=timezone.now())


def _course(answer: Mapping[str, Any], item: Mapping[str, Any], course: Course | None, *, explained: bool) -> dict[str, Any]:
    told = {
        "course_id": item["item_id"],
        "title": course.title if course else item["title"],
        "category": course.category if course else "",
        "level": course.level if course else "",
        "hours": course.hours if course else None,
        "skills": course.skills if course else [],
        "score": item["score"],
        "position": item["position"],
    }
    if not explained:
        return told
    return {**told, "reason": "; ".join(item["reasons"]) or _why(answer["method_used"]), "parts": item["parts"]}


def _why(method: str) -> str:
    """What the engine does, where it gave no reason for this course in particular."""
    return method_description(statistics.use_case(), method)
