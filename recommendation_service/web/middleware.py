"""What every route needs from its app: the live models, the door, and one way to write JSON."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, cast

import orjson
from flask import Response, current_app
from pydantic import BaseModel

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


def json_response(body: BaseModel | Mapping[str, Any], status: int = 200) -> Response:
    """`body` as JSON; a mapping must not contain NaN, which would become null."""
    payload = body.model_dump_json() if isinstance(body, BaseModel) else orjson.dumps(body)
    return Response(payload, status=status, content_type=JSON)
