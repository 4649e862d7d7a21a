"""Shared by all routes: the serving state, JSON in and out, request ids, metrics, headers, and the log."""

import contextlib
import logging
import logging.handlers
import sys
import time
import uuid
from collections.abc import Mapping
from dataclasses import dataclass
from time import perf_counter
from typing import Any, TypeVar, cast

import orjson
from flask import Flask, Response, current_app, g, request
from pydantic import BaseModel, ValidationError
from werkzeug.exceptions import BadRequest, UnsupportedMediaType

from recommendation_service.domain.request import invalid_input, pointer_step
from recommendation_service.errors import InvalidInput
from recommendation_service.services.serving import ServingState
from recommendation_service.settings import Settings
from recommendation_service.web import metrics
from recommendation_service.web.auth import Authenticator

Model = TypeVar("Model", bound=BaseModel)
EXTENSION = "tandem"
JSON = "application/json"


@dataclass(frozen=True, slots=True)
class Context:
    """What `create_app` provides to the routes."""

    live: ServingState
    authenticator: Authenticator


def live() -> ServingState:
    """Return the serving state of this worker."""
    return cast(Context, current_app.extensions[EXTENSION]).live


def authenticator() -> Authenticator:
    """Return the verifier of tokens."""
    return cast(Context, current_app.extensions[EXTENSION]).authenticator


def json_response(body: BaseModel | Mapping[str, Any], status: int = 200) -> Response:
    """Return `body` as JSON; a mapping must not contain NaN, which would become null."""
    payload = body.model_dump_json() if isinstance(body, BaseModel) else orjson.dumps(body)
    return Response(payload, status=status, content_type=JSON)


def parse_body(model: type[Model]) -> Model:
    """Return the JSON body of the request. Raises InvalidInput, which names each wrong field, or 415, 413 and 400."""
    if request.args:
        field = f"/{pointer_step(min(request.args))}"
        raise InvalidInput("send all parameters of a POST in its body, not in the URL", fields={field: "is in the URL"})
    if request.mimetype != JSON:
        raise UnsupportedMediaType
    body = request.get_data(cache=False)
    try:
        orjson.loads(body)  # strict: pydantic's parser accepts NaN and Infinity
        return model.model_validate_json(body)
    except orjson.JSONDecodeError as error:
        raise BadRequest from error
    except ValidationError as error:
        raise invalid_input(error) from error


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


FORMAT = "%(asctime)s [%(levelname)s] %(message)s"
LOGGER = "recommendation_service"


class LogFile(logging.handlers.WatchedFileHandler):
    """Appends lines; reports on stderr the first time that it cannot."""

    _reported = False

    def emit(self, record: logging.LogRecord) -> None:
        """Write one line; a failure loses the line, not the request."""
        try:
            super().emit(record)
        except OSError:
            self.handleError(record)

    def close(self) -> None:
        """Close the file, even if its last lines cannot be written."""
        with contextlib.suppress(OSError):
            super().close()

    def handleError(self, record: logging.LogRecord) -> None:  # noqa: N802  # the name is the base class's
        """Report the first failure only."""
        if not self._reported:
            self._reported = True
            print(f"the log file {self.baseFilename} cannot be written; logging to stderr only", file=sys.stderr)  # noqa: T201  # the log itself failed


class Stderr(logging.Handler):
    """Writes to the current stderr; a closed one loses the line, not the request."""

    def emit(self, record: logging.LogRecord) -> None:
        """Write one line."""
        with contextlib.suppress(OSError, ValueError):
            sys.stderr.write(self.format(record) + "\n")


class Utc(logging.Formatter):
    """Formats times in UTC."""

    converter = staticmethod(time.gmtime)


def start_logging(settings: Settings) -> None:
    """Send this package's log lines to stderr and RS_LOG_FILE; a later call replaces the settings."""
    logger = logging.getLogger(LOGGER)
    for old in list(logger.handlers):
        logger.removeHandler(old)
        old.close()
    logger.setLevel(settings.log_level)
    outlets: list[logging.Handler] = [Stderr()]
    try:
        settings.log_file.parent.mkdir(parents=True, exist_ok=True)
        outlets.append(LogFile(settings.log_file, encoding="utf-8", delay=True))
    except OSError as error:
        print(f"no log file ({error.strerror}); logging to stderr only", file=sys.stderr)  # noqa: T201  # the log itself failed
    for outlet in outlets:
        outlet.setFormatter(Utc(FORMAT, datefmt="%Y-%m-%dT%H:%M:%SZ"))
        logger.addHandler(outlet)
