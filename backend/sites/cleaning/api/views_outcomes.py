"""POST /api/v1/cleaning/recommendations/{jobs|cleaners}/<id>/...: what came of one recommendation, and what is said of it."""

from typing import Any

from django.utils import timezone
from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework.request import Request
from rest_framework.response import Response

from recommendation_service.errors import NotFound
from sites.cleaning.api.permissions import Visitor, is_number
from sites.cleaning.api.request_serializers import FeedbackOnMatchSerializer, NothingSerializer
from sites.cleaning.api.serializers import FeedbackToldSerializer, OutcomeSerializer
from sites.cleaning.api.views_base import WRITES, MarketplaceView
from sites.cleaning.models import CleanerRecommendation, JobRecommendation
from sites.cleaning.services import outcomes
from sites.cleaning.services.interactions import cleaner_did, client_did

Shown = JobRecommendation | CleanerRecommendation
CLEANERS, JOBS = "cleaners", "jobs"
SIDES = (
    OpenApiParameter("side", str, OpenApiParameter.PATH, enum=[CLEANERS, JOBS], description="What was recommended"),
    OpenApiParameter("recommendation_id", str, OpenApiParameter.PATH),
)


class ViewedView(MarketplaceView):
    """It was opened."""

    @extend_schema(
        operation_id="recommendation_viewed", summary="Say that a recommendation was opened", parameters=[*SIDES],
        request=NothingSerializer, responses={200: OutcomeSerializer, **WRITES},
    )  # fmt: skip
    def post(self, request: Request, side: str, recommendation_id: str) -> Response:
        """What has come of it so far; the second time changes nothing."""
        self.validated(NothingSerializer)
        shown = shown_to(self.visitor, side, recommendation_id)
        note_viewed(shown)
        shown.refresh_from_db()
        return Response(OutcomeSerializer(shown).data)


class ContactedView(MarketplaceView):
    """The client wrote to the cleaner."""

    @extend_schema(
        operation_id="recommendation_contacted", summary="Say that a recommended cleaner was written to", parameters=[SIDES[1]],
        request=NothingSerializer, responses={200: OutcomeSerializer, **WRITES},
    )  # fmt: skip
    def post(self, request: Request, recommendation_id: str) -> Response:
        """What has come of it so far; the second time changes nothing."""
        self.validated(NothingSerializer)
        shown = shown_to(self.visitor, CLEANERS, recommendation_id)
        note_contacted(shown)
        shown.refresh_from_db()
        return Response(OutcomeSerializer(shown).data)


class MatchFeedbackView(MarketplaceView):
    """What somebody thinks of it."""

    @extend_schema(
        operation_id="recommendation_feedback", summary="Say what you think of a recommendation", parameters=[*SIDES],
        description="The newest word replaces the older. Training learns from it.",
        request=FeedbackOnMatchSerializer, responses={200: FeedbackToldSerializer, **WRITES},
    )  # fmt: skip
    def post(self, request: Request, side: str, recommendation_id: str) -> Response:
        """The verdict as it stands."""
        data = self.validated(FeedbackOnMatchSerializer)
        shown = shown_to(self.visitor, side, recommendation_id)
        verdict = outcomes.give_feedback(shown, data["feedback_type"], data["comment"])
        return Response(FeedbackToldSerializer(verdict).data)


def shown_to(visitor: Visitor, side: str, recommendation_id: str) -> Any:
    """The recommendation, where it was shown to this visitor. Raises NotFound alike for unknown ones and others'."""
    if not is_number(recommendation_id):
        raise NotFound("there is no such recommendation")
    rows: Any = None
    if side == CLEANERS and (visitor.sees_all or visitor.client):
        rows = CleanerRecommendation.objects.select_related("job", "cleaner", "client")
        rows = rows if visitor.sees_all else rows.filter(client=visitor.client)
    elif side == JOBS and (visitor.sees_all or visitor.cleaner):
        rows = JobRecommendation.objects.select_related("job", "cleaner", "bid")
        rows = rows if visitor.sees_all else rows.filter(cleaner=visitor.cleaner)
    recommendation = None if rows is None else rows.filter(pk=int(recommendation_id)).first()
    if recommendation is None:
        raise NotFound("there is no such recommendation, or it was not shown to you")
    return recommendation


def note_viewed(shown: Shown) -> None:
    """Record, once, that it was opened."""
    _record("view", shown)
    outcomes.mark_viewed(shown)


def note_contacted(shown: CleanerRecommendation) -> None:
    """Record, once, that the client wrote to the cleaner."""
    _record("contact", shown)
    outcomes.mark_contacted(shown)


def _record(event: str, shown: Shown) -> None:
    did = client_did if isinstance(shown, CleanerRecommendation) else cleaner_did
    did(event, job=shown.job, cleaner_id=shown.cleaner_id, request_id=shown.request_id, now=timezone.now())
