"""Django's error handlers: problem+json under /api/, a page elsewhere."""

from collections.abc import Callable
from typing import Any

from django.core.exceptions import RequestDataTooBig
from django.http import HttpRequest, HttpResponse, HttpResponseBase
from django.views import defaults

from tandem.api.problem_details import problem

Handler = Callable[..., HttpResponseBase]


def _handler(status: int, page: Handler) -> Handler:
    def handle(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
        too_big = any(isinstance(error, RequestDataTooBig) for error in (*args, *kwargs.values()))
        if request.path.startswith("/api/"):
            return problem(request, 413 if too_big else status)
        if too_big:
            return HttpResponse("The request is too large.", status=413, content_type="text/plain; charset=utf-8")
        return page(request, *args, **kwargs)

    return handle


bad_request = _handler(400, defaults.bad_request)
forbidden = _handler(403, defaults.permission_denied)
not_found = _handler(404, defaults.page_not_found)
server_error = _handler(500, defaults.server_error)
