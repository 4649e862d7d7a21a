"""The statistics page, for staff: what came of the lists, by day and by strategy, and what the bandit makes of it."""

from typing import Any

from django.contrib.admin.views.decorators import staff_member_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils import timezone
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe

from recommendations.client import ServiceFailed, client
from recommendations.selectors import statistics
from recommendations.selectors.statistics import Window
from sites.courses.figures import NAME, most_popular, use_case
from sites.page.access import is_demo
from sites.page.charts import daily_chart

SPANS = (7, 30, 90, 180)
DEFAULT_SPAN = 30


@require_safe
@never_cache
@staff_member_required
def statistics_page(request: HttpRequest) -> HttpResponse:
    """The figures of the last `?days=`, one of SPANS; anything else shows 30 days."""
    asked = request.GET.get("days", "")
    days = int(asked) if asked in {str(span) for span in SPANS} else DEFAULT_SPAN
    window = Window.last(days, until=timezone.now())
    arms, problem = _arms()
    totals = statistics.totals(use_case=NAME, window=window)
    told: dict[str, Any] = {
        "title": use_case().title,
        "site": NAME,
        "is_demo": is_demo(),
        "days": days,
        "spans": SPANS,
        "totals": totals,
        "per_hundred": {"clicks": 100 * totals.ctr, "enrolments": 100 * totals.conversion_rate},
        "chart": daily_chart(statistics.daily(use_case=NAME, window=window)),
        "strategies": statistics.by_method(use_case=NAME, window=window),
        "courses": statistics.top_items(use_case=NAME, window=window),
        "categories": statistics.top_categories(use_case=NAME, window=window),
        "popular": most_popular(),
        "arms": arms,
        "problem": problem,
    }
    return render(request, "courses/statistics.html", told)


def _arms() -> tuple[list[dict[str, Any]], str]:
    """The bandit's arms, the most likely first, and why they cannot be told."""
    try:
        rows = client().models()
    except ServiceFailed as failure:
        return [], failure.detail
    arms = [arm for row in rows if row["catalogue"] == NAME for arm in row["arms"]]
    return sorted(arms, key=lambda arm: -arm["probability"]), ""
