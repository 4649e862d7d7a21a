"""POSTs of the marketplace's pages: each does one thing, says what was done or why not, and goes back to a page."""

from typing import Any

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.urls import reverse
from django.views.decorators.http import require_POST
from rest_framework import serializers

from recommendation_service.errors import NotFound, TandemError
from sites.cleaning.api.permissions import Visitor, job_for, own_job, resolve_cleaner, resolve_client
from sites.cleaning.api.request_serializers import (
    AcceptSerializer,
    CompleteSerializer,
    FeedbackOnMatchSerializer,
    PlaceBidSerializer,
    PostJobSerializer,
    ReviewSerializer,
)
from sites.cleaning.api.views_outcomes import CLEANERS, JOBS, note_contacted, shown_to
from sites.cleaning.models import Cleaner, CleaningJob, Client, Property
from sites.cleaning.services import jobs, outcomes
from sites.cleaning.services.reviews import MARKS
from sites.cleaning.web.base import NOT_DONE, error_text, read_form, see_other, shown, tried, visitor_at
from sites.cleaning.web.views import client_rendered

NO_ACTION = "there is no such button here"
LOCATION_FIELDS = ("kind", "district", "size_m2", "latitude", "longitude")
WORK = ("hours", "budget", "wanted_for", "eco_friendly", "description")


@require_POST
@shown
def post_job(request: HttpRequest, *, client_id: str) -> HttpResponse:
    """Post a job and go to its page; a form that is refused comes back as it was typed, with the reason."""
    client = resolve_client(visitor_at(request), client_id)
    try:
        job = _posted(client, request.POST)
    except serializers.ValidationError as error:
        return client_rendered(request, client, request.POST, f"{NOT_DONE}: {error_text(error.detail)}.", 422)
    except TandemError as error:
        return client_rendered(request, client, request.POST, f"{NOT_DONE}: {error.message}.", int(error.status))
    messages.info(request, "The job is posted. Here is who suits it.")
    return see_other(reverse("cleaning:job-page", args=[job.pk]))


@require_POST
@shown
def client_did(request: HttpRequest, *, job_id: str) -> HttpResponse:
    """One of the client's buttons."""
    visitor = visitor_at(request)
    job, posted = own_job(visitor, job_id), request.POST
    action = CLIENT_ACTIONS.get(posted.get("deed", ""))
    tried(request, lambda: action(visitor, job, posted) if action else _refuse())
    return see_other(reverse("cleaning:job-page", args=[job.pk]))


@require_POST
@shown
def cleaner_did(request: HttpRequest, *, cleaner_id: str, job_id: str) -> HttpResponse:
    """One of the cleaner's buttons."""
    visitor, posted = visitor_at(request), request.POST
    cleaner = resolve_cleaner(visitor, cleaner_id)
    job, _role = job_for(Visitor(cleaner=cleaner, sees_all=posted.get("deed") == "bid"), job_id)  # too late to bid is told
    action = CLEANER_ACTIONS.get(posted.get("deed", ""))
    tried(request, lambda: action(visitor, job, cleaner, posted) if action else _refuse())
    return see_other(reverse("cleaning:cleaner-page", args=[cleaner.pk]))


def _posted(client: Client, posted: Any) -> CleaningJob:
    values: dict[str, Any] = {name: posted.get(name) for name in WORK}
    if posted.get("property_id"):
        values["property_id"] = posted["property_id"]
    else:
        values["property"] = {name: posted[name] for name in LOCATION_FIELDS if posted.get(name)}
    data = read_form(PostJobSerializer, values)
    location: Any = data.pop("property", None)
    number = data.pop("property_id", None)
    if location is None:
        location = Property.objects.filter(client=client, pk=number).first()
        if location is None:
            raise NotFound("there is no such place")
    return jobs.post_job(client=client, place=location, **data)


def _hire(_visitor: Visitor, job: CleaningJob, posted: Any) -> str:
    hired = jobs.accept_bid(job=job, **read_form(AcceptSerializer, {"bid_id": posted.get("bid_id")}))
    amount = hired.accepted_bid.amount if hired.accepted_bid else 0
    return f"You hired {hired.cleaner}. €{amount} are kept ready until the work is done."


def _contact(visitor: Visitor, job: CleaningJob, posted: Any) -> str:
    seen = _seen(visitor, CLEANERS, posted, job)
    note_contacted(seen)
    return f"{seen.cleaner} is told that you would like a bid."


def _complete(_visitor: Visitor, job: CleaningJob, posted: Any) -> str:
    data = read_form(CompleteSerializer, {"on_time": posted.get("on_time")})
    jobs.complete_job(job=job, **data)
    return "The work is done, and paid. Say how it was."


def _cancel(_visitor: Visitor, job: CleaningJob, _posted: Any) -> str:
    jobs.cancel_job(job=job)
    return "The job is called off."


def _fail(_visitor: Visitor, job: CleaningJob, _posted: Any) -> str:
    jobs.fail_job(job=job)
    return "It is noted that the work was not done. Nothing is paid."


def _review(_visitor: Visitor, job: CleaningJob, posted: Any) -> str:
    jobs.review_job(job=job, **read_form(ReviewSerializer, {name: posted.get(name) for name in (*MARKS, "comment")}))
    return "Thank you: your review counts from the next update of the standings."


def _client_judges(visitor: Visitor, job: CleaningJob, posted: Any) -> str:
    return _judged(_seen(visitor, CLEANERS, posted, job), posted)


def _bid(_visitor: Visitor, job: CleaningJob, cleaner: Cleaner, posted: Any) -> str:
    data = read_form(PlaceBidSerializer, {name: posted.get(name) for name in ("amount", "message", "request_id")})
    bid = jobs.place_bid(job=job, cleaner=cleaner, **data)
    return f"Your bid of €{bid.amount} is with the client."


def _withdraw(_visitor: Visitor, job: CleaningJob, cleaner: Cleaner, _posted: Any) -> str:
    jobs.withdraw_bid(job=job, cleaner=cleaner)
    return "Your bid is withdrawn."


def _confirm(_visitor: Visitor, job: CleaningJob, cleaner: Cleaner, _posted: Any) -> str:
    jobs.confirm_job(job=job, cleaner=cleaner)
    return "The client knows that you will come."


def _done(_visitor: Visitor, job: CleaningJob, cleaner: Cleaner, posted: Any) -> str:
    jobs.complete_job(job=job, cleaner=cleaner, **read_form(CompleteSerializer, {"photos": posted.get("photos")}))
    return "The work is done, and paid."


def _call_off(_visitor: Visitor, job: CleaningJob, cleaner: Cleaner, _posted: Any) -> str:
    jobs.cancel_job(job=job, cleaner=cleaner)
    return "You called the job off."


def _cleaner_judges(visitor: Visitor, job: CleaningJob, cleaner: Cleaner, posted: Any) -> str:
    return _judged(_seen(visitor, JOBS, posted, job, cleaner), posted)


def _seen(visitor: Visitor, side: str, posted: Any, job: CleaningJob, cleaner: Cleaner | None = None) -> Any:
    seen = shown_to(visitor, side, posted.get("shown", ""))
    if seen.job_id != job.pk or (cleaner is not None and seen.cleaner_id != cleaner.pk):
        raise NotFound("this list was of another job")
    return seen


def _judged(seen: Any, posted: Any) -> str:
    data = read_form(FeedbackOnMatchSerializer, {name: posted.get(name) for name in ("feedback_type", "comment")})
    outcomes.give_feedback(seen, data["feedback_type"], data["comment"])
    return "Thank you: the next training learns from this."


def _refuse() -> str:
    raise NotFound(NO_ACTION)


CLIENT_ACTIONS = {
    "accept": _hire, "contact": _contact, "complete": _complete, "cancel": _cancel, "fail": _fail, "review": _review,
    "feedback": _client_judges,
}  # fmt: skip
CLEANER_ACTIONS = {
    "bid": _bid, "withdraw": _withdraw, "confirm": _confirm, "complete": _done, "cancel": _call_off,
    "feedback": _cleaner_judges,
}  # fmt: skip
