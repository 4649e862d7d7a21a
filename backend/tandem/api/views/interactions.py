"""POST /api/v1/interactions and /api/v1/feedback: what people did, and what they say."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict
from typing import Any

from drf_spectacular.utils import extend_schema
from rest_framework.exceptions import ParseError
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from recommendation_service.domain.ids import clean_id
from recommendation_service.errors import InvalidInput
from tandem.api.interaction_payloads import (
    MAX_ROWS,
    NOT_YOURS,
    REQUEST,
    FeedbackSerializer,
    RecordedSerializer,
    VerdictSerializer,
    Writer,
)
from tandem.api.views.recommendations import PROBLEMS
from tandem.services.feedback import give_feedback
from tandem.services.interaction_validation import catalogue_of
from tandem.services.record_interactions import ACCEPTED, DUPLICATE, REJECTED, RowResult, record_interactions
from tandem.sources import source_of


class InteractionsView(APIView):
    """What people did with items, one or many at once."""

    @extend_schema(
        operation_id="record_interactions",
        summary="Record what happened",
        description="One interaction, or a list of up to 1,000. Each `event_id` counts once, however often it is sent. "
        "A bad row never loses the good ones: the answer says what became of each.",
        request=REQUEST,
        responses={201: RecordedSerializer, 200: RecordedSerializer, **PROBLEMS},
    )
    def post(self, request: Request) -> Response:
        """201 when every row is new, 200 when some are not, 422 when none is good."""
        body = _body(request)
        rows = body if isinstance(body, list) else [body]
        if not 1 <= len(rows) <= MAX_ROWS:
            message = f"send 1 to {MAX_ROWS} interactions at once, not {len(rows)}"
            raise InvalidInput(message, fields={"": message})
        writer = Writer(request.user)
        named = [_named(row, writer) for row in rows]
        results = record_interactions([row for row, _ in named], source="api", known_items_only=True)
        for result, (_, refused) in zip(results, named, strict=True):
            if refused:
                result.errors = [{"pointer": "/user_id", "detail": NOT_YOURS}]
        return _answer(results, single=not isinstance(body, list))


class FeedbackView(APIView):
    """What a person says about a recommended item."""

    @extend_schema(
        operation_id="give_feedback",
        summary="Say what you think of an item",
        description="`hide` keeps the item out of your lists; a newer verdict on the same item replaces the older.",
        request=FeedbackSerializer,
        responses={201: VerdictSerializer, 200: VerdictSerializer, **PROBLEMS},
    )
    def post(self, request: Request) -> Response:
        """201 for the first verdict on an item, 200 for one that replaces another."""
        serializer = FeedbackSerializer(data=_body(request))
        serializer.is_valid(raise_exception=True)
        data = serializer.validated_data
        if source_of(data["catalogue"]) is None:
            raise InvalidInput("catalogue is not known", fields={"/catalogue": "is not known"})
        user_id = Writer(request.user).user_id(data.get("user_id"), data["catalogue"])
        if user_id is None:
            raise InvalidInput(f"user_id {NOT_YOURS}", fields={"/user_id": NOT_YOURS})
        user_id, item_id = clean_id(user_id, field="user_id"), clean_id(data["item_id"], field="item_id")
        feedback, created = give_feedback(
            user_id=user_id,
            catalogue=data["catalogue"],
            item_id=item_id,
            verdict=data["verdict"],
            comment=data["comment"],
            request_id=data.get("request_id"),
        )
        payload = {"user_id": user_id, "catalogue": data["catalogue"], "item_id": item_id, "verdict": feedback.verdict}
        return _private(Response(payload, status=201 if created else 200))


def _body(request: Request) -> Any:
    try:
        return request.data
    except RecursionError as error:
        raise ParseError("the body is nested too deeply") from error


def _named(row: Any, writer: Writer) -> tuple[Any, bool]:
    """The row with the user id it is written for, and whether the sender may not write for that user.

    A refused row goes on without a user id, so that it is rejected like any other and keeps its place.
    """
    if not isinstance(row, Mapping):
        return row, False
    requested = row.get("user_id")
    user_id = writer.user_id(requested, catalogue_of(row))
    return {**row, "user_id": user_id}, user_id is None and requested is not None


def _answer(results: Sequence[RowResult], *, single: bool) -> Response:
    count = {status: sum(result.status == status for result in results) for status in (ACCEPTED, DUPLICATE, REJECTED)}
    if count[REJECTED] == len(results):
        fields = {
            ("" if single else f"/{result.index}") + error["pointer"]: error["detail"]
            for result in results
            for error in result.errors
        }
        raise InvalidInput("nothing was recorded; see errors", fields=fields)
    payload = {
        "accepted": count[ACCEPTED],
        "duplicates": count[DUPLICATE],
        "rejected": count[REJECTED],
        "results": [asdict(result) for result in results],
    }
    return _private(Response(payload, status=201 if count[ACCEPTED] == len(results) else 200))


def _private(response: Response) -> Response:
    response["Cache-Control"] = "private, no-store"
    response["Vary"] = "Authorization, Cookie"
    return response
