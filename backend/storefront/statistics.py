"""A site's statistics page, for staff: results of its lists by day, surface and engine, and what its bandits learned."""

from typing import Any

from django.contrib.admin.views.decorators import staff_member_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils import timezone
from django.utils.translation import gettext
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe

from recommendation_service.use_cases.schema import UseCase
from storefront import labels
from storefront.charts import daily_chart
from storefront.permissions import is_demo, source_or_404
from tandem.selectors import statistics
from tandem.selectors.statistics import Window
from tandem.service_client.client import ServiceFailed, client
from tandem.sources import ItemSource, use_case_of
from tandem.use_cases import load

SPANS = (7, 30, 90, 180)
DEFAULT_SPAN = 30


@require_safe
@never_cache
@staff_member_required
def statistics_page(request: HttpRequest, *, site: str) -> HttpResponse:
    """Show the last `?days=`, one of SPANS; any other value shows 30 days."""
    source = source_or_404(site)
    days = next((span for span in SPANS if request.GET.get("days") == str(span)), DEFAULT_SPAN)
    return render(request, "storefront/statistics.html", {**_page_context(source), **_statistics(source, days)})


def _page_context(source: type[ItemSource]) -> dict[str, Any]:
    use_case = load(use_case_of(source))
    return {
        "title": use_case.title or source.catalogue,
        "site": source.catalogue,
        "is_demo": is_demo(),
        "clicks_label": labels.outcome(use_case.outcomes.clicks, labels.CLICKS),
        "conversions_label": labels.outcome(use_case.outcomes.conversions, labels.GOALS),
    }


def _statistics(source: type[ItemSource], days: int) -> dict[str, Any]:
    use_case = load(use_case_of(source))
    window = Window.last(days, until=timezone.now())
    totals = statistics.totals(use_case=use_case.name, window=window)
    learns = any(surface.router.kind == "bandit" for surface in use_case.surfaces.values())
    arms, problem = _arms(use_case) if learns else ([], "")
    return {
        "days": days,
        "spans": SPANS,
        "totals": totals,
        "per_hundred": {"clicks": 100 * totals.ctr, "conversions": 100 * totals.conversion_rate},
        "chart": daily_chart(statistics.daily(use_case=use_case.name, window=window)),
        "groups": (
            (gettext("Engine that answered"), statistics.by_method(use_case=use_case.name, window=window)),
            (gettext("Surface"), statistics.by_surface(use_case=use_case.name, window=window)),
        ),
        "items": statistics.top_items(use_case=use_case.name, window=window),
        "categories": statistics.top_categories(use_case=use_case.name, window=window),
        "learns": learns,
        "arms": arms,
        "problem": problem,
    }


def _arms(use_case: UseCase) -> tuple[list[dict[str, Any]], str]:
    """Return the arms of the use case's bandits, the most probable first, and an error message if they are unknown."""
    try:
        rows = client().models()
    except ServiceFailed as failure:
        return [], failure.detail
    arms = [arm for row in rows if row["catalogue"] in use_case.catalogues for arm in row["arms"]]
    return sorted(arms, key=lambda arm: -arm["probability"]), ""
