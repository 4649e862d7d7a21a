"""View sets of /api/v1/cleaning/: jobs from posting to review, lists of recommendations, and their outcomes."""

from collections.abc import Callable
from typing import Any

from django.core.paginator import Paginator
from drf_spectacular.utils import OpenApiParameter, OpenApiResponse, extend_schema
from rest_framework.decorators import action
from rest_framework.pagination import PageNumberPagination
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.serializers import Serializer
from rest_framework.viewsets import ViewSetMixin

from recommendation_service.domain.request import MAX_LIMIT
from recommendation_service.errors import Conflict, Gone, InvalidInput, NotFound
from sites.cleaning.api import request_serializers as requests
from sites.cleaning.api import serializers
from sites.cleaning.api.permissions import (
    CLEANERS,
    JOBS,
    Role,
    Visitor,
    job_for,
    own_job,
    recommendation_for,
    resolve_cleaner,
    resolve_client,
    visitor_of,
)
from sites.cleaning.api.visibility import NO_COMPETITION, VisibleJob, competition_of, visible_job
from sites.cleaning.models import Cleaner, CleaningJob, Client, JobBid
from sites.cleaning.services import bid_suggestions, jobs, outcomes, posting
from sites.cleaning.services.recommendations import RecommendationEngine
from tandem.api.serializers import ProblemSerializer, QuerySerializer
from tandem.api.views.base import PROBLEMS as _PROBLEMS
from tandem.api.views.base import TandemAPIView
from tandem.conf import tandem_settings

_PROBLEM_JSON = "application/problem+json"
PROBLEMS = {
    **_PROBLEMS,
    (404, _PROBLEM_JSON): OpenApiResponse(ProblemSerializer, description="Not there, or not yours to see"),
    (410, _PROBLEM_JSON): OpenApiResponse(ProblemSerializer, description="The job takes no bids any more"),
}
WRITES = {
    **PROBLEMS,
    (403, _PROBLEM_JSON): OpenApiResponse(ProblemSerializer, description="A session without its CSRF token"),
    (409, _PROBLEM_JSON): OpenApiResponse(ProblemSerializer, description="The job's state does not allow it"),
}
JOB = OpenApiParameter("job_id", str, OpenApiParameter.PATH)
CLEANER = OpenApiParameter(
    "cleaner_id", str, OpenApiParameter.PATH, description="`me`, your own id, or any id for staff and services"
)
SHOWN = [
    OpenApiParameter("side", str, OpenApiParameter.PATH, enum=[CLEANERS, JOBS], description="What was recommended"),
    OpenApiParameter("recommendation_id", str, OpenApiParameter.PATH),
]
OFFERED_ONLY = "Only for jobs that still take bids; 410 for the others."


class OpenEndedPaginator(Paginator):  # type: ignore[type-arg]  # not generic at run time
    """A page after the last one is empty."""

    def validate_number(self, number: Any) -> int:
        """Return the number; the query serializer has validated it."""
        return int(number)


class JobPagination(PageNumberPagination):
    """`?page=` and `?limit=`."""

    django_paginator_class = OpenEndedPaginator
    page_size, max_page_size, page_size_query_param = 20, MAX_LIMIT, "limit"

    def get_paginated_response(self, data: Any) -> Response:
        """Return the page under the keys of this API."""
        page: Any = self.page
        return Response({"jobs": data, "page": page.number, "has_more": page.has_next()})

    def get_paginated_response_schema(self, schema: Any) -> dict[str, Any]:
        """Return the schema of a page."""
        properties = {"jobs": schema, "page": {"type": "integer"}, "has_more": {"type": "boolean"}}
        return {"type": "object", "required": list(properties), "properties": properties}


class MarketplaceViewSet(ViewSetMixin, TandemAPIView):
    """Endpoints of one visitor."""

    def database_seconds(self, request: Any) -> float:
        """Return the seconds of a list for what only reads."""
        return tandem_settings().database_deadline_s if request.method == "GET" else super().database_seconds(request)

    @property
    def visitor(self) -> Visitor:
        """The client or cleaner of the request."""
        return visitor_of(self.request.user)

    def validated(self, serializer_class: type[Serializer[Any]]) -> dict[str, Any]:
        """Return the validated body; no body is an empty one. Raises ValidationError."""
        serializer = serializer_class(data=self.request.data)
        serializer.is_valid(raise_exception=True)
        return dict(serializer.validated_data)


def _described(operation: str, summary: str, answer: Any, status: int = 200, **more: Any) -> Callable[[Any], Any]:
    """Describe an endpoint of one job in the OpenAPI document."""
    more = {"parameters": [JOB], **more}
    return extend_schema(operation_id=operation, summary=summary, responses={status: answer, **WRITES}, **more)


def _job_step(operation: str, summary: str, body: Any = requests.EmptySerializer, **more: Any) -> Callable[[Any], Any]:
    """Make the method a POST on one job that answers with the job."""

    def decorate(method: Any) -> Any:
        step = action(detail=True, methods=["post"])(method)  # first, because action() resets the schema
        return _described(operation, summary, serializers.JobWithBidsSerializer, request=body, **more)(step)

    return decorate


class JobViewSet(MarketplaceViewSet):
    """Jobs, and what their clients and cleaners do with them."""

    lookup_url_kwarg = "job_id"
    serializer_class = serializers.JobSerializer
    pagination_class = JobPagination

    @extend_schema(
        operation_id="cleaning_jobs", summary="Your own jobs", parameters=[requests.PageQuery],
        description="A client's jobs, the newest first; staff and services see all.",
        responses={200: serializers.JobSerializer(many=True), **PROBLEMS},
    )  # fmt: skip
    def list(self, request: Request) -> Response:
        """Return one page of jobs."""
        query, visitor, pagination = requests.PageQuery.parse(request), self.visitor, JobPagination()
        if visitor.client is None and not visitor.sees_all:
            raise NotFound("this account is not a client")
        rows = CleaningJob.objects.select_related("client", "place", "cleaner", "payment")
        rows = rows if visitor.sees_all else rows.filter(client=visitor.client)
        rows = rows.filter(status=query["status"]) if "status" in query else rows
        page = pagination.paginate_queryset(rows, request, view=self) or []
        role, competition = Role.EVERYTHING if visitor.sees_all else Role.CLIENT, competition_of(page)
        visible = [VisibleJob(job, role, competition.get(job.pk, NO_COMPETITION)) for job in page]
        return pagination.get_paginated_response(serializers.JobSerializer(visible, many=True).data)

    @extend_schema(
        operation_id="post_cleaning_job", summary="Post a job", request=requests.PostJobSerializer,
        responses={201: serializers.JobSerializer, **WRITES},
    )  # fmt: skip
    def create(self, request: Request) -> Response:
        """Return the job; cleaners are recommended for it at once."""
        data = self.validated(requests.PostJobSerializer)
        client = resolve_client(self.visitor, data.pop("client_id", None))
        job = posting.post_job(client=client, place=_place(client, data), **data)
        return Response(serializers.JobSerializer(VisibleJob(job, Role.CLIENT)).data, status=201)

    @extend_schema(
        operation_id="cleaning_job", summary="One job", parameters=[JOB],
        description="Its client, staff and services see every bid; a cleaner sees jobs that take bids and those they bid "
        "for, with their own bid, the number of bids and the lowest.",
        responses={200: serializers.JobWithBidsSerializer, **PROBLEMS},
    )  # fmt: skip
    def retrieve(self, request: Request, job_id: str) -> Response:
        """Return as much of the job as the visitor may see."""
        QuerySerializer.parse(request)
        return self._job(job_id)

    @_described("place_bid", "Bid for a job", serializers.BidSerializer, 201, request=requests.PlaceBidSerializer)
    @action(detail=True, methods=["post"])
    def bids(self, request: Request, job_id: str) -> Response:
        """Return the bid; 409 for a second one, 410 for a job that takes no bids any more."""
        data = self.validated(requests.PlaceBidSerializer)
        cleaner = resolve_cleaner(self.visitor, data.pop("cleaner_id", None))
        job, _role = job_for(Visitor(sees_all=True), job_id)  # a job that is taken is 410, not 404
        return Response(serializers.BidSerializer(jobs.place_bid(job=job, cleaner=cleaner, **data)).data, status=201)

    @_described("withdraw_bid", "Withdraw your bid", serializers.BidSerializer)
    @bids.mapping.delete  # type: ignore[untyped-decorator]  # the stubs of action() do not know `mapping`
    def withdraw(self, request: Request, job_id: str) -> Response:
        """Return the bid as it is now; 409 after the client has decided."""
        job, _role = job_for(self.visitor, job_id)
        bid = jobs.withdraw_bid(job=job, cleaner=resolve_cleaner(self.visitor, None))
        return Response(serializers.BidSerializer(bid).data)

    @_job_step("accept_bid", "Hire the cleaner of a bid", requests.AcceptSerializer)
    def accept(self, request: Request, job_id: str) -> Response:
        """For the job's client."""
        data = self.validated(requests.AcceptSerializer)
        jobs.accept_bid(job=own_job(self.visitor, job_id), **data)
        return self._job(job_id)

    @_job_step("confirm_job", "Confirm that you will come")
    def confirm(self, request: Request, job_id: str) -> Response:
        """For the hired cleaner."""
        self.validated(requests.EmptySerializer)
        job, role = job_for(self.visitor, job_id)
        jobs.confirm_job(job=job, cleaner=_hired(job, role))
        return self._job(job_id)

    @_job_step("complete_job", "Report the work as done", requests.CompleteSerializer)
    def complete(self, request: Request, job_id: str) -> Response:
        """For the hired cleaner or the client; the payment is captured."""
        data = self.validated(requests.CompleteSerializer)
        job, role = job_for(self.visitor, job_id)
        jobs.complete_job(job=job, cleaner=_acting_cleaner(job, role), **data)
        return self._job(job_id)

    @_job_step("cancel_job", "Cancel a job")
    def cancel(self, request: Request, job_id: str) -> Response:
        """For the client, and for the hired cleaner; the payment is refunded."""
        self.validated(requests.EmptySerializer)
        job, role = job_for(self.visitor, job_id)
        jobs.cancel_job(job=job, cleaner=_acting_cleaner(job, role))
        return self._job(job_id)

    @_job_step("fail_job", "Report that no cleaner came")
    def fail(self, request: Request, job_id: str) -> Response:
        """For the client, once the time of the job is past; the payment is refunded."""
        self.validated(requests.EmptySerializer)
        jobs.fail_job(job=own_job(self.visitor, job_id))
        return self._job(job_id)

    @_described(
        "review_job", "Review a job", serializers.ReviewDetailSerializer, 201, request=requests.ReviewSerializer
    )  # fmt: skip
    @action(detail=True, methods=["post"])
    def review(self, request: Request, job_id: str) -> Response:
        """Return the review; one per completed job."""
        data = self.validated(requests.ReviewSerializer)
        review = jobs.review_job(job=own_job(self.visitor, job_id), **data)
        return Response(serializers.ReviewDetailSerializer(review).data, status=201)

    @extend_schema(
        operation_id="get_recommended_cleaners", summary="Cleaners for a job", parameters=[JOB, requests.ListQuery],
        description=f"For the job's client. The list is recorded as shown. {OFFERED_ONLY}",
        responses={200: serializers.CleanerMatchesSerializer, **PROBLEMS},
    )  # fmt: skip
    @action(detail=True)
    def cleaners(self, request: Request, job_id: str) -> Response:
        """Return the list, the best first."""
        mode, limit, filters = requests.ListQuery.arguments(request)
        job = _offered(own_job(self.visitor, job_id))
        listed = RecommendationEngine(mode).recommend_cleaners_for_job(job, limit, filters)
        return Response(serializers.CleanerMatchesSerializer(listed).data)

    @_described(
        "suggest_bid", "What a cleaner might bid for a job", serializers.SuggestionSerializer,
        parameters=[JOB, requests.SuggestionQuery],
        description=f"It is stored, so that it can be compared with the bid that follows. {OFFERED_ONLY}",
    )  # fmt: skip
    @action(detail=True, url_path="bid-suggestion")
    def bid_suggestion(self, request: Request, job_id: str) -> Response:
        """Return minimum, optimum, maximum, and their inputs."""
        query = requests.SuggestionQuery.parse(request)
        job, _role = job_for(self.visitor, job_id)
        cleaner = resolve_cleaner(self.visitor, query.get("cleaner_id"))
        if _offered(job).bids.filter(cleaner=cleaner).exclude(status=JobBid.Status.WITHDRAWN).exists():
            raise Conflict("there is a bid for this job already; withdraw it to get another suggestion")
        return Response(serializers.SuggestionSerializer(bid_suggestions.suggest_bid(job, cleaner)).data)

    def _job(self, job_id: str) -> Response:
        visitor = self.visitor
        return Response(serializers.JobWithBidsSerializer(visible_job(visitor, *job_for(visitor, job_id))).data)


class CleanerViewSet(MarketplaceViewSet):
    """Lists for cleaners."""

    lookup_url_kwarg = "cleaner_id"

    @extend_schema(
        operation_id="get_recommended_jobs", summary="Jobs for a cleaner", parameters=[CLEANER, requests.ListQuery],
        responses={200: serializers.JobMatchesSerializer, **PROBLEMS},
    )  # fmt: skip
    @action(detail=True)
    def jobs(self, request: Request, cleaner_id: str) -> Response:
        """Return the list, the best first, with no more than a cleaner may see of each job."""
        mode, limit, filters = requests.ListQuery.arguments(request)
        visitor = self.visitor
        cleaner = visitor.cleaner if cleaner_id == "me" else resolve_cleaner(visitor, cleaner_id)
        if cleaner is None:
            raise NotFound("this account is not a cleaner")
        listed = RecommendationEngine(mode).recommend_jobs_for_cleaner(cleaner, limit, filters)
        competition = competition_of(row["job"] for row in listed)
        return Response(serializers.JobMatchesSerializer(listed, context={"competition": competition}).data)


class RecommendationViewSet(MarketplaceViewSet):
    """Outcomes of the recommendations that a visitor received."""

    lookup_url_kwarg = "recommendation_id"

    @_described(
        "recommendation_viewed", "Report that a recommendation was opened", serializers.OutcomeSerializer,
        parameters=SHOWN, request=requests.EmptySerializer,
    )  # fmt: skip
    @action(detail=True, methods=["post"])
    def viewed(self, request: Request, side: str, recommendation_id: str) -> Response:
        """Return the outcome so far; the second report changes nothing."""
        self.validated(requests.EmptySerializer)
        shown = recommendation_for(self.visitor, side, recommendation_id)
        outcomes.report_viewed(shown)
        return Response(serializers.OutcomeSerializer(shown).data)

    @_described(
        "recommendation_contacted", "Report that a recommended cleaner was contacted", serializers.OutcomeSerializer,
        parameters=SHOWN[1:], request=requests.EmptySerializer,
    )  # fmt: skip
    def contacted(self, request: Request, recommendation_id: str) -> Response:
        """Return the outcome so far; the second report changes nothing."""
        self.validated(requests.EmptySerializer)
        shown = recommendation_for(self.visitor, CLEANERS, recommendation_id)
        outcomes.report_contacted(shown)
        return Response(serializers.OutcomeSerializer(shown).data)

    @_described(
        "recommendation_feedback", "Give feedback on a recommendation", serializers.FeedbackDetailSerializer,
        parameters=SHOWN, request=requests.MatchFeedbackSerializer,
        description="The newest feedback replaces the older one. Training learns from it.",
    )  # fmt: skip
    @action(detail=True, methods=["post"])
    def feedback(self, request: Request, side: str, recommendation_id: str) -> Response:
        """Return the saved feedback."""
        data = self.validated(requests.MatchFeedbackSerializer)
        shown = recommendation_for(self.visitor, side, recommendation_id)
        return Response(serializers.FeedbackDetailSerializer(outcomes.give_feedback(shown, **data)).data)


def _offered(job: CleaningJob) -> CleaningJob:
    """Return the job if it still takes bids. Raises Gone."""
    if job.status not in CleaningJob.OFFERED:
        raise Gone(f"this job is {job.status} and takes no bids any more")
    return job


def _hired(job: CleaningJob, role: Role) -> Cleaner:
    """Return the hired cleaner if the visitor is that cleaner, or staff. Raises NotFound."""
    if job.cleaner is None or role not in (Role.HIRED, Role.EVERYTHING):
        raise NotFound("this is not a job of yours")
    return job.cleaner


def _acting_cleaner(job: CleaningJob, role: Role) -> Cleaner | None:
    """Return the hired cleaner if the visitor is a cleaner; None for the client and staff. Raises NotFound."""
    return _hired(job, role) if role in (Role.HIRED, Role.CLEANER) else None


def _place(client: Client, data: dict[str, Any]) -> Any:
    """Return the client's property of a body, or the columns of a new one. Raises InvalidInput."""
    new, pk = data.pop("property", None), data.pop("property_id", None)
    place = new or client.properties.filter(pk=pk).first()
    if place is None:
        message = "is not a property of this client"
        raise InvalidInput(f"property_id {message}", fields={"/property_id": message})
    return place
