"""GET /api/v1/recommendations/home, similar/<course_id> and stats/...: lists of courses and their results."""

from typing import ClassVar

from django.utils import timezone
from drf_spectacular.utils import OpenApiParameter, OpenApiResponse, extend_schema
from rest_framework.request import Request
from rest_framework.response import Response

from recommendation_service.errors import NotFound
from sites.courses import statistics
from sites.courses.recommendation_sources import Courses
from sites.courses.serializers import CourseListSerializer, DaysQuerySerializer, GlobalStatsSerializer, LearnerStatsSerializer
from sites.views import EXPLAIN, WHO, SiteListView, list_schema
from tandem.api.permissions import StaffOrService, require_may_see
from tandem.api.serializers import ProblemSerializer
from tandem.api.views.base import PROBLEMS, TandemAPIView
from tandem.identity import spelled_user_id
from tandem.selectors.impressions import Window

STRATEGIES = ["two_tower", "popularity", "content", "hybrid", "ease", "next_item"]
NOT_STAFF = {
    (403, "application/problem+json"): OpenApiResponse(ProblemSerializer, description="Neither staff nor a service's token")
}


class CourseListView(SiteListView):
    """A list of courses."""

    use_case: ClassVar[str] = Courses.catalogue
    serializer_class = CourseListSerializer


@list_schema(
    "courses_home",
    "Courses for one person",
    description="`strategy` puts one engine first; without it the site's router chooses, with the "
    "chances in `probabilities`. `category`, `level` and `skills` are filters.",
    parameters=(WHO, EXPLAIN, OpenApiParameter("strategy", str, enum=STRATEGIES)),
)
class HomeView(CourseListView):
    """Courses for one person."""

    surface = "home"


@list_schema("courses_similar", "Courses similar to this one")
class SimilarView(CourseListView):
    """Courses similar to one course: 404 for an unknown course, 410 for one that was removed."""

    surface, item_name = "similar", "course_id"


class LearnerStatsView(TandemAPIView):
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
        wanted = spelled_user_id(user_id)
        require_may_see(request.user, wanted, catalogue=Courses.catalogue)
        if Courses.person(wanted) is None:
            raise NotFound("there is no learner with that id")
        return Response(LearnerStatsSerializer(statistics.of_learner(wanted, _window(request, default=365))).data)


class GlobalStatsView(TandemAPIView):
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
