"""What an answer of the recommendation service must look like before anything here believes it."""

from typing import Annotated, Any

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from recommendation_service.domain.ids import MAX_ID_LENGTH
from recommendation_service.domain.query import MAX_LIMIT

Finite = Annotated[float, Field(allow_inf_nan=False)]
Word = Annotated[str, Field(max_length=200)]
Text = Annotated[str, Field(max_length=2000)]
Id = Annotated[str, Field(min_length=1, max_length=MAX_ID_LENGTH)]


class BadAnswer(Exception):
    """The service said something that is not an answer to what was asked."""


class _Strict(BaseModel):
    """Right types only; keys we do not know are left behind."""

    model_config = ConfigDict(strict=True, extra="ignore", frozen=True)


class ServedSkip(_Strict):
    """What should have answered and did not."""

    engine: Word
    code: Word
    detail: Text


class ServedStage(_Strict):
    """What one stage of the pipeline did."""

    name: Word
    ms: Finite
    detail: Text


class ServedItem(_Strict):
    """One item of an answer."""

    item_id: Id
    title: Text
    score: Finite
    position: int
    reasons: list[Text]
    parts: dict[str, Finite]


class Served(_Strict):
    """A whole answer."""

    request_id: Id
    use_case: Word
    surface: Word
    user_id: Id | None
    method_used: Word
    degraded: bool
    degradation: list[ServedSkip]
    model_version: Word
    generated_at: Word
    interaction_count: Annotated[int, Field(ge=0)]
    probabilities: dict[str, Finite] = Field(default_factory=dict)
    stages: list[ServedStage] = Field(default_factory=list)
    recommendations: Annotated[list[ServedItem], Field(max_length=MAX_LIMIT)]


def checked(body: bytes, *, use_case: str, surface: str, user_id: str | None, limit: int) -> dict[str, Any]:
    """The answer as a dict, or BadAnswer: wrong shape, another user's, too long, repeated items, scores not finite."""
    try:
        served = Served.model_validate_json(body)
    except ValidationError as error:
        place = ".".join(str(step) for step in error.errors()[0]["loc"]) or "body"
        raise BadAnswer(f"{place} is not as agreed") from error
    if (served.use_case, served.surface, served.user_id) != (use_case, surface, user_id):
        raise BadAnswer("it answers another question")
    ids = {item.item_id for item in served.recommendations}
    if len(ids) != len(served.recommendations) or len(ids) > limit:
        raise BadAnswer("items are repeated or too many")
    return served.model_dump()
