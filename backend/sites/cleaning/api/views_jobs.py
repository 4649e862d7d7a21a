"""/api/v1/cleaning/jobs/...: posting a job, bidding, hiring, and everything until it is reviewed."""

from typing import Any

from drf_spectacular.utils import extend_schema
from rest_framework.request import Request
from rest_framework.response import Response

from recommendation_service.errors import InvalidInput, NotFound
from sites.cleaning.api.permissions import Role, Visitor, job_for, own_job, resolve_cleaner, resolve_client
from sites.cleaning.api.query_params import DEFAULT_PAGE, PAGING, read
from sites.cleaning.api.request_serializers import (
    AcceptSerializer,
    CompleteSerializer,
    NothingSerializer,
    PlaceBidSerializer,
    PostJobSerializer,
    ReviewSerializer,
)
from sites.cleaning.api.serializers import (
    BidSerializer,
    JobSerializer,
    JobsSerializer,
    JobWithBidsSerializer,
    ReviewToldSerializer,
)
from sites.cleaning.api.views_base import JOB, PAGES, PROBLEMS, WRITES, MarketplaceView, created
from sites.cleaning.api.visibility import NO_COMPETITION, VisibleJob, competition_of, visible_job
from sites.cleaning.models import Cleaner, CleaningJob, Client, Property
from sites.cleaning.services import jobs


class JobsView(MarketplaceView):
    """A client's own jobs."""

    @extend_schema(
        operation_id="cleaning_jobs",
        summary="Your own jobs",
        description="A client's jobs, the newest first; staff and services see all.",
        parameters=PAGES,
        responses={200: JobsSerializer, **PROBLEMS},
    )
    def get(self, request: Request) -> Response:
        """One page of them."""
        data = read(request._request.GET, PAGING)
        visitor, size, page = self.visitor, data.get("limit", DEFAULT_PAGE), data.get("page", 1)
        if visitor.client is None and not visitor.sees_all:
            raise NotFound("this account is no client here")
        rows = CleaningJob.objects.select_related("client", "place", "cleaner", "payment")
        if not visitor.sees_all:
            rows = rows.filter(client=visitor.client)
        if "status" in data:
            rows = rows.filter(status=data["status"])
        page_jobs = list(rows[(page - 1) * size : page * size + 1])
        role, competition = Role.EVERYTHING if visitor.sees_all else Role.CLIENT, competition_of(page_jobs[:size])
        visible = [VisibleJob(job, role, competition.get(job.pk, NO_COMPETITION)) for job in page_jobs[:size]]
        return Response(JobsSerializer({"jobs": visible, "page": page, "has_more": len(page_jobs) > size}).data)

    @extend_schema(
        operation_id="post_cleaning_job",
        summary="Post a job",
        request=PostJobSerializer,
        responses={201: JobSerializer, **WRITES},
    )
    def post(self, request: Request) -> Response:
        """The job; cleaners are recommended for it at once."""
        data = self.validated(PostJobSerializer)
        client = resolve_client(self.visitor, data.pop("client_id", None))
        job = jobs.post_job(client=client, place=_place(client, data), **data)
        return created(JobSerializer(VisibleJob(job, Role.CLIENT)).data)


class JobView(MarketplaceView):
    """One job."""

    @extend_schema(
        operation_id="cleaning_job",
        summary="One job",
        description="Its client, staff and services see every bid; a cleaner sees jobs that take bids and those they bid "
        "for, with their own bid, the number of bids and the lowest.",
        parameters=[JOB],
        responses={200: JobWithBidsSerializer, **PROBLEMS},
    )
    def get(self, request: Request, job_id: str) -> Response:
        """As much of it as the asker may see."""
        read(request._request.GET, {})
        job, role = job_for(self.visitor, job_id)
        return Response(JobWithBidsSerializer(visible_job(self.visitor, job, role)).data)


class BidsView(MarketplaceView):
    """A cleaner's own bid."""

    @extend_schema(
        operation_id="place_bid", summary="Bid for a job", parameters=[JOB], request=PlaceBidSerializer,
        responses={201: BidSerializer, **WRITES},
    )  # fmt: skip
    def post(self, request: Request, job_id: str) -> Response:
        """The bid; 409 for a second one, 410 for a job that takes no bids any more."""
        data = self.validated(PlaceBidSerializer)
        cleaner = resolve_cleaner(self.visitor, data.pop("cleaner_id", None))
        return created(BidSerializer(jobs.place_bid(job=_existing(job_id), cleaner=cleaner, **data)).data)

    @extend_schema(
        operation_id="withdraw_bid", summary="Take your bid back", parameters=[JOB], responses={200: BidSerializer, **WRITES}
    )
    def delete(self, request: Request, job_id: str) -> Response:
        """The bid as it is now; 409 once it was decided on."""
        job, _role = job_for(self.visitor, job_id)
        bid = jobs.withdraw_bid(job=job, cleaner=resolve_cleaner(self.visitor, None))
        return Response(BidSerializer(bid).data)


class AcceptView(MarketplaceView):
    """Hiring."""

    @extend_schema(
        operation_id="accept_bid", summary="Hire the cleaner of a bid", parameters=[JOB], request=AcceptSerializer,
        responses={200: JobWithBidsSerializer, **WRITES},
    )  # fmt: skip
    def post(self, request: Request, job_id: str) -> Response:
        """The job afterwards."""
        data = self.validated(AcceptSerializer)
        return self.answer(jobs.accept_bid(job=own_job(self.visitor, job_id), **data))

    def answer(self, job: CleaningJob) -> Response:
        """The job as the asker may see it now."""
        current, role = job_for(self.visitor, str(job.pk))
        return Response(JobWithBidsSerializer(visible_job(self.visitor, current, role)).data)


class ConfirmView(AcceptView):
    """The hired cleaner will come."""

    @extend_schema(
        operation_id="confirm_job", summary="Confirm that you will come", parameters=[JOB], request=NothingSerializer,
        responses={200: JobWithBidsSerializer, **WRITES},
    )  # fmt: skip
    def post(self, request: Request, job_id: str) -> Response:
        """The job afterwards. For its cleaner."""
        self.validated(NothingSerializer)
        job, role = job_for(self.visitor, job_id)
        return self.answer(jobs.confirm_job(job=job, cleaner=_hired(job, role)))


class CompleteView(AcceptView):
    """The work is done."""

    @extend_schema(
        operation_id="complete_job", summary="The work is done", parameters=[JOB], request=CompleteSerializer,
        responses={200: JobWithBidsSerializer, **WRITES},
    )  # fmt: skip
    def post(self, request: Request, job_id: str) -> Response:
        """The job afterwards; the payment is taken. For its cleaner or its client."""
        data = self.validated(CompleteSerializer)
        job, role = job_for(self.visitor, job_id)
        hired = _hired(job, role) if role in (Role.HIRED, Role.CLEANER) else None
        return self.answer(jobs.complete_job(job=job, cleaner=hired, **data))


class CancelView(AcceptView):
    """Called off."""

    @extend_schema(
        operation_id="cancel_job", summary="Call a job off", parameters=[JOB], request=NothingSerializer,
        responses={200: JobWithBidsSerializer, **WRITES},
    )  # fmt: skip
    def post(self, request: Request, job_id: str) -> Response:
        """The job afterwards; the payment is given back. For its client, and once hired its cleaner."""
        self.validated(NothingSerializer)
        job, role = job_for(self.visitor, job_id)
        hired = _hired(job, role) if role in (Role.HIRED, Role.CLEANER) else None
        return self.answer(jobs.cancel_job(job=job, cleaner=hired))


class FailView(AcceptView):
    """Nobody came."""

    @extend_schema(
        operation_id="fail_job", summary="Nobody came", parameters=[JOB], request=NothingSerializer,
        responses={200: JobWithBidsSerializer, **WRITES},
    )  # fmt: skip
    def post(self, request: Request, job_id: str) -> Response:
        """The job afterwards; the payment is given back. For its client, once the time is past."""
        self.validated(NothingSerializer)
        return self.answer(jobs.fail_job(job=own_job(self.visitor, job_id)))


class ReviewView(MarketplaceView):
    """The client's marks."""

    @extend_schema(
        operation_id="review_job", summary="Say how it was", parameters=[JOB], request=ReviewSerializer,
        responses={201: ReviewToldSerializer, **WRITES},
    )  # fmt: skip
    def post(self, request: Request, job_id: str) -> Response:
        """The review, once, of a job that is completed."""
        data = self.validated(ReviewSerializer)
        return created(ReviewToldSerializer(jobs.review_job(job=own_job(self.visitor, job_id), **data)).data)


def _existing(job_id: str) -> CleaningJob:
    """A job to bid for, whether or not it still takes bids: who was shown it is told that it is too late. Raises NotFound."""
    job, _role = job_for(Visitor(sees_all=True), job_id)
    return job


def _hired(job: CleaningJob, role: Role) -> Cleaner:
    """The job's cleaner, where that is who asks, or staff for them. Raises NotFound."""
    if job.cleaner is None or role not in (Role.HIRED, Role.EVERYTHING):
        raise NotFound("this is not a job of yours")
    return job.cleaner


def _place(client: Client, data: dict[str, Any]) -> Any:
    """The place that a body names, or tells."""
    new, number = data.pop("property", None), data.pop("property_id", None)
    if new is not None:
        return new
    place = Property.objects.filter(client=client, pk=number).first()
    if place is None:
        raise InvalidInput(
            "property_id is not a place of this client", fields={"/property_id": "is not a place of this client"}
        )
    return place
