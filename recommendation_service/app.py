"""Makes the Flask application: create_app(settings). For gunicorn: recommendation_service.app:create_app()."""

import sys
from pathlib import Path

if __name__ == "__main__" and not __package__:  # `python app.py` from inside this folder
    sys.path[0] = str(Path(__file__).resolve().parents[1])

from recommendation_service.core import threads  # isort: skip  # first: it must come before numpy

from apiflask import APIFlask

from recommendation_service.errors import TandemError
from recommendation_service.services.serving import announce
from recommendation_service.settings import Settings, load_settings
from recommendation_service.web import (
    errors,
    estimates,
    log_output,
    metrics,
    middleware,
    models,
    openapi,
    recommendations,
    status,
)
from recommendation_service.web.auth import Authenticator
from recommendation_service.web.middleware import EXTENSION, Context
from recommendation_service.wiring import Observers, build_live

MAX_BODY_BYTES = 256_000


def create_app(settings: Settings | None = None) -> APIFlask:
    """Return the application with its models loaded. Raises ConfigurationError if these settings do not allow a start."""
    settings = settings or load_settings()
    threads.check()
    authenticator = Authenticator(settings)
    log_output.start_logging(settings)
    live = build_live(settings, Observers(metrics.count_refused, metrics.SWAPS.inc, metrics.HISTORY_FAILURES.inc))
    announce(live)
    app = APIFlask(
        "recommendation_service",
        title="Tandem recommendation service",
        version=openapi.VERSION,
        json_errors=False,
        spec_path=None,
        docs_path=None,
        static_folder=None,  # type: ignore[arg-type]  # Flask takes None for no such route; APIFlask's hint forgets it
    )
    app.config.update(MAX_CONTENT_LENGTH=MAX_BODY_BYTES)
    app.extensions[EXTENSION] = Context(live, authenticator)
    errors.install(app)
    openapi.install(app)
    for part in (recommendations, estimates, models, status):
        app.register_blueprint(part.blueprint)
    middleware.install(app, live, settings.reload_seconds)
    live.watch(settings.reload_seconds)
    return app


def __getattr__(name: str) -> APIFlask:
    """Return `app`, for servers that import a name instead of a factory. It is made at its first use."""
    if name != "app":
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    made = globals()["app"] = create_app()
    return made


def main() -> int:
    """Serve with Flask's own server, for development only. Return 1 if the settings do not allow a start."""
    try:
        settings = load_settings()
        app = create_app(settings)
    except TandemError as error:
        sys.stderr.write(f"error: {error.message}\n")
        return 1
    app.run(settings.host, settings.port, threaded=True, use_reloader=False)
    return 0


if __name__ == "__main__":
    sys.exit(main())
