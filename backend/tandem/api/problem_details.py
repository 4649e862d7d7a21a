"""Every failure under /api/ as RFC 9457 problem+json: the fix in words, nothing of the inside."""

import logging
import uuid
from collections.abc import Mapping
from http import HTTPStatus
from typing import Any

import orjson
from django.core.exceptions import PermissionDenied, RequestDataTooBig
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseBase
from django.views import defaults
from rest_framework import exceptions
from rest_framework.views import set_rollback

from recommendation_service.errors import TandemError, Unauthenticated
from tandem.api.authentication import CHALLENGE

PROBLEM_JSON = "application/problem+json"
NOT_FOUND = "there is nothing here, or it is not yours to see"

log = logging.getLogger(__name__)

_DETAILS = {
    HTTPStatus.BAD_REQUEST: "the request cannot be understood",
    HTTPStatus.UNAUTHORIZED: "log in, or send a token: Authorization: Bearer <token>",
    HTTPStatus.FORBIDDEN: "you may not do this; from a page, send the CSRF token too",
    HTTPStatus.NOT_FOUND: NOT_FOUND,
    HTTPStatus.METHOD_NOT_ALLOWED: "this path does not take that method; see the Allow header",
    HTTPStatus.NOT_ACCEPTABLE: "answers here are application/json",
    HTTPStatus.REQUEST_ENTITY_TOO_LARGE: "the body is larger than 1 MB",
    HTTPStatus.UNSUPPORTED_MEDIA_TYPE: "send Content-Type: application/json",
    HTTPStatus.UNPROCESSABLE_ENTITY: "some inputs are not valid; see errors",
    HTTPStatus.TOO_MANY_REQUESTS: "too many requests; wait as long as Retry-After says",
    HTTPStatus.INTERNAL_SERVER_ERROR: "something failed here; it was logged",
}
_CODES = {
    HTTPStatus.UNAUTHORIZED: "unauthenticated",
    HTTPStatus.UNPROCESSABLE_ENTITY: "invalid_input",
    HTTPStatus.INTERNAL_SERVER_ERROR: "internal_error",
}


def problem(
    request: HttpRequest,
    status: int,
    *,
    code: str = "",
    detail: str = "",
    fields: Mapping[str, str] | None = None,
    headers: Mapping[str, str] | None = None,
) -> HttpResponse:
    """One problem+json answer; `fields` is JSON pointer -> what is wrong there. Code and detail default by status."""
    known = HTTPStatus(status)
    code = code or _CODES.get(known, known.phrase.lower().replace(" ", "_"))
    body = {
        "type": f"urn:tandem:error:{code}",
        "title": known.phrase,
        "status": int(status),
        "detail": detail or _DETAILS.get(known, known.phrase),
        "instance": printable(request.path, 300),
        "code": code,
        "request_id": str(uuid.uuid4()),
        "errors": [{"pointer": where, "detail": message} for where, message in (fields or {}).items()],
    }
    response = HttpResponse(orjson.dumps(body), status=status, content_type=PROBLEM_JSON)
    response["Cache-Control"] = "private, no-store"
    for name, value in (headers or {}).items():
        response[name] = value
    return response


def problem_handler(error: Exception, context: dict[str, Any]) -> HttpResponse | None:
    """What REST framework calls with every exception of a view; None lets Django's own 500 answer."""
    request: HttpRequest = context["request"]._request
    set_rollback()
    if isinstance(error, TandemError):
        return _expected(request, error)
    if isinstance(error, RequestDataTooBig):
        return problem(request, HTTPStatus.REQUEST_ENTITY_TOO_LARGE)
    if isinstance(error, Http404):
        return problem(request, HTTPStatus.NOT_FOUND)
    if isinstance(error, PermissionDenied):
        return problem(request, HTTPStatus.FORBIDDEN)
    if isinstance(error, exceptions.ValidationError):
        return problem(request, HTTPStatus.UNPROCESSABLE_ENTITY, fields=dict(_flat(error.detail, "")))
    if isinstance(error, exceptions.APIException):
        return problem(request, error.status_code, headers=_headers(error, context))
    return None


def not_found(request: HttpRequest, exception: Exception) -> HttpResponseBase:
    """Django's 404: a problem under /api/, a page elsewhere."""
    return problem(request, 404) if _is_api(request) else defaults.page_not_found(request, exception)


def bad_request(request: HttpRequest, exception: Exception) -> HttpResponseBase:
    """Django's 400: a problem under /api/, a page elsewhere."""
    status = 413 if isinstance(exception, RequestDataTooBig) else 400
    return problem(request, status) if _is_api(request) else defaults.bad_request(request, exception)


def forbidden(request: HttpRequest, exception: Exception) -> HttpResponseBase:
    """Django's 403: a problem under /api/, a page elsewhere."""
    return problem(request, 403) if _is_api(request) else defaults.permission_denied(request, exception)


def server_error(request: HttpRequest) -> HttpResponseBase:
    """Django's 500: a problem under /api/, a page elsewhere. Django logged the exception already."""
    return problem(request, 500) if _is_api(request) else defaults.server_error(request)


def printable(text: str, longest: int) -> str:
    """Client text made safe to repeat: bounded, without control characters or lone surrogates."""
    return "".join(letter if letter.isprintable() else "?" for letter in text[:longest])


def pointer(step: str) -> str:
    """Return one step of a JSON pointer (RFC 6901)."""
    return step.replace("~", "~0").replace("/", "~1")


def _expected(request: HttpRequest, error: TandemError) -> HttpResponse:
    headers = {"WWW-Authenticate": CHALLENGE} if isinstance(error, Unauthenticated) else {}
    if error.status == HTTPStatus.SERVICE_UNAVAILABLE:
        headers["Retry-After"] = "5"
    if error.status == HTTPStatus.INTERNAL_SERVER_ERROR:
        log.error("request failed: %s", error.message, exc_info=error)
        return problem(request, error.status, code=error.code)
    detail = NOT_FOUND if error.status == HTTPStatus.NOT_FOUND else error.message
    return problem(request, error.status, code=error.code, detail=detail, fields=error.fields, headers=headers)


def _headers(error: exceptions.APIException, context: dict[str, Any]) -> dict[str, str]:
    headers = {}
    if isinstance(error, exceptions.NotAuthenticated | exceptions.AuthenticationFailed):
        headers["WWW-Authenticate"] = CHALLENGE
    if isinstance(error, exceptions.MethodNotAllowed):
        headers["Allow"] = ", ".join(context["view"].allowed_methods)
    wait: float | None = getattr(error, "wait", None)  # of a Throttled; the stubs forget it
    if wait is not None:
        headers["Retry-After"] = str(max(1, round(wait)))
    return headers


def _flat(detail: Any, path: str) -> list[tuple[str, str]]:
    """Return a serializer's nested errors as pairs of JSON pointer and first message."""
    if isinstance(detail, dict):
        return [
            pair
            for name, inner in detail.items()
            for pair in _flat(inner, path if name == "non_field_errors" else f"{path}/{pointer(printable(str(name), 64))}")
        ]
    if isinstance(detail, list):
        nested = [(index, inner) for index, inner in enumerate(detail) if isinstance(inner, dict | list) and inner]
        if nested:
            return [pair for index, inner in nested for pair in _flat(inner, f"{path}/{index}")]
        return [(path, str(detail[0]))] if detail else []
    return [(path, str(detail))]


def _is_api(request: HttpRequest) -> bool:
    return request.path.startswith("/api/")
