"""GET /api/v1/cleaning/jobs/<id>/cleaners, cleaners/<id>/jobs, jobs/<id>/bid-suggestion: who suits whom, for how much."""

from typing import Any

from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework.request import Request
from rest_framework.response import Response

from recommendation_service.errors import Conflict, Gone, NotFound
from sites.cleaning.api.permissions import job_for, own_job, resolve_cleaner
from sites.cleaning.api.query_params import ListQuery, list_query, one_id, read
from sites.cleaning.api.serializers import CleanerMatchesSerializer, JobMatchesSerializer, SuggestionSerializer
from sites.cleaning.api.views_base import CLEANER, JOB, LIST, PROBLEMS, WRITES, MarketplaceView
from sites.cleaning.api.visibility import competition_of
from sites.cleaning.models import Cleaner, CleaningJob, JobBid
from sites.cleaning.services import bid_suggestions
from sites.cleaning.services.recommendations import RecommendationEngine

OFFERED_ONLY = "Only for jobs that still take bids; 410 for the others."


class RecommendedCleanersView(MarketplaceView):
    """Cleaners for one job."""

    @extend_schema(
        operation_id="get_recommended_cleaners",
        summary="Cleaners for a job",
        description=f"For the job's client. The list is recorded as shown. {OFFERED_ONLY}",
        parameters=[JOB, *LIST],
        responses={200: CleanerMatchesSerializer, **PROBLEMS},
    )
    def get(self, request: Request, job_id: str) -> Response:
        """The list, the best first."""
        query = list_query(request._request.GET)
        job = require_offered(own_job(self.visitor, job_id))
        return Response(get_recommended_cleaners(job, query))


class OwnRecommendedJobsView(MarketplaceView):
    """Jobs for the cleaner who asks."""

    @extend_schema(
        operation_id="get_recommended_jobs",
        summary="Jobs for the cleaner who asks",
        parameters=LIST,
        responses={200: JobMatchesSerializer, **PROBLEMS},
    )
    def get(self, request: Request) -> Response:
        """The list, the best first."""
        query = list_query(request._request.GET)
        if self.visitor.cleaner is None:
            raise NotFound("this account is no cleaner here")
        return Response(get_recommended_jobs(self.visitor.cleaner, query))


class RecommendedJobsView(MarketplaceView):
    """Jobs for one cleaner."""

    @extend_schema(
        operation_id="get_recommended_jobs_of",
        summary="Jobs for a cleaner",
        parameters=[CLEANER, *LIST],
        responses={200: JobMatchesSerializer, **PROBLEMS},
    )
    def get(self, request: Request, cleaner_id: str) -> Response:
        """The list, the best first."""
        query = list_query(request._request.GET)
        return Response(get_recommended_jobs(resolve_cleaner(self.visitor, cleaner_id), query))


class BidSuggestionView(MarketplaceView):
    """What to ask for a job."""

    @extend_schema(
        operation_id="suggest_bid",
        summary="What a cleaner might bid for a job",
        description=f"Kept, so that it can be compared with the bid that follows. {OFFERED_ONLY}",
        parameters=[JOB, OpenApiParameter("cleaner_id", int, description="For whom; your own when left out")],
        responses={200: SuggestionSerializer, **WRITES},
    )
    def get(self, request: Request, job_id: str) -> Response:
        """Minimum, optimum, maximum, and what they were made of."""
        query = read(request._request.GET, {"cleaner_id": one_id})
        job, _role = job_for(self.visitor, job_id)
        cleaner = resolve_cleaner(self.visitor, query.get("cleaner_id"))
        if require_offered(job).bids.filter(cleaner=cleaner).exclude(status=JobBid.Status.WITHDRAWN).exists():
            raise Conflict("there is a bid for this job already; withdraw it to be advised on another")
        return Response(SuggestionSerializer(bid_suggestions.suggest_bid(job, cleaner)).data)


def get_recommended_cleaners(job: CleaningJob, query: ListQuery) -> dict[str, Any]:
    """Return the list of cleaners for a job as the API answers it."""
    listed = RecommendationEngine(query.mode).recommend_cleaners_for_job(job, query.limit, query.filters)
    return dict(CleanerMatchesSerializer(listed).data)


def get_recommended_jobs(cleaner: Cleaner, query: ListQuery) -> dict[str, Any]:
    """Return the list of jobs for a cleaner as the API answers it, with no more than a cleaner may see of a job."""
    listed = RecommendationEngine(query.mode).recommend_jobs_for_cleaner(cleaner, query.limit, query.filters)
    competition = competition_of(row["job"] for row in listed)
    return dict(JobMatchesSerializer(listed, context={"competition": competition}).data)


def require_offered(job: CleaningJob) -> CleaningJob:
    """The job, where it still takes bids. Raises Gone."""
    if job.status not in CleaningJob.OFFERED:
        raise Gone(f"this job is {job.status} and takes no bids any more")
    return job
