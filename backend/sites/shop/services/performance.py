"""The day's figures of every surface, kept in `recommendation_performance`."""

from datetime import datetime

from django.db import transaction
from django.utils import timezone

from sites.shop.models import RecommendationPerformance
from tandem.selectors.statistics import Window, daily
from tandem.use_cases import load

USE_CASE = "shop"
FIELDS = ("impressions", "shown", "clicks", "conversions", "ctr", "conversion_rate", "revenue", "measured_at")


def measure_performance(*, days: int, now: datetime | None = None) -> int:
    """Work out the last `days` days of UTC, today so far included; gives how many rows were written.

    A day that was measured before is measured again, since clicks and purchases come late. Days on which a surface showed
    nothing have no row. Raises InvalidInput for more than 400 days.
    """
    moment = timezone.now() if now is None else now
    window = Window.last(days, until=moment)
    rows = [
        RecommendationPerformance(
            day=one.day,
            surface=surface,
            impressions=one.lists,
            shown=one.shown,
            clicks=one.clicks,
            conversions=one.conversions,
            ctr=one.ctr,
            conversion_rate=one.conversion_rate,
            revenue=one.revenue,
            measured_at=moment,
        )
        for surface in load(USE_CASE).surfaces
        for one in daily(use_case=USE_CASE, window=window, surface=surface)
        if one.lists
    ]
    with transaction.atomic():
        RecommendationPerformance.objects.bulk_create(
            rows, update_conflicts=True, unique_fields=["day", "surface"], update_fields=FIELDS, batch_size=200
        )
    return len(rows)
