"""Checks of an answer of the recommendation service, before anything here uses it."""

from typing import Any

from pydantic import ValidationError

from recommendation_service.domain.answer import Answer


class BadAnswer(Exception):
    """The service sent something that does not answer the request."""


def checked(body: bytes, *, use_case: str, surface: str, user_id: str | None, limit: int) -> dict[str, Any]:
    """The answer as a dict, or BadAnswer: wrong shape, another user's, too long, repeated items, scores not finite."""
    try:
        answer = Answer.model_validate_json(body)
    except ValidationError as error:
        where = ".".join(str(step) for step in error.errors()[0]["loc"]) or "body"
        raise BadAnswer(f"{where} is not as agreed") from error
    if (answer.use_case, answer.surface, answer.user_id) != (use_case, surface, user_id):
        raise BadAnswer("it answers another question")
    ids = {item.item_id for item in answer.recommendations}
    if len(ids) != len(answer.recommendations) or len(ids) > limit:
        raise BadAnswer("items are repeated or too many")
    return answer.model_dump()
