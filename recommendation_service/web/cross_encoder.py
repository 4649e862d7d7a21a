"""The worker's two paths: scores of query-document pairs, and whether it lives. Its model is handed in, ready."""

import threading
import time
from collections.abc import Callable, Sequence
from typing import Annotated

from flask import Flask, Response, jsonify, request
from pydantic import BaseModel, ConfigDict, Field, StringConstraints, ValidationError

from recommendation_service.core.numeric import Floats
from recommendation_service.errors import Unavailable
from recommendation_service.rankers.cross_encoder import AUDIENCE, Pair
from recommendation_service.settings import Settings
from recommendation_service.web import errors
from recommendation_service.web.auth import Authenticator
from recommendation_service.web.request_parsing import invalid, parse_json

MAX_BODY_BYTES = 256_000
MAX_PAIRS = 100
AT_ONCE = 10  # pairs between two looks at the clock; on one thread larger batches are hardly faster
Scorer = Callable[[Sequence[Pair]], Floats]
Text = Annotated[str, StringConstraints(max_length=2_000)]


class PairsIn(BaseModel):
    """What a worker is asked: pairs of query and document, and for how long the answer is of use."""

    model_config = ConfigDict(extra="forbid")

    pairs: list[tuple[Text, Text]] = Field(min_length=1, max_length=MAX_PAIRS)
    budget_ms: float = Field(default=1_000, gt=0, le=60_000)


def create_worker(settings: Settings, score: Scorer, *, model: str) -> Flask:
    """The worker as an application; `model` is the name it tells. Raises ConfigurationError when it would be open."""
    authenticator = Authenticator(settings, audience=AUDIENCE)
    lock = threading.Lock()
    app = Flask("cross_encoder", static_folder=None)
    app.config.update(MAX_CONTENT_LENGTH=MAX_BODY_BYTES)
    errors.install(app)

    @app.post("/scores")
    def scores() -> Response:
        authenticator.principal(request)
        payload = _parsed()
        over = time.monotonic() + payload.budget_ms / 1000
        # who waited longer than the answer is of use is sent away, so that a burst cannot make everybody late
        if not lock.acquire(timeout=payload.budget_ms / 1000):
            raise Unavailable("busy with other pairs; ask again")
        try:
            results = _in_time(score, payload.pairs, over)
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


def _in_time(score: Scorer, pairs: Sequence[Pair], over: float) -> list[float]:
    """All scores, a few pairs at a time. Raises Unavailable once nobody waits for them any more."""
    results: list[float] = []
    for start in range(0, len(pairs), AT_ONCE):
        if time.monotonic() > over:
            raise Unavailable("the time for these pairs is over; ask with fewer pairs or a longer budget")
        results += score(pairs[start : start + AT_ONCE]).tolist()
    return results


def _parsed() -> PairsIn:
    try:
        return PairsIn.model_validate(parse_json(request))
    except ValidationError as error:
        raise invalid(error) from error
