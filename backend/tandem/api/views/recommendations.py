"""GET recommendations/<use_case>/<surface>/<subject>: one user's list, or the list of an item."""

from typing import Any

from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework.request import Request
from rest_framework.response import Response

from recommendation_service.domain.request import DEFAULT_LIMIT, MAX_LIMIT
from tandem.api.permissions import require_may_see, require_may_see_everybody, resolve_user_id
from tandem.api.serializers import EXCLUDE, USER, AnswerSerializer, ListQuerySerializer
from tandem.api.views.base import PROBLEMS, TandemAPIView
from tandem.conf import tandem_settings
from tandem.identity import spelled_user_id
from tandem.services.recommend import recommend
from tandem.surfaces import bound_surface

EXCLUDED = OpenApiParameter(EXCLUDE, str, many=True, description="Items that must not be shown, such as those of another list")


class RecommendationsView(TandemAPIView):
    """One user's recommendations on one surface, or what goes with an item."""

    def database_seconds(self, request: Any) -> float:
        """Return the seconds of a list."""
        return tandem_settings().database_deadline_s

    @extend_schema(
        operation_id="recommendations",
        summary="Recommendations for one user, or around one item",
        description="Always answers: with the service down or late, the last good list, then popular items; `degraded` "
        "says so. Any facet of the catalogue is a filter, as in `?sector=health&sector=energy`: any of the values.",
        parameters=[
            OpenApiParameter("use_case", str, OpenApiParameter.PATH, description="Such as startups"),
            OpenApiParameter("surface", str, OpenApiParameter.PATH, description="Such as for-developer"),
            OpenApiParameter(
                "subject",
                str,
                OpenApiParameter.PATH,
                description="On a surface about a user: your own id, unless you are staff or a service. About an item: its id",
            ),
            OpenApiParameter(USER, str, description="On a surface about an item: for whom; yours when it is left out"),
            OpenApiParameter("strategy", str, description="The engine to put first, of those the surface offers"),
            OpenApiParameter(
                "limit",
                {"type": "integer", "minimum": 1, "maximum": MAX_LIMIT, "default": DEFAULT_LIMIT},
                description="How many items at most",
            ),
            EXCLUDED,
            OpenApiParameter("explain", OpenApiTypes.BOOL, description="Fill `parts`: each engine's share of the score"),
        ],
        responses={200: AnswerSerializer, **PROBLEMS},
    )
    def get(self, request: Request, use_case: str, surface: str, subject: str) -> Response:
        """Return the list. Raises NotFound for a list that the requester may not see."""
        bound = bound_surface(use_case, surface)
        about_user = bound.about == "user"
        subject_id = spelled_user_id(subject, field=USER) if about_user else bound.subject_source.spelled_item_id(subject)
        if about_user:
            require_may_see(request.user, subject_id, catalogue=bound.catalogue)
        elif bound.about == "context":  # only the site's own pages know who owns a context, such as a job
            require_may_see_everybody(request.user)
        query = ListQuerySerializer.parse(request, bound=bound, takes_user=not about_user)
        requested = query.pop(USER)
        user_id = subject_id if about_user else resolve_user_id(request.user, requested, bound)
        item_ids = () if about_user else (subject_id,)
        answer = recommend(use_case=use_case, surface=surface, user_id=user_id, item_ids=item_ids, **query)
        return Response(AnswerSerializer(answer).data)
