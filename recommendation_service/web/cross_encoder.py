"""The HTTP API of the cross-encoder worker: scores of query-document pairs, and a probe."""

import threading
import time
from collections.abc import Callable, Sequence
from typing import Annotated

from flask import Flask, Response, jsonify, request
from pydantic import BaseModel, ConfigDict, Field, StringConstraints

from recommendation_service.core.numeric import Floats
from recommendation_service.errors import Unavailable
from recommendation_service.rankers.cross_encoder import AUDIENCE, Pair
from recommendation_service.settings import Settings
from recommendation_service.web import errors
from recommendation_service.web.auth import Authenticator
from recommendation_service.web.payloads import parse_body

MAX_BODY_BYTES = 256_000
MAX_PAIRS = 100
BATCH = 10  # pairs per batch; the clock is checked between batches, and on one thread larger ones are hardly faster
Scorer = Callable[[Sequence[Pair]], Floats]
Text = Annotated[str, StringConstraints(max_length=2_000)]


class PairsIn(BaseModel):
    """Pairs of query and document, and the time within which the scores are useful."""

    model_config = ConfigDict(extra="forbid")

    pairs: list[tuple[Text, Text]] = Field(min_length=1, max_length=MAX_PAIRS)
    budget_ms: float = Field(default=1_000, gt=0, le=60_000)


def create_worker(settings: Settings, score: Scorer, *, model: str) -> Flask:
    """Return the worker's application; `model` is the name in its answers. Raises ConfigurationError without keys."""
    authenticator = Authenticator(settings, audience=AUDIENCE)
    lock = threading.Lock()
    app = Flask("cross_encoder", static_folder=None)
    app.config.update(MAX_CONTENT_LENGTH=MAX_BODY_BYTES)
    errors.install(app)

    @app.post("/scores")
    def scores() -> Response:
        authenticator.principal(request)
        payload = parse_body(PairsIn)
        deadline = time.monotonic() + payload.budget_ms / 1000
        # a request that waited longer than its budget is refused, so that a burst cannot delay all later requests
        if not lock.acquire(timeout=payload.budget_ms / 1000):
            raise Unavailable("the worker is busy with other pairs; send the request again")
        try:
            results = _in_time(score, payload.pairs, deadline)
        finally:
            lock.release()
        return jsonify(scores=results, model=model)

    @app.get("/livez")
    def livez() -> Response:
        return jsonify(status="ok", model=model)

    @app.after_request
    def private(response: Response) -> Response:
        response.headers["Cache-Control"] = "private, no-store"
        response.headers["X-Content-Type-Options"] = "nosniff"
        return response

    return app


def _in_time(score: Scorer, pairs: Sequence[Pair], deadline: float) -> list[float]:
    """Return all scores, computed a few pairs at a time. Raises Unavailable after `deadline`, in monotonic seconds."""
    results: list[float] = []
    for start in range(0, len(pairs), BATCH):
        if time.monotonic() > deadline:
            raise Unavailable("the budget is used up; send fewer pairs or a larger budget_ms")
        results += score(pairs[start : start + BATCH]).tolist()
    return results
