"""What the marketplace's pages share: the visitor, 404 for what they may not see, and messages."""

from collections.abc import Callable
from dataclasses import replace
from functools import wraps
from typing import Any

from django import forms
from django.contrib import messages
from django.core.exceptions import NON_FIELD_ERRORS
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect

from recommendation_service.errors import NotFound
from sites.cleaning.api.permissions import Visitor, visitor_of
from storefront import permissions
from storefront.views import guarded

View = Callable[..., HttpResponse]


def page(view: View) -> View:
    """Guard a view as all pages are, and answer NotFound with 404."""

    @wraps(view)
    def wrapped(request: HttpRequest, **kwargs: str) -> HttpResponse:
        try:
            return view(request, **kwargs)
        except NotFound as error:
            raise Http404(permissions.NOT_FOUND) from error

    return guarded(wrapped)


def visitor_at(request: HttpRequest) -> Visitor:
    """Return the visitor. Staff see everything; on a local demo every visitor does."""
    visitor = visitor_of(request.user)
    return replace(visitor, sees_all=visitor.sees_all or permissions.may_choose(request))


def page_context(request: HttpRequest) -> dict[str, Any]:
    """Return the context of every page of the marketplace."""
    message = " ".join(str(message) for message in messages.get_messages(request))
    return {"message": message, "is_demo": permissions.is_demo(), "chooses": permissions.may_choose(request)}


def error_text(form: forms.BaseForm) -> str:
    """Return the first error of each field in one line."""
    texts = {name: str(errors[0]).rstrip(".") for name, errors in form.errors.items()}
    named = (
        text if name == NON_FIELD_ERRORS else f"{name.replace('_', ' ')}: {text[:1].lower()}{text[1:]}"
        for name, text in texts.items()
    )
    return "; ".join(named)


def redirect_to(url: str) -> HttpResponseRedirect:
    """Redirect to the message on another page."""
    return HttpResponseRedirect(f"{url}#message", status=303)
