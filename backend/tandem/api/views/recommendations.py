"""GET /api/recommendations/<use_case>/<surface>[/<subject>]: may this visitor ask, and is the question sane?"""

from functools import partial

from django.http import HttpResponse
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiParameter, OpenApiResponse, extend_schema
from rest_framework.request import Request
from rest_framework.views import APIView

from recommendation_service.domain.ids import clean_id
from recommendation_service.domain.query import DEFAULT_LIMIT, MAX_LIMIT
from tandem.api.permissions import require_may_see, require_may_see_everybody
from tandem.api.query_params import RecommendationQuery
from tandem.api.serializers import AnswerSerializer, ProblemSerializer
from tandem.api.views.lists import USER, personal, whose
from tandem.services.recommend import recommend
from tandem.surfaces import bound_surface

_problem = partial(OpenApiResponse, ProblemSerializer)
PROBLEMS = {
    (401, "application/problem+json"): _problem(description="No session and no trusted token"),
    (404, "application/problem+json"): _problem(description="No such surface, or not yours to see: both read the same"),
    (410, "application/problem+json"): _problem(description="The item was there once and was taken away"),
    (422, "application/problem+json"): _problem(description="A parameter is not valid; `errors` names it"),
    (429, "application/problem+json"): _problem(description="Too many requests"),
}


class RecommendationsView(APIView):
    """One user's recommendations on one surface, or what goes with an item."""

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
            OpenApiParameter("explain", OpenApiTypes.BOOL, description="Fill `parts`: each engine's share of the score"),
        ],
        responses={200: AnswerSerializer, **PROBLEMS},
    )
    def get(self, request: Request, use_case: str, surface: str, subject: str) -> HttpResponse:
        """The list as JSON, never to be kept by anything between here and the visitor."""
        bound = bound_surface(use_case, surface)
        about_user = bound.about == "user"
        subject_id = clean_id(subject, field=USER if about_user else "item_id")
        if about_user:
            require_may_see(request.user, subject_id, catalogue=bound.catalogue)
        elif bound.about == "context":  # whose job it is only the site's own pages know
            require_may_see_everybody(request.user)
        query = RecommendationQuery(
            request._request.GET, facets=bound.facets, strategies=bound.surface.strategies, takes_user=not about_user
        ).validated()
        answer = recommend(
            use_case=use_case,
            surface=surface,
            user_id=subject_id if about_user else whose(request, query.user_id, bound),
            item_ids=() if about_user else (subject_id,),
            **query.arguments,
        )
        return personal(AnswerSerializer(answer).data)
