"""Errors as RFC 9457 problem+json: what is wrong and the fix, without private details."""

import logging
import uuid
from collections.abc import Mapping
from http import HTTPStatus
from typing import Any

import orjson
from django.core.exceptions import RequestDataTooBig
from django.db import InterfaceError, OperationalError
from django.http import HttpRequest, HttpResponse
from rest_framework.exceptions import ParseError, ValidationError
from rest_framework.views import exception_handler, set_rollback

from recommendation_service.errors import TandemError
from tandem.api.authentication import CHALLENGE
from tandem.api.serializers import ProblemSerializer, pointer, printable

PROBLEM_JSON = "application/problem+json"
NOT_FOUND = "there is nothing here, or it is not yours to see"
RETRY_AFTER_S = "5"

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
    HTTPStatus.SERVICE_UNAVAILABLE: "the database does not answer; nothing was changed, so send the request again",
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
    """Return one problem; `fields` is JSON pointer -> what is wrong there. The status gives the default code and detail."""
    known = HTTPStatus(status)
    code = code or _CODES.get(known, known.phrase.lower().replace(" ", "_"))
    body = {
        "type": f"urn:tandem:error:{code}",
        "title": known.phrase,
        "status": known,
        "detail": detail or _DETAILS.get(known, known.phrase),
        "instance": printable(request.path, 300),
        "code": code,
        "request_id": uuid.uuid4(),
        "errors": [{"pointer": name, "detail": message} for name, message in (fields or {}).items()],
    }
    content = orjson.dumps(ProblemSerializer(body).data)
    return HttpResponse(
        content, status=status, content_type=PROBLEM_JSON, headers={"Cache-Control": "private, no-store", **(headers or {})}
    )


def problem_handler(error: Exception, context: dict[str, Any]) -> HttpResponse | None:
    """Return the problem for an exception of a view, as DRF's EXCEPTION_HANDLER; None for an unexpected exception."""
    request: HttpRequest = context["request"]._request
    if isinstance(error, TandemError):
        set_rollback()
        return _tandem_problem(request, error)
    if isinstance(error, RequestDataTooBig):
        set_rollback()
        return problem(request, HTTPStatus.REQUEST_ENTITY_TOO_LARGE)
    if isinstance(error, OperationalError | InterfaceError):
        set_rollback()
        log.warning("the database did not answer: %s", type(error).__name__, exc_info=error)
        return problem(request, HTTPStatus.SERVICE_UNAVAILABLE, code="no_database", headers={"Retry-After": RETRY_AFTER_S})
    response = exception_handler(error, context)
    if response is None:
        return None
    if isinstance(error, ValidationError):
        return problem(request, HTTPStatus.UNPROCESSABLE_ENTITY, fields=dict(_flat(error.detail, "")))
    headers = {name: response[name] for name in ("WWW-Authenticate", "Retry-After") if name in response}
    detail = str(error.detail) if isinstance(error, ParseError) else ""
    return problem(request, response.status_code, detail=detail, headers=headers)


def _tandem_problem(request: HttpRequest, error: TandemError) -> HttpResponse:
    if error.status == HTTPStatus.INTERNAL_SERVER_ERROR:
        log.error("request failed: %s", error.message, exc_info=error)
        return problem(request, error.status, code=error.code)
    headers = {
        HTTPStatus.UNAUTHORIZED: {"WWW-Authenticate": CHALLENGE},
        HTTPStatus.SERVICE_UNAVAILABLE: {"Retry-After": RETRY_AFTER_S},
    }.get(HTTPStatus(error.status))
    detail = NOT_FOUND if error.status == HTTPStatus.NOT_FOUND else error.message
    return problem(request, error.status, code=error.code, detail=detail, fields=error.fields, headers=headers)


def _flat(detail: Any, path: str) -> list[tuple[str, str]]:
    """Return a serializer's nested errors as pairs of JSON pointer and first message."""
    if isinstance(detail, dict):
        return [
            pair
            for name, inner in detail.items()
            for pair in _flat(inner, path if name == "non_field_errors" else f"{path}/{pointer(name)}")
        ]
    if isinstance(detail, list):
        nested = [(index, inner) for index, inner in enumerate(detail) if isinstance(inner, dict | list) and inner]
        if nested:
            return [pair for index, inner in nested for pair in _flat(inner, f"{path}/{index}")]
        return [(path, str(detail[0]))] if detail else []
    return [(path, str(detail))]
