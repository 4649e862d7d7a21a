"""GET /api/v1/analytics/...: what came of the shop's recommendations. For staff and services."""

from dataclasses import asdict
from datetime import UTC, datetime, timedelta
from typing import Any

from django.http import QueryDict
from django.utils import timezone
from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from recommendation_service.errors import InvalidInput
from sites.shop.serializers import FunnelSerializer, PerformanceSerializer
from tandem.api import query_params
from tandem.api.permissions import StaffOrService
from tandem.api.problem_details import printable
from tandem.api.views.recommendations import PROBLEMS
from tandem.selectors import statistics
from tandem.selectors.statistics import Window

USE_CASE = "shop"
DAYS, FROM, TO = "days", "from", "to"
DEFAULT_DAYS, MOST_DAYS = 30, 400
_COUNT = {"type": "integer", "minimum": 1, "maximum": MOST_DAYS, "default": DEFAULT_DAYS}
_WINDOW = [
    OpenApiParameter(DAYS, _COUNT, description="The last days, today included"),
    OpenApiParameter(FROM, str, description="Or a first day, such as 2026-11-01"),
    OpenApiParameter(TO, str, description="And a last one, itself included; today when it is left out"),
]


class PerformanceView(APIView):
    """How the recommendations did."""

    permission_classes = (StaffOrService,)

    @extend_schema(
        operation_id="recommendation_performance", summary="Lists, clicks, purchases and revenue", parameters=_WINDOW,
        responses={200: PerformanceSerializer, **PROBLEMS},
    )  # fmt: skip
    def get(self, request: Request) -> Response:
        """In all, by surface, by method and by day; a purchase counts for the list that it answers."""
        window = window_of(request._request.GET, now=timezone.now())
        words: dict[str, Any] = {"use_case": USE_CASE, "window": window}
        return _private(
            {
                "window": asdict(window),
                "totals": statistics.totals(**words).figures(),
                "by_surface": [_group(one) for one in statistics.by_surface(**words)],
                "by_method": [_group(one) for one in statistics.by_method(**words)],
                "daily": [{"day": one.day.isoformat(), **one.figures()} for one in statistics.daily(**words)],
            }
        )


class FunnelView(APIView):
    """From being shown to being bought."""

    permission_classes = (StaffOrService,)

    @extend_schema(
        operation_id="conversion_funnel", summary="Shown, clicked, put into a cart, bought", parameters=_WINDOW,
        responses={200: FunnelSerializer, **PROBLEMS},
    )  # fmt: skip
    def get(self, request: Request) -> Response:
        """Each step counts the shown items that came so far or further."""
        window = window_of(request._request.GET, now=timezone.now())
        steps = statistics.funnel(use_case=USE_CASE, window=window, between=("cart_add",))
        return _private({"window": asdict(window), "steps": [asdict(step) for step in steps]})


def window_of(query: QueryDict, *, now: datetime) -> Window:
    """The window that `days`, or `from` and `to`, name. Raises InvalidInput that names the wrong one."""
    for name in query:
        if name not in (DAYS, FROM, TO) or len(query.getlist(name)) != 1:
            raise _wrong(name, f"is not one of {DAYS}, {FROM} and {TO}, each at most once")
    if FROM not in query:
        if TO in query:
            raise _wrong(TO, f"needs {FROM} too")
        return Window.last(_days(query.get(DAYS, str(DEFAULT_DAYS))), until=now)
    if DAYS in query:
        raise _wrong(DAYS, f"say either {DAYS} or {FROM}")
    until = _day(query, TO) + timedelta(days=1) if TO in query else now
    try:
        return Window(_day(query, FROM), until)
    except InvalidInput as error:
        raise _wrong(FROM, error.message) from error


def _days(text: str) -> int:
    if text.isascii() and text.isdigit() and len(text) <= 3 and 1 <= int(text) <= MOST_DAYS:
        return int(text)
    raise _wrong(DAYS, f"must be one whole number from 1 to {MOST_DAYS}")


def _day(query: QueryDict, name: str) -> datetime:
    try:
        return datetime.strptime(str(query[name]), "%Y-%m-%d").replace(tzinfo=UTC)
    except ValueError as error:
        raise _wrong(name, "must be a day such as 2026-11-01") from error


def _wrong(name: str, told: str) -> InvalidInput:
    shown = printable(name, 64)
    return InvalidInput(f"{shown} {told}", fields={f"/{query_params.pointer(shown)}": told})


def _group(group: statistics.Group) -> dict[str, Any]:
    return {"name": group.name, "share": round(group.share, 6), **group.figures()}


def _private(told: dict[str, Any]) -> Response:
    return Response(told, headers={"Cache-Control": "private, no-store", "Vary": "Authorization, Cookie"})
