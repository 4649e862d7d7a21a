"""Daily statistics of every surface, stored in `recommendation_performance`."""

from datetime import datetime

from django.db import transaction
from django.utils import timezone

from sites.shop.models import RecommendationPerformance
from tandem.selectors.statistics import Window, daily
from tandem.use_cases import load

USE_CASE = "shop"
FIELDS = ("impressions", "shown", "clicks", "conversions", "ctr", "conversion_rate", "revenue", "measured_at")


def measure_performance(*, days: int, now: datetime | None = None) -> int:
    """Calculate the last `days` days (UTC), today included; return how many rows were written.

    Days are calculated again each time, because clicks and purchases may come later. A day on which a surface showed
    nothing has no row. Raises InvalidInput for more than 400 days.
    """
    measured_at = timezone.now() if now is None else now
    window = Window.last(days, until=measured_at)
    rows = [
        RecommendationPerformance(
            day=day.day,
            surface=surface,
            impressions=day.lists,
            shown=day.shown,
            clicks=day.clicks,
            conversions=day.conversions,
            ctr=day.ctr,
            conversion_rate=day.conversion_rate,
            revenue=day.revenue,
            measured_at=measured_at,
        )
        for surface in load(USE_CASE).surfaces
        for day in daily(use_case=USE_CASE, window=window, surface=surface)
        if day.lists
    ]
    with transaction.atomic():
        RecommendationPerformance.objects.bulk_create(
            rows, update_conflicts=True, unique_fields=["day", "surface"], update_fields=FIELDS, batch_size=200
        )
    return len(rows)
