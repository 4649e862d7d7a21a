"""GET /api/v1/analytics/...: results of the shop's recommendations, for staff and services."""

from django.utils import timezone
from drf_spectacular.utils import extend_schema
from rest_framework.request import Request
from rest_framework.response import Response

from sites.shop.serializers import FunnelSerializer, PerformanceSerializer, WindowQuerySerializer
from tandem.api.permissions import StaffOrService
from tandem.api.views.base import PROBLEMS, TandemAPIView
from tandem.selectors import statistics

USE_CASE = "shop"


class PerformanceView(TandemAPIView):
    """Lists, clicks, purchases and revenue."""

    permission_classes = (StaffOrService,)

    @extend_schema(
        operation_id="recommendation_performance", summary="Lists, clicks, purchases and revenue",
        parameters=[WindowQuerySerializer], responses={200: PerformanceSerializer, **PROBLEMS},
    )  # fmt: skip
    def get(self, request: Request) -> Response:
        """Return results in total, by surface, by method and by day; a purchase counts for the list that it answers."""
        window = WindowQuerySerializer.window_of(request.query_params, now=timezone.now())
        report = {
            "window": window,
            "totals": statistics.totals(use_case=USE_CASE, window=window),
            "by_surface": statistics.by_surface(use_case=USE_CASE, window=window),
            "by_method": statistics.by_method(use_case=USE_CASE, window=window),
            "daily": statistics.daily(use_case=USE_CASE, window=window),
        }
        return Response(PerformanceSerializer(report).data)


class FunnelView(TandemAPIView):
    """Steps from shown to bought."""

    permission_classes = (StaffOrService,)

    @extend_schema(
        operation_id="conversion_funnel", summary="Shown, clicked, put into a cart, bought",
        parameters=[WindowQuerySerializer], responses={200: FunnelSerializer, **PROBLEMS},
    )  # fmt: skip
    def get(self, request: Request) -> Response:
        """Return the steps; each counts the shown items that reached it or a later one."""
        window = WindowQuerySerializer.window_of(request.query_params, now=timezone.now())
        steps = statistics.funnel(use_case=USE_CASE, window=window, between=("cart_add",))
        return Response(FunnelSerializer({"window": window, "steps": steps}).data)
