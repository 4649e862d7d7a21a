"""POSTs of the marketplace's pages: validate a form, act, and return to a page with a message."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from django import forms
from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.urls import reverse
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _
from django.views.decorators.http import require_POST

from recommendation_service.errors import NotFound, TandemError
from sites.cleaning.api.permissions import (
    CLEANERS,
    JOBS,
    Visitor,
    job_for,
    own_job,
    recommendation_for,
    resolve_cleaner,
    resolve_client,
)
from sites.cleaning.models import Cleaner, CleaningJob
from sites.cleaning.services import jobs, outcomes
from sites.cleaning.services.posting import post_job as save_job
from sites.cleaning.web.base import error_text, page, redirect_to, visitor_at
from sites.cleaning.web.forms import BidForm, CompleteForm, FeedbackForm, HireForm, JobForm, PropertyForm, ReviewForm
from sites.cleaning.web.views import render_client

NOT_DONE = _("This was not done: %(reason)s.")


@dataclass(frozen=True, slots=True)
class Target:
    """What an action is about."""

    visitor: Visitor
    job: CleaningJob
    cleaner: Cleaner | None  # whose page it is; None: the client's
    shown: str  # id of the recommendation beside the button, or ""

    def recommendation(self) -> Any:
        """Return the recommendation. Raises NotFound if it is about another pair."""
        shown = recommendation_for(self.visitor, CLEANERS if self.cleaner is None else JOBS, self.shown)
        if shown.job_id != self.job.pk or (self.cleaner is not None and shown.cleaner_id != self.cleaner.pk):
            raise NotFound("this recommendation is about another job")
        return shown


Action = Callable[[Target, dict[str, Any]], str]  # returns the message


@require_POST
@page
def post_job(request: HttpRequest, *, client_id: str) -> HttpResponse:
    """Post a job and show its page; an invalid form is shown again as it was typed, with the reason."""
    client = resolve_client(visitor_at(request), client_id)
    form, property_form = JobForm(request.POST, client=client), PropertyForm(request.POST)
    needed = [form] if request.POST.get("place") else [form, property_form]
    if not all(checked.is_valid() for checked in needed):
        reason = "; ".join(error_text(checked) for checked in needed if not checked.is_valid())
        return render_client(request, client, request.POST, NOT_DONE % {"reason": reason}, 422)
    data = {**form.cleaned_data, "place": form.cleaned_data["place"] or property_form.cleaned_data}
    try:
        job = save_job(client=client, **data)
    except TandemError as error:
        return render_client(request, client, request.POST, NOT_DONE % {"reason": error.message}, int(error.status))
    messages.info(request, gettext("The job is posted. These cleaners suit it."))
    return redirect_to(reverse("cleaning:job-page", args=[job.pk]))


@require_POST
@page
def client_action(request: HttpRequest, *, job_id: str) -> HttpResponse:
    """Do what a button of the client's page names."""
    visitor = visitor_at(request)
    job = own_job(visitor, job_id)
    _act(request, CLIENT_ACTIONS, Target(visitor, job, None, request.POST.get("shown", "")))
    return redirect_to(reverse("cleaning:job-page", args=[job.pk]))


@require_POST
@page
def cleaner_action(request: HttpRequest, *, cleaner_id: str, job_id: str) -> HttpResponse:
    """Do what a button of the cleaner's page names."""
    visitor = visitor_at(request)
    cleaner = resolve_cleaner(visitor, cleaner_id)
    # a bid for a job that was taken meanwhile gets a message, not a 404
    job, _role = job_for(Visitor(cleaner=cleaner, sees_all=request.POST.get("action") == "bid"), job_id)
    _act(request, CLEANER_ACTIONS, Target(visitor, job, cleaner, request.POST.get("shown", "")))
    return redirect_to(reverse("cleaning:cleaner-page", args=[cleaner.pk]))


def _act(request: HttpRequest, actions: Mapping[str, tuple[type[forms.BaseForm], Action]], target: Target) -> None:
    """Run the named action and add its message, or the reason why not. Raises NotFound for unknown actions and rows."""
    if request.POST.get("action", "") not in actions:
        raise NotFound("there is no such action")
    form_class, action = actions[request.POST["action"]]
    form: Any = form_class(request.POST)
    try:
        message = action(target, form.cleaned_data) if form.is_valid() else NOT_DONE % {"reason": error_text(form)}
    except NotFound:
        raise
    except TandemError as error:
        message = NOT_DONE % {"reason": error.message}
    messages.info(request, message)


def _hire(target: Target, data: dict[str, Any]) -> str:
    hired = jobs.accept_bid(job=target.job, **data)
    amount = hired.accepted_bid.amount if hired.accepted_bid else 0
    return gettext("You hired %(cleaner)s. €%(amount)s are reserved until the work is done.") % {
        "cleaner": hired.cleaner,
        "amount": amount,
    }


def _contact(target: Target, _data: dict[str, Any]) -> str:
    shown = target.recommendation()
    outcomes.report_contacted(shown)
    return gettext("%(cleaner)s knows that you would like a bid.") % {"cleaner": shown.cleaner}


def _complete(target: Target, data: dict[str, Any]) -> str:
    jobs.complete_job(job=target.job, on_time=data["on_time"])
    return gettext("The work is done, and paid. Please review it.")


def _cancel(target: Target, _data: dict[str, Any]) -> str:
    jobs.cancel_job(job=target.job, cleaner=target.cleaner)
    return gettext("The job is cancelled.")


def _fail(target: Target, _data: dict[str, Any]) -> str:
    jobs.fail_job(job=target.job)
    return gettext("The job is marked as not done. Nothing is paid.")


def _review(target: Target, data: dict[str, Any]) -> str:
    jobs.review_job(job=target.job, **data)
    return gettext("Thank you: your review counts from the next update of the scores.")


def _give_feedback(target: Target, data: dict[str, Any]) -> str:
    outcomes.give_feedback(target.recommendation(), **data)
    return gettext("Thank you: the next training learns from this.")


def _bid(target: Target, data: dict[str, Any]) -> str:
    bid = jobs.place_bid(job=target.job, cleaner=_cleaner(target), **data)
    return gettext("The client has your bid of €%(amount)s.") % {"amount": f"{bid.amount:.2f}"}


def _withdraw(target: Target, _data: dict[str, Any]) -> str:
    jobs.withdraw_bid(job=target.job, cleaner=_cleaner(target))
    return gettext("Your bid is withdrawn.")


def _confirm(target: Target, _data: dict[str, Any]) -> str:
    jobs.confirm_job(job=target.job, cleaner=_cleaner(target))
    return gettext("The client knows that you will come.")


def _done(target: Target, data: dict[str, Any]) -> str:
    jobs.complete_job(job=target.job, cleaner=_cleaner(target), photos=data["photos"] or 0)
    return gettext("The work is done, and paid.")


def _cleaner(target: Target) -> Cleaner:
    if target.cleaner is None:
        raise NotFound("there is no such action")
    return target.cleaner


CLIENT_ACTIONS: Mapping[str, tuple[type[forms.BaseForm], Action]] = {
    "accept": (HireForm, _hire),
    "contact": (forms.Form, _contact),
    "complete": (CompleteForm, _complete),
    "cancel": (forms.Form, _cancel),
    "fail": (forms.Form, _fail),
    "review": (ReviewForm, _review),
    "feedback": (FeedbackForm, _give_feedback),
}
CLEANER_ACTIONS: Mapping[str, tuple[type[forms.BaseForm], Action]] = {
    "bid": (BidForm, _bid),
    "withdraw": (forms.Form, _withdraw),
    "confirm": (forms.Form, _confirm),
    "complete": (CompleteForm, _done),
    "cancel": (forms.Form, _cancel),
    "feedback": (FeedbackForm, _give_feedback),
}
