"""The parser of request bodies."""

from typing import Any

from django.conf import settings
from django.core.exceptions import RequestDataTooBig
from rest_framework.exceptions import ParseError
from rest_framework.parsers import JSONParser

from recommendation_service.core.strict_json import strict_json


class StrictJSONParser(JSONParser):
    """JSON in UTF-8 by the same rules as in the service, of at most DATA_UPLOAD_MAX_MEMORY_SIZE bytes."""

    def parse(self, stream: Any, media_type: str | None = None, parser_context: Any = None) -> Any:
        """Return the parsed body. Raises ParseError, and RequestDataTooBig before it reads more than the limit."""
        limit: int | None = settings.DATA_UPLOAD_MAX_MEMORY_SIZE
        body = stream.read() if limit is None else stream.read(limit + 1)
        if limit is not None and len(body) > limit:
            raise RequestDataTooBig(f"the body is larger than {limit} bytes")
        try:
            return strict_json(body)
        except ValueError as error:
            raise ParseError(str(error)) from error
