"""/admin/recommendations/...: what the service has loaded, and rebuilding item vectors and index. For operators."""

from collections.abc import Mapping, Sequence
from datetime import timedelta
from typing import Any

from django.contrib import admin
from django.shortcuts import redirect
from django.utils.http import urlencode
from drf_spectacular.utils import extend_schema
from rest_framework import generics, serializers
from rest_framework.exceptions import NotAuthenticated
from rest_framework.parsers import FormParser, MultiPartParser
from rest_framework.renderers import BaseRenderer, TemplateHTMLRenderer
from rest_framework.request import Request
from rest_framework.response import Response

from recommendation_service.use_cases import loader
from sites.courses.statistics import NAME
from tandem.api.parsers import StrictJSONParser
from tandem.api.permissions import Operator
from tandem.api.renderers import OrjsonRenderer
from tandem.api.views.base import TandemAPIView
from tandem.models import BackgroundJob
from tandem.service_client.client import ServiceFailed, client
from tandem.services import background_jobs

REINDEX = "reindex"
SHOWN_RUNS = 10


class RunSerializer(serializers.ModelSerializer[BackgroundJob]):
    """A background job without its output."""

    run_id = serializers.CharField(source="pk")
    seconds = serializers.SerializerMethodField()

    class Meta:
        """Keys of the endpoint."""

        model = BackgroundJob
        fields: tuple[str, ...] = ("run_id", "what", "use_case", "by", "status", "started", "ended", "seconds")

    def get_seconds(self, job: BackgroundJob) -> float:
        """Return how long the job ran, or has been running."""
        took: timedelta = (job.ended or job.seen) - job.started
        return round(took.total_seconds(), 1)


class RunWithLogSerializer(RunSerializer):
    """A background job with its output."""

    class Meta(RunSerializer.Meta):
        """Keys of the endpoint."""

        fields = (*RunSerializer.Meta.fields, "log")


class ReindexSerializer(serializers.Serializer[Any]):
    """Which use case to reindex."""

    def get_fields(self) -> dict[str, Any]:
        """Return the field; its choices are the use cases of this installation."""
        names = loader.names()
        messages: dict[str, Any] = {"invalid_choice": f"must be one of {', '.join(names)}"}
        return {"use_case": serializers.ChoiceField(names, default=NAME, error_messages=messages)}


class OperationView(TandemAPIView):
    """JSON for programs; for browsers a page like the admin's, after a redirect to its login page."""

    permission_classes = (Operator,)
    parser_classes = (StrictJSONParser, FormParser, MultiPartParser)
    renderer_classes: Sequence[type[BaseRenderer]] = (OrjsonRenderer, TemplateHTMLRenderer)

    def handle_exception(self, exc: Exception) -> Any:
        """Redirect a browser without a session to the login page."""
        if isinstance(exc, NotAuthenticated) and self.is_html:
            return redirect(f"/admin/login/?{urlencode({'next': self.request.path})}")
        return super().handle_exception(exc)

    @property
    def is_html(self) -> bool:
        """True if the client accepts a page rather than JSON."""
        return getattr(getattr(self.request, "accepted_renderer", None), "format", "") == "html"


class ModelsView(OperationView):
    """What the recommendation service has loaded."""

    template_name = "courses/models.html"

    @extend_schema(exclude=True)
    def get(self, request: Request) -> Response:
        """Return each export, model, index and bandit of one worker, and the newest runs; `problem` if it did not answer."""
        try:
            rows, problem = client().models(), None
        except ServiceFailed as failure:
            rows, problem = [], {"code": failure.code, "detail": failure.detail}
        background_jobs.mark_lost()
        runs = RunSerializer(BackgroundJob.objects.order_by("-started")[:SHOWN_RUNS], many=True).data
        body: dict[str, Any] = {"models": rows, "problem": problem, "runs": runs}
        if self.is_html:
            page = {"title": "Models", "use_case": NAME, "use_cases": loader.names()}
            body |= {**admin.site.each_context(request._request), **page}
        return Response(body)


class ReindexView(OperationView):
    """Rebuilding of item vectors and their index."""

    @extend_schema(exclude=True)
    def post(self, request: Request) -> Any:
        """Start a job that exports, trains the item vectors and rebuilds the index: 202, or 409 while one is running."""
        body = ReindexSerializer(data=request.data if isinstance(request.data, Mapping) else {"use_case": None})
        body.is_valid(raise_exception=True)
        by = getattr(request.user, "username", "") or str(request.user.pk)
        run = background_jobs.start(what=REINDEX, use_case=body.validated_data["use_case"], by=by)
        if self.is_html:
            return redirect("operations:models")
        headers = {"Location": f"/admin/recommendations/runs/{run.pk}"}
        return Response(RunSerializer(run).data, status=202, headers=headers)


@extend_schema(exclude=True)
class RunView(OperationView, generics.RetrieveAPIView[BackgroundJob]):
    """One run with its output, for a program that waits for its end."""

    queryset = BackgroundJob.objects.all()
    lookup_url_kwarg = "run_id"
    renderer_classes = (OrjsonRenderer,)
    serializer_class = RunWithLogSerializer

    def get_object(self) -> BackgroundJob:
        """Return the job, after marking jobs with a killed process as failed."""
        background_jobs.mark_lost()
        return super().get_object()
