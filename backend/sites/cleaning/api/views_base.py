"""What the marketplace's API doors have in common: who asks, a body read strictly, and answers that nothing keeps."""

from typing import Any

from drf_spectacular.utils import OpenApiParameter, OpenApiResponse
from rest_framework.exceptions import ParseError
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.serializers import Serializer
from rest_framework.views import APIView

from sites.cleaning.api.permissions import Visitor, visitor_of
from sites.cleaning.conf import MODES
from sites.cleaning.models import CleaningJob, PropertyType
from tandem.api.serializers import ProblemSerializer
from tandem.api.views.base import PROBLEMS as _PROBLEMS

PROBLEMS = {
    **_PROBLEMS,
    (404, "application/problem+json"): OpenApiResponse(ProblemSerializer, description="Not there, or not yours to see"),
    (410, "application/problem+json"): OpenApiResponse(ProblemSerializer, description="Too late: it takes no bids any more"),
}
CONFLICT = {
    (403, "application/problem+json"): OpenApiResponse(ProblemSerializer, description="A session without its CSRF token"),
    (409, "application/problem+json"): OpenApiResponse(ProblemSerializer, description="The job's state does not allow it now"),
}
WRITES = {**PROBLEMS, **CONFLICT}
JOB = OpenApiParameter("job_id", str, OpenApiParameter.PATH, description="The job's number")
CLEANER = OpenApiParameter(
    "cleaner_id", str, OpenApiParameter.PATH, description="Your own number, or anybody's for staff and services"
)
LIST = [
    OpenApiParameter("limit", {"type": "integer", "minimum": 1, "maximum": 100, "default": 10}, description="At most so many"),
    OpenApiParameter("mode", str, enum=list(MODES), description="How to score; the setting RECOMMENDATION_MODE without it"),
    OpenApiParameter("max_distance", {"type": "integer", "minimum": 1}, description="Whole kilometres from cleaner to job"),
    OpenApiParameter("eco", bool, description="Only who works with, or what asks for, eco-friendly products"),
    OpenApiParameter("property_type", str, enum=PropertyType.values),
    OpenApiParameter("max_price", {"type": "number", "exclusiveMinimum": 0}, description="€ that a bid would cost at most"),
]
PAGES = [
    OpenApiParameter("status", str, enum=CleaningJob.Status.values),
    OpenApiParameter("limit", {"type": "integer", "minimum": 1, "maximum": 100, "default": 20}, description="Jobs a page"),
    OpenApiParameter("page", {"type": "integer", "minimum": 1, "maximum": 100, "default": 1}),
]


class MarketplaceView(APIView):
    """A door of the marketplace."""

    @property
    def visitor(self) -> Visitor:
        """Who asks."""
        return visitor_of(self.request.user)

    def validated(self, serializer_class: type[Serializer[Any]]) -> dict[str, Any]:
        """The body as the shape reads it; no body is an empty one. Raises ValidationError."""
        try:
            data = self.request.data
        except RecursionError as error:
            raise ParseError("the body is nested too deeply") from error
        serializer = serializer_class(data=data)
        serializer.is_valid(raise_exception=True)
        return dict(serializer.validated_data)

    def finalize_response(self, request: Request, response: Any, *args: Any, **kwargs: Any) -> Any:
        """Nothing here is to be kept between here and the visitor."""
        done = super().finalize_response(request, response, *args, **kwargs)
        done["Cache-Control"], done["Vary"] = "private, no-store", "Authorization, Cookie"
        return done


def created(data: dict[str, Any]) -> Response:
    """What is new."""
    return Response(data, status=201)
