"""The answer to a request, as JSON carries it: the service returns it, Django reads it, and both document it."""

from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field

from recommendation_service.domain.ids import MAX_ID_LENGTH
from recommendation_service.domain.query import MAX_LIMIT

Finite = Annotated[float, Field(allow_inf_nan=False)]
Name = Annotated[str, Field(max_length=200)]
Text = Annotated[str, Field(max_length=2000)]
Id = Annotated[str, Field(min_length=1, max_length=MAX_ID_LENGTH)]

SKIP_CODES = (
    "Of an engine: switched_off, not_trained, refused, no_prediction, failed or partial. Of a ranker: timeout, unreachable, "
    "failed or refused. seen_everything: nothing unseen was left, so popular items come again"
)
PARTS = (
    "Engine -> its share of the score, and beside them what an engine about pairs tells of its own, such as each rule's 0 to"
    " 100; {} without explain"
)


class AnswerModel(BaseModel):
    """Strict types, so that nothing is converted; unknown keys are ignored, so that a newer service can add some."""

    model_config = ConfigDict(strict=True, extra="ignore", frozen=True)


class AnswerSkip(AnswerModel):
    """An engine that should have answered and did not."""

    engine: Name
    code: Name = Field(description=SKIP_CODES)
    detail: Text


class AnswerStage(AnswerModel):
    """What one stage of the pipeline did."""

    name: Name = Field(description="resolve, retrieve, a reranker's kind, rules, explain")
    ms: Finite = Field(ge=0)
    detail: Text


class AnswerItem(AnswerModel):
    """One shown item."""

    item_id: Id
    title: Text
    score: Finite = Field(description="Descending; comparable within one answer only")
    position: int = Field(ge=1)
    reasons: list[Text]
    parts: dict[str, Finite] = Field(description=PARTS)


class Answer(AnswerModel):
    """One list of recommendations."""

    request_id: Id
    use_case: Name
    surface: Name
    user_id: Id | None = Field(description="null: for no particular user")
    method_used: Name = Field(description="Name of the engine that answered")
    degraded: bool = Field(description="True when an engine that should have answered did not; `degradation` says why")
    degradation: list[AnswerSkip]
    model_version: Name
    generated_at: Name = Field(description="ISO 8601, UTC", json_schema_extra={"format": "date-time"})
    interaction_count: int = Field(ge=0)
    probabilities: dict[str, Finite] = Field(
        description="Engine -> probability of having been chosen first; {} without a random choice"
    )
    stages: list[AnswerStage] = Field(description="With explain: how the list was made, and how long each stage took")
    recommendations: list[AnswerItem] = Field(max_length=MAX_LIMIT)


class EstimatedRange(AnswerModel):
    """The estimate for one offer: minimum <= optimal <= maximum."""

    item_id: Id
    minimum: Finite = Field(gt=0)
    optimal: Finite = Field(gt=0)
    maximum: Finite = Field(gt=0)


class EstimatesAnswer(AnswerModel):
    """The estimates, in the order of the offers."""

    request_id: Id
    use_case: Name
    estimator: Name
    model_version: Name
    estimates: list[EstimatedRange]
