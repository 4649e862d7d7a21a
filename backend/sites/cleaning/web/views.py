"""The marketplace's pages under /cleaning/. They need no JavaScript."""

from typing import Any

from django.db.models import Count, Q
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils import timezone
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _
from django.views.decorators.http import require_GET

from recommendation_service.errors import NotFound
from sites.cleaning import statistics
from sites.cleaning.api.permissions import (
    CLEANERS,
    JOBS,
    Role,
    Visitor,
    job_for,
    own_job,
    recommendation_for,
    resolve_cleaner,
    resolve_client,
)
from sites.cleaning.api.request_serializers import MARKS
from sites.cleaning.api.visibility import payment_of, standing_of
from sites.cleaning.models import Cleaner, CleaningJob, Client, JobBid, PropertyType, RecommendationFeedback
from sites.cleaning.services import bid_suggestions, outcomes
from sites.cleaning.services.recommendations import RecommendationEngine
from sites.cleaning.user_ids import parse_pk, row_by_pk
from sites.cleaning.web.base import error_text, page, page_context, visitor_at
from sites.cleaning.web.forms import ListForm
from sites.cleaning.web.labels import MODE_NAMES
from sites.cleaning.web.presenters import (
    figures_of,
    inputs_of,
    present_cleaners,
    present_jobs,
    present_recommended_jobs,
    steps_of,
)
from storefront import permissions
from storefront.statistics import DEFAULT_SPAN, SPANS
from tandem.selectors.statistics import Window

MAX_RESULTS, JOBS_SHOWN, REVIEWS_SHOWN, LISTED = 20, 30, 5, 10
MAX_SEARCH_LENGTH = 80
OPEN_JOBS = Q(jobs__status__in=CleaningJob.OFFERED)
RELATED = ("client", "place", "cleaner", "payment")
TITLES = {"cleaners": _("Cleaners shown to clients"), "jobs": _("Jobs shown to cleaners")}


@require_GET
@page
def home(request: HttpRequest) -> HttpResponse:
    """Show the visitor's own pages; staff, and everyone on a demo, may choose any client or cleaner."""
    visitor, search = visitor_at(request), request.GET.get("q", "")
    text = "".join(letter for letter in search if letter.isprintable()).strip()[:MAX_SEARCH_LENGTH]
    context = {
        **page_context(request),
        "search": text,
        "visitor": visitor,
        "clients": _people(Client.objects.annotate(waiting=Count("jobs", filter=OPEN_JOBS)), text) if visitor.sees_all else [],
        "cleaners": _people(Cleaner.objects.select_related("standing"), text) if visitor.sees_all else [],
        "counts": (
            ("cleaners", Cleaner.objects.count()),
            ("clients", Client.objects.count()),
            ("jobs open for bids", CleaningJob.objects.filter(status__in=CleaningJob.OFFERED).count()),
        ),
    }
    return render(request, "cleaning/home.html", context)


@require_GET
@page
def analytics_page(request: HttpRequest) -> HttpResponse:
    """Show the outcomes of the last `?days=`, one of SPANS, to staff; any other value shows 30 days."""
    if not permissions.may_choose(request):
        raise Http404(permissions.NOT_FOUND)
    days = next((span for span in SPANS if request.GET.get("days") == str(span)), DEFAULT_SPAN)
    since = Window.last(days, until=timezone.now()).since
    context = {
        **page_context(request),
        "days": days,
        "spans": SPANS,
        "sides": [(TITLES[name], statistics.side_of(name, since=since)) for name in statistics.SIDES],
        "feedback": statistics.feedback_counts(since=since),
        "suggestions": [(MODE_NAMES[row.method], row) for row in statistics.suggestion_outcomes(since=since)],
        "accuracy": statistics.accuracy(),
    }
    return render(request, "cleaning/analytics.html", context)


@require_GET
@page
def client_page(request: HttpRequest, *, client_id: str) -> HttpResponse:
    """Show a client's jobs, and the form that posts another."""
    return render_client(request, resolve_client(visitor_at(request), client_id))


def render_client(
    request: HttpRequest, client: Client, typed: Any = None, message: str = "", status: int = 200
) -> HttpResponse:
    """Return the client's page; `typed` is the data of an invalid form."""
    jobs = list(CleaningJob.objects.filter(client=client).select_related(*RELATED)[:JOBS_SHOWN])
    context = page_context(request)
    context |= {
        "client": client,
        "jobs": present_jobs(jobs, Role.CLIENT),
        "places": client.properties.order_by("-pk")[:MAX_RESULTS],
        "kinds": PropertyType.choices,
        "typed": typed or {},
        "earliest": timezone.now().strftime("%Y-%m-%dT%H:%M"),
        "message": message or context["message"],
    }
    return render(request, "cleaning/client.html", context, status=status)


@require_GET
@page
def job_page(request: HttpRequest, *, job_id: str) -> HttpResponse:
    """Show a client's job: cleaners who suit it and why, the bids so far, and what the client may do."""
    job = own_job(visitor_at(request), job_id)
    bids = list(job.bids.select_related("cleaner", "cleaner__standing").order_by("amount", "pk"))
    context = {
        **page_context(request),
        "shown": present_jobs([job], Role.CLIENT)[0],
        "bids": bids,
        "payment": payment_of(job),
        "review": getattr(job, "review", None),
        "is_due": job.wanted_for <= timezone.now(),
        "marks": MARKS,
    }
    if job.status in CleaningJob.OFFERED:
        form = ListForm(request.GET)
        mode, filters = form.arguments()
        listed = RecommendationEngine(mode).recommend_cleaners_for_job(job, LISTED, filters)
        context |= {**_list_form(form), "list": present_cleaners(listed, bids)}
    return render(request, "cleaning/job.html", context)


@require_GET
@page
def profile_page(request: HttpRequest, *, job_id: str, cleaner_id: str) -> HttpResponse:
    """Show a cleaner to the client of a job. With `?shown=`, the id of a recommendation, it counts as a view."""
    visitor = visitor_at(request)
    job = own_job(visitor, job_id)
    cleaner = row_by_pk(Cleaner.objects.select_related("standing"), cleaner_id)
    if cleaner is None:
        raise Http404(permissions.NOT_FOUND)
    context = {
        **page_context(request),
        "job": job,
        "cleaner": cleaner,
        "seen": _viewed(request, visitor, CLEANERS, job, cleaner),
        "figures": figures_of(standing_of(cleaner)),
        "reviews": cleaner.reviews.exclude(comment="").order_by("-time")[:REVIEWS_SHOWN],
        "bid": job.bids.filter(cleaner=cleaner, status=JobBid.Status.PENDING).first(),
        "verdicts": RecommendationFeedback.Verdict.choices,
    }
    return render(request, "cleaning/profile.html", context)


@require_GET
@page
def cleaner_page(request: HttpRequest, *, cleaner_id: str) -> HttpResponse:
    """Show a cleaner's jobs and bids, and the jobs that suit them."""
    cleaner, form = resolve_cleaner(visitor_at(request), cleaner_id), ListForm(request.GET)
    mode, filters = form.arguments()
    listed = RecommendationEngine(mode).recommend_jobs_for_cleaner(cleaner, LISTED, filters)
    hired = CleaningJob.objects.filter(cleaner=cleaner).select_related(*RELATED)
    ahead = hired.filter(status__in=CleaningJob.AGREED).order_by("wanted_for")[:JOBS_SHOWN]
    over = hired.filter(status__in=CleaningJob.OVER).order_by("-ended_at")[:REVIEWS_SHOWN]
    bids = cleaner.bids.filter(status=JobBid.Status.PENDING).select_related("job", "job__place").order_by("-time")
    context = {
        **page_context(request),
        **_list_form(form),
        "cleaner": cleaner,
        "figures": figures_of(standing_of(cleaner)),
        "list": present_recommended_jobs(listed),
        "ahead": present_jobs(list(ahead), Role.HIRED),
        "over": present_jobs(list(over), Role.HIRED),
        "bids": bids[:JOBS_SHOWN],
    }
    return render(request, "cleaning/cleaner.html", context)


@require_GET
@page
def offer_page(request: HttpRequest, *, cleaner_id: str, job_id: str) -> HttpResponse:
    """Show a job to a cleaner, with a suggested bid. With `?shown=`, the id of a recommendation, it counts as a view."""
    visitor = visitor_at(request)
    cleaner = resolve_cleaner(visitor, cleaner_id)
    job, role = job_for(Visitor(cleaner=cleaner), job_id)  # as the cleaner sees it, also if staff act for them
    bid = job.bids.filter(cleaner=cleaner).exclude(status=JobBid.Status.WITHDRAWN).first()
    suggestion = bid_suggestions.suggest_bid(job, cleaner) if bid is None and job.status in CleaningJob.OFFERED else None
    context = {
        **page_context(request),
        "cleaner": cleaner,
        "shown": present_jobs([job], role)[0],
        "seen": _viewed(request, visitor, JOBS, job, cleaner),
        "bid": bid,
        "can_withdraw": bid is not None and "withdraw" in steps_of(job, Role.CLEANER) and bid.status == JobBid.Status.PENDING,
        "suggestion": suggestion,
        "inputs": inputs_of(suggestion) if suggestion else (),
        "verdicts": RecommendationFeedback.Verdict.choices,
    }
    return render(request, "cleaning/offer.html", context)


def _viewed(request: HttpRequest, visitor: Visitor, shows: str, job: CleaningJob, cleaner: Cleaner) -> Any:
    """Return the recommendation of `?shown=`, recorded as viewed; None without it. Raises NotFound for another pair's."""
    if not request.GET.get("shown"):
        return None
    shown = recommendation_for(visitor, shows, request.GET["shown"])
    if (shown.job_id, shown.cleaner_id) != (job.pk, cleaner.pk):
        raise NotFound("this recommendation is about another pair")
    outcomes.report_viewed(shown)
    return shown


def _list_form(form: ListForm) -> dict[str, Any]:
    """Return the context of the form above a list. An invalid form filters nothing, and the page says why."""
    return {
        "form": form,
        "requested": {name: str(form.data.get(name, ""))[:20] for name in form.fields},
        "problem": "" if form.is_valid() else gettext("The list is not filtered: %(reason)s.") % {"reason": error_text(form)},
    }


def _people(rows: Any, text: str) -> list[Any]:
    """Return up to 20 people that the search finds; without a search those of the demo, if there are any."""
    if text:
        rows = rows.filter(Q(name__icontains=text) | Q(pk=parse_pk(text)))
    results = list(rows.order_by("-is_demo", "name", "pk")[:MAX_RESULTS])
    first = [row for row in results if row.is_demo]
    return results if text else first or results
