"""GET and PUT /recommend/interests/, and GET /posts/insights/: what a member says of themselves, and learns of readers."""

from collections.abc import Mapping
from typing import Any

from django.http import HttpResponse
from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework.exceptions import ParseError
from rest_framework.request import Request
from rest_framework.views import APIView

from recommendation_service.errors import InvalidInput
from sites.posts import interests
from sites.posts.access import SignedInOrDemo, creator_asked_for, member_asked_for
from sites.posts.insight_texts import insights_of
from sites.posts.insights import MOST_WEEKS, WEEKS, Report, clean_weeks, report_of
from sites.posts.serializers import InsightsSerializer, InterestsSerializer, WordsSerializer
from tandem.api.views.lists import USER, personal
from tandem.api.views.recommendations import PROBLEMS

MOST_POSTS = 20
WHOSE = OpenApiParameter(USER, str, description="Whose; your own when it is left out. Another's is for staff and services")
WEEKS_SCHEMA = {"type": "integer", "minimum": 1, "maximum": MOST_WEEKS, "default": WEEKS}


class InterestsView(APIView):
    """What one member says they like."""

    @extend_schema(
        operation_id="interests",
        summary="What a member is interested in",
        parameters=[WHOSE],
        responses={200: InterestsSerializer, **PROBLEMS},
    )
    def get(self, request: Request) -> HttpResponse:
        """The interests, and every word that would match something."""
        return personal(interests.told(member_asked_for(request)))

    @extend_schema(
        operation_id="set_interests",
        summary="Say what a member is interested in",
        description="At most 20 words of 1 to 40 characters; letter case does not matter. A word that no post carries yet "
        "is kept and named in `unmatched`. The member's next list is made with the new interests.",
        parameters=[WHOSE],
        request=WordsSerializer,
        responses={200: InterestsSerializer, **PROBLEMS},
    )
    def put(self, request: Request) -> HttpResponse:
        """Replace all interests."""
        member = member_asked_for(request)
        interests.set_interests(member, _only_interests(_body(request)))
        return personal(interests.told(member))


class InsightsView(APIView):
    """A creator's own figures, in words and numbers."""

    permission_classes = (SignedInOrDemo,)

    @extend_schema(
        operation_id="insights",
        summary="What a creator learns of their readers",
        description="For creators, about their own posts only; staff and services may ask for any creator. Everything is "
        "counted over whole weeks that end now, beside as many weeks before.",
        parameters=[WHOSE, OpenApiParameter("weeks", WEEKS_SCHEMA, description="How many weeks")],
        responses={200: InsightsSerializer, **PROBLEMS},
    )
    def get(self, request: Request) -> HttpResponse:
        """The report as JSON."""
        creator = creator_asked_for(request)
        return personal(told(report_of(creator, weeks=clean_weeks(request._request.GET.getlist("weeks")))))


def told(report: Report) -> dict[str, Any]:
    """A report as it is answered."""
    posts = sorted(report.posts, key=lambda post: (-report.now[post.pk].count("view"), post.pk))
    return {
        "user_id": str(report.creator.pk),
        "name": report.creator.name,
        "weeks": report.weeks,
        "since": report.since.isoformat(),
        "until": report.until.isoformat(),
        "totals": report.total.told(),
        "totals_before": report.total_before.told(),
        "insights": [insight.told() for insight in insights_of(report)],
        "posts": [{"id": post.pk, "title": post.title, **report.now[post.pk].told()} for post in posts[:MOST_POSTS]],
    }


def _body(request: Request) -> Any:
    try:
        return request.data
    except RecursionError as error:
        raise ParseError("the body is nested too deeply") from error


def _only_interests(body: Any) -> Any:
    if not isinstance(body, Mapping) or "interests" not in body:
        told_ = 'send {"interests": [...]}'
        raise InvalidInput(told_, fields={"/interests": "is missing"})
    stranger = next((name for name in body if name != "interests"), None)
    if stranger is not None:
        raise InvalidInput("only interests can be set here", fields={f"/{str(stranger)[:64]}": "is not known"})
    return body["interests"]
