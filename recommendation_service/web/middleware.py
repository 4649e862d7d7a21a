"""What every route needs from its app: the live models, the door, and one way to write JSON."""

from dataclasses import dataclass
from typing import Any, cast

import orjson
from flask import Response, current_app

from recommendation_service.services.serving import Live
from recommendation_service.web.auth import Doorkeeper

EXTENSION = "tandem"
JSON = "application/json"


@dataclass(frozen=True, slots=True)
class Context:
    """The parts that `create_app` hands to the routes."""

    live: Live
    doorkeeper: Doorkeeper


def live() -> Live:
    """The models of this worker."""
    return cast(Context, current_app.extensions[EXTENSION]).live


def doorkeeper() -> Doorkeeper:
    """The verifier of tokens."""
    return cast(Context, current_app.extensions[EXTENSION]).doorkeeper


def json_response(body: Any, status: int = 200) -> Response:
    """`body` as JSON; NaN would become null, so nothing that may hold one comes here."""
    return Response(orjson.dumps(body, option=orjson.OPT_SERIALIZE_NUMPY), status=status, content_type=JSON)
