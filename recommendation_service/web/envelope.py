"""What surrounds every request: its id, its figures, and the headers of a private answer."""

import uuid
from time import perf_counter

from flask import Flask, Response, g, request

from recommendation_service.services.serving import Live
from recommendation_service.web import metrics

HEADERS = {"Cache-Control": "private, no-store", "X-Content-Type-Options": "nosniff"}


def install(app: Flask, live: Live, reload_seconds: float) -> None:
    """Wrap every request of `app`; the first one in a forked process starts its model watch."""

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
