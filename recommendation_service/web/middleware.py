"""Shared by all routes: the parts of the application, request ids, metrics and headers."""

import uuid
from dataclasses import dataclass
from time import perf_counter
from typing import cast

from flask import Flask, Response, current_app, g, request

from recommendation_service.services.serving import ServingState
from recommendation_service.web import metrics
from recommendation_service.web.auth import Authenticator

EXTENSION = "tandem"


@dataclass(frozen=True, slots=True)
class Context:
    """What `create_app` provides to the routes."""

    live: ServingState
    authenticator: Authenticator


def context() -> Context:
    """Return the parts of this application."""
    return cast(Context, current_app.extensions[EXTENSION])


HEADERS = {"Cache-Control": "private, no-store", "X-Content-Type-Options": "nosniff"}


def install(app: Flask, live: ServingState, reload_seconds: float) -> None:
    """Add request ids, metrics and headers to `app`; the first request of a forked process starts its model watch."""

    def begin() -> None:
        live.watch(reload_seconds)  # threads do not survive a fork; once started this is one comparison
        g.started = perf_counter()
        g.request_id = str(uuid.uuid4())

    def finish(response: Response) -> Response:
        response.headers.extend(HEADERS)
        response.headers["X-Request-ID"] = g.get("request_id", "")
        if "state" in g:
            response.headers["X-Serving-State"] = g.state
        route = request.url_rule.rule if request.url_rule else "none"
        metrics.REQUESTS.labels(route, str(response.status_code)).inc()
        metrics.SECONDS.labels(route).observe(perf_counter() - g.get("started", perf_counter()))
        return response

    app.before_request(begin)
    app.after_request(finish)
