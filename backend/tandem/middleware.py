"""Middleware that a site may add: a database that does not answer is one clear line, not an error page."""

import logging
from collections.abc import Callable
from functools import wraps
from typing import Any

from django.db import InterfaceError, OperationalError
from django.http import HttpRequest, HttpResponse

RETRY_AFTER_S = "5"
MESSAGE = "The database does not answer. Nothing was changed; please try again in a few seconds."

View = Callable[..., HttpResponse]

log = logging.getLogger(__name__)


class DatabaseUnavailable:
    """Answer 503 with Retry-After where a view fails because the database does not answer.

    Tandem's own endpoints do so without it. Put "tandem.middleware.DatabaseUnavailable" first, so that it sees all views.
    """

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self._get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        """Pass the request on."""
        return self._get_response(request)

    def process_exception(self, request: HttpRequest, exception: Exception) -> HttpResponse | None:
        """Return the answer for an error of the connection or of the server; None for every other error."""
        return _unavailable(request, exception) if isinstance(exception, OperationalError | InterfaceError) else None


def or_unavailable(view: View) -> View:
    """Return a view that answers 503 itself where the database does not answer, for a site without the middleware."""

    @wraps(view)
    def answering(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        try:
            return view(request, *args, **kwargs)
        except (OperationalError, InterfaceError) as error:
            return _unavailable(request, error)

    return answering


def _unavailable(request: HttpRequest, error: Exception) -> HttpResponse:
    log.warning("%s: the database did not answer", request.path, exc_info=error)
    headers = {"Retry-After": RETRY_AFTER_S, "Cache-Control": "no-store"}
    return HttpResponse(MESSAGE, status=503, content_type="text/plain; charset=utf-8", headers=headers)
