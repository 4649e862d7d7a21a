"""The base of every endpoint. It needs no REST_FRAMEWORK setting of the project, and changes none."""

from collections.abc import Callable, Sequence
from functools import partial
from typing import Any

from django.db.transaction import non_atomic_requests
from django.utils.cache import patch_vary_headers
from drf_spectacular.utils import OpenApiResponse
from rest_framework.authentication import SessionAuthentication
from rest_framework.parsers import BaseParser
from rest_framework.permissions import SAFE_METHODS, BasePermission, IsAuthenticated
from rest_framework.renderers import BaseRenderer
from rest_framework.request import Request
from rest_framework.views import APIView

from tandem.api import openapi  # noqa: F401 - the import registers the token scheme and the pydantic components
from tandem.api.authentication import BearerAuthentication
from tandem.api.parsers import StrictJSONParser
from tandem.api.problem_details import PROBLEM_JSON, problem_handler
from tandem.api.renderers import OrjsonRenderer
from tandem.api.serializers import ProblemSerializer
from tandem.api.throttling import PerUser
from tandem.selectors.deadlines import BUSY_S, database_deadline

DATABASE_S = 5.0
_problem = partial(OpenApiResponse, ProblemSerializer)
PROBLEMS = {
    (401, PROBLEM_JSON): _problem(description="No session and no trusted token"),
    (404, PROBLEM_JSON): _problem(description="No such surface, or not yours to see: both read the same"),
    (410, PROBLEM_JSON): _problem(description="The item was there once and was taken away"),
    (422, PROBLEM_JSON): _problem(description="A parameter is not valid; `errors` names it"),
    (429, PROBLEM_JSON): _problem(description="Too many requests"),
    (503, PROBLEM_JSON): _problem(description="The database does not answer; Retry-After says when to try again"),
}


class TandemAPIView(APIView):
    """An endpoint for logged-in users and token holders, with problem+json errors.

    A response belongs to one visitor, so no cache between server and visitor may store it.
    """

    authentication_classes = (BearerAuthentication, SessionAuthentication)
    permission_classes: Sequence[type[BasePermission]] = (IsAuthenticated,)
    throttle_classes = (PerUser,)
    renderer_classes: Sequence[type[BaseRenderer]] = (OrjsonRenderer,)
    parser_classes: Sequence[type[BaseParser]] = (StrictJSONParser,)
    versioning_class = None

    @classmethod
    def as_view(cls, **initkwargs: Any) -> Any:
        """Return the view without ATOMIC_REQUESTS: writes have transactions of their own, and reads need none."""
        return non_atomic_requests(super().as_view(**initkwargs))

    def dispatch(self, request: Any, *args: Any, **kwargs: Any) -> Any:
        """Answer within the endpoint's time for the databases, authentication included."""
        seconds = self.database_seconds(request)
        with database_deadline(seconds, busy_s=BUSY_S if request.method in SAFE_METHODS else seconds):
            return super().dispatch(request, *args, **kwargs)

    def database_seconds(self, request: Any) -> float:
        """Return the longest time in seconds that a request waits for the databases; then the answer is 503."""
        return DATABASE_S

    def get_exception_handler(self) -> Callable[[Exception, dict[str, Any]], Any]:
        """Return Tandem's handler; the project's own endpoints keep theirs."""
        return problem_handler

    def finalize_response(self, request: Request, response: Any, *args: Any, **kwargs: Any) -> Any:
        """Add the caching headers."""
        response = super().finalize_response(request, response, *args, **kwargs)
        response["Cache-Control"] = "private, no-store"
        patch_vary_headers(response, ("Authorization", "Cookie"))
        return response
