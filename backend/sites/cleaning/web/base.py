"""What the marketplace's pages have in common: who looks, what is not theirs reads as not there, and what was said."""

from collections.abc import Callable
from dataclasses import replace
from functools import wraps
from typing import Any

from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from rest_framework import serializers

from recommendation_service.errors import NotFound, TandemError
from sites.cleaning.api.permissions import Visitor, visitor_of
from storefront import permissions as page
from storefront.views import guarded

View = Callable[..., HttpResponse]
NOT_DONE = "This was not done"


def shown(view: View) -> View:
    """A page: guarded as all are, and what is not there or not the visitor's is a 404."""

    @wraps(view)
    def answered(request: HttpRequest, **words: str) -> HttpResponse:
        try:
            return view(request, **words)
        except NotFound as error:
            raise Http404(page.NOT_FOUND) from error

    return guarded(answered)


def visitor_at(request: HttpRequest) -> Visitor:
    """Who looks. Staff see everything, and on a local demo everybody does."""
    found = visitor_of(request.user)
    return replace(found, sees_all=found.sees_all or page.may_choose(request))


def frame(request: HttpRequest) -> dict[str, Any]:
    """What every page of the marketplace shows."""
    said = " ".join(str(message) for message in messages.get_messages(request))
    return {"said": said, "is_demo": page.is_demo(), "chooses": page.may_choose(request)}


def tried(request: HttpRequest, work: Callable[[], str]) -> None:
    """Do it and say what was done, or say why not. Raises NotFound where there is nothing to do it with."""
    try:
        messages.info(request, work())
    except NotFound:
        raise
    except TandemError as error:
        messages.info(request, f"{NOT_DONE}: {error.message}.")
    except serializers.ValidationError as error:
        messages.info(request, f"{NOT_DONE}: {error_text(error.detail)}.")


def read_form(shape: type[serializers.Serializer[Any]], told: dict[str, Any]) -> dict[str, Any]:
    """What a form says, read as strictly as the API reads its bodies. Fields left empty are left out."""
    serializer = shape(data={name: value for name, value in told.items() if value not in (None, "")})
    serializer.is_valid(raise_exception=True)
    return dict(serializer.validated_data)


def error_text(detail: Any, name: str = "") -> str:
    """A serializer's complaints in one sentence."""
    if isinstance(detail, dict):
        told = [error_text(inner, "" if field == "non_field_errors" else field) for field, inner in detail.items()]
        return "; ".join(told)
    if isinstance(detail, list):
        return "; ".join(error_text(inner, name) for inner in detail[:1])
    text = str(detail).rstrip(".")
    return f"{name.replace('_', ' ')}: {text[:1].lower()}{text[1:]}" if name else text


def see_other(address: str, place: str = "said") -> HttpResponseRedirect:
    """On to another page, at a place of it."""
    return HttpResponseRedirect(f"{address}#{place}", status=303)
