"""/cleaning/analytics/: what came of the recommendations. For staff; on a local demo for everybody."""

from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils import timezone
from django.views.decorators.http import require_GET

from sites.cleaning import statistics
from sites.cleaning.services.bid_statistics import advice_figures
from sites.cleaning.web.base import frame, shown
from sites.cleaning.web.labels import MODES
from storefront import permissions as page
from storefront.statistics import DEFAULT_SPAN, SPANS
from tandem.selectors.statistics import Window

TITLES = {"cleaners": "Cleaners shown to clients", "jobs": "Jobs shown to cleaners"}


@require_GET
@shown
def analytics_page(request: HttpRequest) -> HttpResponse:
    """The figures of the last `?days=`, one of SPANS; anything else shows 30 days."""
    if not page.may_choose(request):
        raise Http404(page.NOT_FOUND)
    asked = request.GET.get("days", "")
    days = int(asked) if asked in {str(span) for span in SPANS} else DEFAULT_SPAN
    since = Window.last(days, until=timezone.now()).since
    context = {
        **frame(request),
        "days": days,
        "spans": SPANS,
        "sides": [(TITLES[name], statistics.side_of(name, since=since)) for name in statistics.SIDES],
        "verdicts": statistics.verdicts(since=since),
        "advised": [(MODES.get(one.method, one.method), one) for one in advice_figures(since=since)],
        "accuracy": statistics.accuracy(),
    }
    return render(request, "cleaning/analytics.html", context)
