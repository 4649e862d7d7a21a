"""POST v1/interactions and v1/feedback."""

from collections.abc import Mapping
from functools import cache
from typing import Any

from drf_spectacular.utils import extend_schema
from rest_framework.request import Request
from rest_framework.response import Response

from recommendation_service.domain.ids import MAX_KEY_LENGTH, is_nothing
from recommendation_service.errors import InvalidInput
from tandem.api.interaction_serializers import MAX_ROWS, REQUEST, FeedbackSerializer, RecordedSerializer, VerdictSerializer
from tandem.api.permissions import may_act_for_all, own_user_ids, sender_of
from tandem.api.views.base import PROBLEMS, TandemAPIView
from tandem.identity import spelled_user_id
from tandem.services.feedback import give_feedback
from tandem.services.interaction_validation import catalogue_of
from tandem.services.record_interactions import ACCEPTED, DUPLICATE, REJECTED, RowResult, record_interactions
from tandem.sources import source_of

NOT_YOURS = "is not yours to write for; leave it out to write for yourself"


class WriterView(TandemAPIView):
    """An endpoint that writes for a user: the requester, or any user for staff and services."""

    def setup(self, request: Any, *args: Any, **kwargs: Any) -> None:
        """Prepare to look up the requester's own ids once per catalogue."""
        super().setup(request, *args, **kwargs)
        self._own_ids = cache(lambda catalogue: own_user_ids(self.request.user, catalogue=catalogue))

    def writable_user_id(self, requested: Any, catalogue: str | None) -> Any:
        """Return the user id to write for, or None if the requester may not. Other types than str are checked later."""
        own = self._own_ids(catalogue)
        if requested is None:
            return next(iter(own), None)
        unusable = not isinstance(requested, str) or is_nothing(requested) or len(requested) > MAX_KEY_LENGTH
        if unusable or may_act_for_all(self.request.user):
            return requested
        return requested if spelled_user_id(requested) in own else None


class InteractionsView(WriterView):
    """What people did with items, one or many at once."""

    @extend_schema(
        operation_id="record_interactions",
        summary="Record what happened",
        description="One interaction, or a list of up to 1,000. Each `event_id` counts once, however often it is sent. "
        "A bad row never loses the good ones: the answer says what became of each. A browser may send recent events, "
        "with ratings within bounds; older events, larger values and amounts need a token with the scope recs:any.",
        request=REQUEST,
        responses={201: RecordedSerializer, 200: RecordedSerializer, **PROBLEMS},
    )
    def post(self, request: Request) -> Response:
        """Return 201 if every row is new, 200 if some are not. Raises InvalidInput if no row is valid."""
        body: Any = request.data
        single = not isinstance(body, list)
        rows: list[Any] = [body] if single else body
        if not 1 <= len(rows) <= MAX_ROWS:
            message = f"send 1 to {MAX_ROWS} interactions at once, not {len(rows)}"
            raise InvalidInput(message, fields={"": message})
        results = self._record(rows)
        count = {status: sum(result.status == status for result in results) for status in (ACCEPTED, DUPLICATE, REJECTED)}
        if count[REJECTED] == len(results):
            raise InvalidInput("nothing was recorded; see errors", fields=_pointers(results, single=single))
        recorded = RecordedSerializer(
            {"accepted": count[ACCEPTED], "duplicates": count[DUPLICATE], "rejected": count[REJECTED], "results": results}
        )
        return Response(recorded.data, status=201 if count[ACCEPTED] == len(results) else 200)

    def _record(self, rows: list[Any]) -> list[RowResult]:
        """Record every row for the user that it may be written for; other rows are rejected."""
        named = [{**row, "user_id": self._user_id(row)} if isinstance(row, Mapping) else row for row in rows]
        results = record_interactions(named, source="api", sender=sender_of(self.request.user), known_items_only=True)
        for result, sent, row in zip(results, rows, named, strict=True):
            if isinstance(row, Mapping) and row["user_id"] is None and sent.get("user_id") is not None:
                result.errors = [{"pointer": "/user_id", "detail": NOT_YOURS}]
        return results

    def _user_id(self, row: Mapping[str, Any]) -> Any:
        return self.writable_user_id(row.get("user_id"), catalogue_of(row))


class FeedbackView(WriterView):
    """What a person says about a recommended item."""

    @extend_schema(
        operation_id="give_feedback",
        summary="Say what you think of an item",
        description="`hide` keeps the item out of your lists; a newer verdict on the same item replaces the older.",
        request=FeedbackSerializer,
        responses={201: VerdictSerializer, 200: VerdictSerializer, **PROBLEMS},
    )
    def post(self, request: Request) -> Response:
        """Return 201 for the first verdict on an item, 200 for one that replaces another."""
        serializer = FeedbackSerializer(data=request.data)
        serializer.is_valid(raise_exception=True)
        values = serializer.validated_data
        if source_of(values["catalogue"]) is None:
            raise InvalidInput("catalogue is not known", fields={"/catalogue": "is not known"})
        user_id = self.writable_user_id(values.get("user_id"), values["catalogue"])
        if user_id is None:
            raise InvalidInput(f"user_id {NOT_YOURS}", fields={"/user_id": NOT_YOURS})
        feedback, created = give_feedback(**values | {"user_id": user_id})
        stored = {"user_id": feedback.user.user_id, "item_id": feedback.item.item_id}
        return Response(VerdictSerializer(values | stored).data, status=201 if created else 200)


def _pointers(results: list[RowResult], *, single: bool) -> dict[str, str]:
    """Return all problems by JSON pointer into the body."""
    return {
        ("" if single else f"/{result.index}") + error["pointer"]: error["detail"]
        for result in results
        for error in result.errors
    }
