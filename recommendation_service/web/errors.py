"""Every failure as RFC 9457 problem+json, with the fix and without internals."""

import logging
from http import HTTPStatus
from typing import Any

import orjson
from flask import Flask, Response, g, request
from werkzeug.exceptions import BadRequest, HTTPException

from recommendation_service.errors import TandemError, Unauthenticated

PROBLEM_JSON = "application/problem+json"

log = logging.getLogger(__name__)

OUTSIDE = {  # errors of requests that reach no route: status -> code and detail
    HTTPStatus.BAD_REQUEST: ("bad_request", "the body is not JSON, or the request cannot be understood"),
    HTTPStatus.NOT_FOUND: ("not_found", "no such path; /openapi.json lists them"),
    HTTPStatus.METHOD_NOT_ALLOWED: ("method_not_allowed", "this path does not support that method; see the Allow header"),
    HTTPStatus.REQUEST_ENTITY_TOO_LARGE: (
        "body_too_large",
        "the body is larger than 256 kB, or than 1 MB on a surface about a context",
    ),
    HTTPStatus.UNSUPPORTED_MEDIA_TYPE: ("unsupported_media_type", "send Content-Type: application/json"),
}


def problem(
    status: int,
    code: str,
    detail: str,
    *,
    fields: dict[str, str] | None = None,
    headers: dict[str, str] | None = None,
) -> Response:
    """Return a problem+json response; `fields` is JSON pointer -> what is wrong with the field."""
    body: dict[str, Any] = {
        "type": f"urn:tandem:error:{code}",
        "title": HTTPStatus(status).phrase,
        "status": status,
        "detail": detail,
        "instance": request.path,
        "code": code,
        "request_id": g.get("request_id", ""),
        "errors": [{"pointer": pointer, "detail": reason} for pointer, reason in (fields or {}).items()],
    }
    response = Response(orjson.dumps(body, option=orjson.OPT_NON_STR_KEYS), status=status, content_type=PROBLEM_JSON)
    response.headers.extend(headers or {})
    return response


def install(app: Flask) -> None:
    """Answer every failure of `app` with a problem."""
    app.register_error_handler(TandemError, _expected)
    app.register_error_handler(HTTPException, _http)
    app.register_error_handler(Exception, _unexpected)


def _expected(error: TandemError) -> Response:
    headers = {}
    if isinstance(error, Unauthenticated):
        headers["WWW-Authenticate"] = 'Bearer realm="recommendation_service"'
    if error.status == HTTPStatus.SERVICE_UNAVAILABLE:
        headers["Retry-After"] = "5"
    if error.status == HTTPStatus.INTERNAL_SERVER_ERROR:
        log.error("request failed: %s", error.message, exc_info=error)
        return problem(error.status, error.code, "the service is not set up for this; see its log")
    return problem(error.status, error.code, error.message, fields=error.fields, headers=headers)


def _http(error: HTTPException) -> Response:
    status = HTTPStatus(error.code or HTTPStatus.INTERNAL_SERVER_ERROR)
    headers = {name: value for name, value in error.get_headers() if name in ("Allow", "Location", "Retry-After")}
    code, detail = OUTSIDE.get(status, (status.phrase.lower().replace(" ", "_"), status.phrase))
    if type(error) is BadRequest and error.description != BadRequest.description:
        detail = error.description or detail  # what is wrong with the body, said by payloads.py
    return problem(status, code, detail, headers=headers)


def _unexpected(error: Exception) -> Response:
    log.error("request failed unexpectedly", exc_info=error)
    return problem(HTTPStatus.INTERNAL_SERVER_ERROR, "internal_error", "unexpected error; see the log of the service")
