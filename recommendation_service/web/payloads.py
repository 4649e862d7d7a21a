"""JSON bodies of requests and responses."""

from collections.abc import Mapping
from typing import Any, TypeVar

import orjson
from flask import Response, request
from pydantic import BaseModel, ValidationError
from werkzeug.exceptions import BadRequest, UnsupportedMediaType

from recommendation_service.core.strict_json import strict_json
from recommendation_service.domain.request import invalid_input, pointer_step
from recommendation_service.errors import InvalidInput

JSON = "application/json"
Model = TypeVar("Model", bound=BaseModel)


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
        strict_json(body)  # pydantic's own parser accepts NaN, infinity and a key twice
        orjson.loads(body)  # refuses lone surrogates
    except ValueError as error:
        raise BadRequest(str(error)) from error
    try:
        return model.model_validate_json(body)
    except ValidationError as error:
        raise invalid_input(error) from error
