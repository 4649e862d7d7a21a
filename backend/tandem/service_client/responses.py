"""Checks of an answer of the recommendation service, before anything here uses it."""

from typing import Any

from pydantic import ValidationError

from recommendation_service.domain.answer import Answer
from recommendation_service.domain.request import RecommendationRequest


class BadAnswer(Exception):
    """The service sent something that does not answer the request."""


def checked(body: bytes, request: RecommendationRequest, *, use_case: str, surface: str) -> dict[str, Any]:
    """Return the answer to `request` as a dictionary.

    Raises BadAnswer for a wrong shape, another user or surface, too many or repeated items, and items that were not offered.
    """
    try:
        answer = Answer.model_validate_json(body)
    except ValidationError as error:
        where = ".".join(str(step) for step in error.errors()[0]["loc"]) or "body"
        raise BadAnswer(f"{where} has not the documented shape") from error
    if (answer.use_case, answer.surface, answer.user_id) != (use_case, surface, request.user_id):
        raise BadAnswer("it answers another request")
    ids = {item.item_id for item in answer.recommendations}
    if len(ids) != len(answer.recommendations) or len(ids) > request.limit:
        raise BadAnswer("items are repeated or too many")
    if request.offers is not None and not ids <= {offer.item_id for offer in request.offers}:
        raise BadAnswer("it names items that were not offered")
    return answer.model_dump()
