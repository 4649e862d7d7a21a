"""/admin/recommendations/models and /admin/recommendations/reindex: what serves, and making it anew. For operators only."""

from collections.abc import Sequence
from typing import Any, ClassVar

from django.contrib import admin
from django.shortcuts import redirect
from django.utils.http import urlencode
from drf_spectacular.utils import extend_schema
from rest_framework.exceptions import NotAuthenticated
from rest_framework.parsers import FormParser, JSONParser, MultiPartParser
from rest_framework.renderers import BaseRenderer, JSONRenderer, TemplateHTMLRenderer
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from recommendation_service.errors import InvalidInput, NotFound
from recommendation_service.use_cases import loader
from sites.courses.statistics import NAME
from tandem.api.permissions import Operator
from tandem.client import ServiceFailed, client
from tandem.models import BackgroundJob
from tandem.services import background_jobs

REINDEX = "reindex"
SHOWN_RUNS = 10


class OperationView(APIView):
    """JSON for programs; for people's browsers a page in the admin's look, and the login page first."""

    permission_classes = (Operator,)
    parser_classes = (JSONParser, FormParser, MultiPartParser)
    renderer_classes: Sequence[type[BaseRenderer]] = (JSONRenderer, TemplateHTMLRenderer)
    template_name: ClassVar[str] = "courses/models.html"

    def handle_exception(self, exc: Exception) -> Any:
        """A browser that nobody has logged in with is sent to the login page."""
        if isinstance(exc, NotAuthenticated) and self.for_people:
            return redirect(f"/admin/login/?{urlencode({'next': self.request.path})}")
        return super().handle_exception(exc)

    def finalize_response(self, request: Request, response: Any, *args: Any, **kwargs: Any) -> Any:
        """Operators' answers are kept by nothing between here and them."""
        finished = super().finalize_response(request, response, *args, **kwargs)
        finished.headers["Cache-Control"] = "private, no-store"
        return finished

    @property
    def for_people(self) -> bool:
        """Whether a page is wanted."""
        return getattr(getattr(self.request, "accepted_renderer", None), "format", "") == "html"


class ModelsView(OperationView):
    """What the recommendation service has loaded."""

    @extend_schema(exclude=True)
    def get(self, request: Request) -> Response:
        """Every export, model, index and bandit of one worker, and the newest runs; `problem` when the service is away."""
        try:
            rows, problem = client().models(), None
        except ServiceFailed as failure:
            rows, problem = [], {"code": failure.code, "detail": failure.detail}
        background_jobs.mark_lost()
        newest = [_told(run) for run in BackgroundJob.objects.order_by("-started")[:SHOWN_RUNS]]
        body: dict[str, Any] = {"models": rows, "problem": problem, "runs": newest}
        if self.for_people:
            named = {"title": "Models", "use_case": NAME, "use_cases": loader.names()}
            body |= {**admin.site.each_context(request._request), **named}
        return Response(body)


class ReindexView(OperationView):
    """Item vectors and their index, made anew."""

    @extend_schema(exclude=True)
    def post(self, request: Request) -> Any:
        """202 with the run that exports, trains the item vectors and rebuilds the index; 409 while one is running."""
        use_case = request.data.get("use_case", NAME) if hasattr(request.data, "get") else None
        if not isinstance(use_case, str) or use_case not in loader.names():
            told = f"must be one of {', '.join(loader.names())}"
            raise InvalidInput(f"use_case {told}", fields={"/use_case": told})
        by = getattr(request.user, "username", "") or str(request.user.pk)
        run = background_jobs.start(what=REINDEX, use_case=use_case, by=by)
        if self.for_people:
            return redirect("operations:models")
        where = f"/admin/recommendations/runs/{run.pk}"
        return Response(_told(run), status=202, headers={"Location": where})


class RunView(OperationView):
    """One run, for a program that waits for its end."""

    renderer_classes: Sequence[type[BaseRenderer]] = (JSONRenderer,)

    @extend_schema(exclude=True)
    def get(self, request: Request, run_id: str) -> Response:
        """Its state and its log."""
        background_jobs.mark_lost()
        run = BackgroundJob.objects.filter(pk=run_id).first()
        if run is None:
            raise NotFound("no run of that id")
        return Response({**_told(run), "log": run.log})


def _told(run: BackgroundJob) -> dict[str, Any]:
    return {
        "run_id": str(run.pk),
        "what": run.what,
        "use_case": run.use_case,
        "by": run.by,
        "status": run.status,
        "started": run.started.isoformat(),
        "ended": run.ended.isoformat() if run.ended else None,
        "seconds": round(((run.ended or run.seen) - run.started).total_seconds(), 1),
    }
