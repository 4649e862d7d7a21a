"""/cleaning/...: the marketplace's own pages. No JavaScript is needed."""

from typing import Any

from django.db.models import Count, Q
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils import timezone
from django.views.decorators.http import require_GET

from recommendation_service.errors import InvalidInput, NotFound
from sites.cleaning.api.permissions import Role, Visitor, is_number, job_for, own_job, resolve_cleaner, resolve_client
from sites.cleaning.api.query_params import FILTERS, ListQuery, list_query
from sites.cleaning.api.views_outcomes import CLEANERS, JOBS, note_viewed, shown_to
from sites.cleaning.api.visibility import payment_of, standing_of
from sites.cleaning.conf import MODES
from sites.cleaning.models import (
    Cleaner,
    CleanerRecommendation,
    CleaningJob,
    Client,
    JobBid,
    JobRecommendation,
    PropertyType,
    RecommendationFeedback,
)
from sites.cleaning.services import bid_suggestions
from sites.cleaning.services.recommendations import RecommendationEngine, Recommendations
from sites.cleaning.services.reviews import MARKS
from sites.cleaning.web.base import frame, shown, visitor_at
from sites.cleaning.web.labels import MODES as MODE_LABELS
from sites.cleaning.web.presenters import deals_of, figures_of, inputs_of, shown_cleaners, shown_jobs, steps_of
from storefront import permissions as page

MAX_RESULTS, JOBS_SHOWN, REVIEWS_SHOWN, LISTED = 20, 30, 5, 10
LONGEST_SEARCH = 80
WAITING = Q(jobs__status__in=CleaningJob.OFFERED)
ROWS = ("client", "place", "cleaner", "payment")


@require_GET
@shown
def home(request: HttpRequest) -> HttpResponse:
    """Whom one may look as: anybody for staff and on a demo, else oneself."""
    visitor, search = visitor_at(request), request.GET.get("q", "")
    text = "".join(letter for letter in search if letter.isprintable()).strip()[:LONGEST_SEARCH]
    context = {
        **frame(request),
        "search": text,
        "visitor": visitor,
        "clients": _people(Client.objects.annotate(waiting=Count("jobs", filter=WAITING)), text) if visitor.sees_all else [],
        "cleaners": _people(Cleaner.objects.select_related("standing"), text) if visitor.sees_all else [],
        "counts": (
            ("cleaners", Cleaner.objects.count()),
            ("clients", Client.objects.count()),
            ("jobs open for bids", CleaningJob.objects.filter(status__in=CleaningJob.OFFERED).count()),
        ),
    }
    return render(request, "cleaning/home.html", context)


@require_GET
@shown
def client_page(request: HttpRequest, *, client_id: str) -> HttpResponse:
    """A client's jobs, and the form that posts another."""
    return client_rendered(request, resolve_client(visitor_at(request), client_id))


def client_rendered(
    request: HttpRequest, client: Client, typed: Any = None, message: str = "", status: int = 200
) -> HttpResponse:
    """The client's page; `typed` is what a form that was refused held."""
    jobs = list(CleaningJob.objects.filter(client=client).select_related(*ROWS)[:JOBS_SHOWN])
    context = {
        **frame(request),
        "client": client,
        "deals": deals_of(jobs, Role.CLIENT),
        "places": client.properties.order_by("-pk")[:MAX_RESULTS],
        "kinds": PropertyType.choices,
        "typed": typed or {},
        "earliest": timezone.now().strftime("%Y-%m-%dT%H:%M"),
    }
    if message:
        context["said"] = message
    return render(request, "cleaning/client.html", context, status=status)


@require_GET
@shown
def job_page(request: HttpRequest, *, job_id: str) -> HttpResponse:
    """A client's job: who suits it and why, the bids so far, and what can be done with it."""
    job = own_job(visitor_at(request), job_id)
    offered = job.status in CleaningJob.OFFERED
    bids = list(job.bids.select_related("cleaner", "cleaner__standing").order_by("amount", "pk"))
    query, problem = _list_query(request)
    results = RecommendationEngine(query.mode).recommend_cleaners_for_job(job, LISTED, query.filters) if offered else None
    context = {
        **frame(request),
        **_listing(request, results is not None, problem),
        "deal": deals_of([job], Role.CLIENT)[0],
        "bids": bids,
        "shown": None if results is None else shown_cleaners(results, bids),
        "payment": payment_of(job),
        "review": getattr(job, "review", None),
        "is_due": job.wanted_for <= timezone.now(),
        "marks": MARKS,
    }
    return render(request, "cleaning/job.html", context)


@require_GET
@shown
def profile_page(request: HttpRequest, *, job_id: str, cleaner_id: str) -> HttpResponse:
    """A cleaner, as a client looks at them for a job. Opened from a list (`?shown=`), that counts as a view."""
    visitor = visitor_at(request)
    job = own_job(visitor, job_id)
    cleaner = Cleaner.objects.select_related("standing").filter(pk=int(cleaner_id)).first() if is_number(cleaner_id) else None
    if cleaner is None:
        raise Http404(page.NOT_FOUND)
    seen: CleanerRecommendation | None = None
    if request.GET.get("shown"):
        seen = shown_to(visitor, CLEANERS, request.GET["shown"])
        if (seen.job_id, seen.cleaner_id) != (job.pk, cleaner.pk):
            raise NotFound("this list was of another job")
        note_viewed(seen)
    context = {
        **frame(request),
        "job": job,
        "cleaner": cleaner,
        "seen": seen,
        "figures": figures_of(standing_of(cleaner)),
        "reviews": cleaner.reviews.exclude(comment="").order_by("-time")[:REVIEWS_SHOWN],
        "bid": job.bids.filter(cleaner=cleaner, status=JobBid.Status.PENDING).first(),
        "verdicts": RecommendationFeedback.Verdict.choices,
    }
    return render(request, "cleaning/profile.html", context)


@require_GET
@shown
def cleaner_page(request: HttpRequest, *, cleaner_id: str) -> HttpResponse:
    """A cleaner's jobs and offers, and which jobs suit them."""
    cleaner = resolve_cleaner(visitor_at(request), cleaner_id)
    query, problem = _list_query(request)
    results: Recommendations = RecommendationEngine(query.mode).recommend_jobs_for_cleaner(cleaner, LISTED, query.filters)
    hired = CleaningJob.objects.filter(cleaner=cleaner).select_related(*ROWS)
    bids = cleaner.bids.filter(status=JobBid.Status.PENDING).select_related("job", "job__place").order_by("-time")
    context = {
        **frame(request),
        **_listing(request, True, problem),
        "cleaner": cleaner,
        "figures": figures_of(standing_of(cleaner)),
        "shown": shown_jobs(results),
        "ahead": deals_of(list(hired.filter(status__in=CleaningJob.AGREED).order_by("wanted_for")[:JOBS_SHOWN]), Role.HIRED),
        "done": deals_of(list(hired.filter(status__in=CleaningJob.OVER).order_by("-ended_at")[:REVIEWS_SHOWN]), Role.HIRED),
        "bids": bids[:JOBS_SHOWN],
    }
    return render(request, "cleaning/cleaner.html", context)


@require_GET
@shown
def offer_page(request: HttpRequest, *, cleaner_id: str, job_id: str) -> HttpResponse:
    """A job, as a cleaner looks at it, with what to bid. Opened from a list (`?shown=`), that counts as a view."""
    visitor = visitor_at(request)
    cleaner = resolve_cleaner(visitor, cleaner_id)
    job, role = _as_cleaner(cleaner, job_id)
    seen: JobRecommendation | None = None
    if request.GET.get("shown"):
        seen = shown_to(visitor, JOBS, request.GET["shown"])
        if (seen.job_id, seen.cleaner_id) != (job.pk, cleaner.pk):
            raise NotFound("this list was another cleaner's")
        note_viewed(seen)
    bid = job.bids.filter(cleaner=cleaner).exclude(status=JobBid.Status.WITHDRAWN).first()
    suggestion = bid_suggestions.suggest_bid(job, cleaner) if bid is None and job.status in CleaningJob.OFFERED else None
    context = {
        **frame(request),
        "cleaner": cleaner,
        "deal": deals_of([job], role)[0],
        "seen": seen,
        "bid": bid,
        "can_withdraw": bid is not None and "withdraw" in steps_of(job, Role.CLEANER) and bid.status == JobBid.Status.PENDING,
        "suggestion": suggestion,
        "inputs": inputs_of(suggestion) if suggestion else (),
        "verdicts": RecommendationFeedback.Verdict.choices,
    }
    return render(request, "cleaning/offer.html", context)


def _as_cleaner(cleaner: Cleaner, job_id: str) -> tuple[CleaningJob, Role]:
    """The job as this cleaner sees it, also when staff look for them. Raises NotFound."""
    return job_for(Visitor(cleaner=cleaner), job_id)


def _list_query(request: HttpRequest) -> tuple[ListQuery, str]:
    """What a list is narrowed down to; a page shows the whole list and says why, rather than an error."""
    query = request.GET.copy()
    for name in list(query):
        if name not in ("mode", *FILTERS) or query.get(name) == "":
            del query[name]
    try:
        return list_query(query), ""
    except InvalidInput as error:
        return ListQuery(), f"The list is not narrowed down: {error.message}."


def _listing(request: HttpRequest, is_listed: bool, problem: str) -> dict[str, Any]:
    """What the form above a list shows."""
    if not is_listed:
        return {"listed": False}
    return {
        "listed": True,
        "problem": problem,
        "modes": [(name, MODE_LABELS[name]) for name in MODES],
        "kinds": PropertyType.choices,
        "asked": {name: request.GET.get(name, "")[:20] for name in ("mode", *FILTERS)},
    }


def _people(rows: Any, text: str) -> list[Any]:
    """Up to 20 whom the search finds; without one those of the demo, where there are any."""
    if text:
        rows = rows.filter(Q(name__icontains=text) | (Q(pk=int(text)) if is_number(text) else Q(pk__in=[])))
    results = list(rows.order_by("-is_demo", "name", "pk")[:MAX_RESULTS])
    first = [row for row in results if row.is_demo]
    return results if text else first or results
