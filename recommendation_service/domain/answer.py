"""Answers as the service returns them, Django reads them, and both APIs document them."""

from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field

from recommendation_service.domain.ids import MAX_ID_LENGTH
from recommendation_service.domain.request import MAX_LIMIT

Finite = Annotated[float, Field(allow_inf_nan=False)]
Name = Annotated[str, Field(max_length=200)]
Text = Annotated[str, Field(max_length=2000)]
Id = Annotated[str, Field(min_length=1, max_length=MAX_ID_LENGTH)]

SKIP_CODES = (
    "Of an engine: switched_off, not_trained, refused, no_prediction, failed or partial. Of a ranker: timeout, unreachable, "
    "failed or refused. Of the database: unreachable. seen_everything: the user has seen every item, so popular items are "
    "shown again"
)
PARTS = (
    "Engine -> its share of the score; engines about pairs add parts of their own, such as the 0 to 100 of each rule; {} "
    "without explain"
)


class AnswerModel(BaseModel):
    """A part of an answer: strict types, so that nothing is converted; unknown keys of a newer service are ignored."""

    model_config = ConfigDict(strict=True, extra="ignore", frozen=True)


class Skip(AnswerModel):
    """An engine that should have answered and did not: `code` is stable, for programs; `detail` is for people."""

    engine: Name
    code: Name = Field(description=SKIP_CODES)
    detail: Text


class Relaxed(AnswerModel):
    """A rule of the surface that was relaxed, because it would have left too few items."""

    rule: Name = Field(description="Kind of the rule, such as max_per_category")
    detail: Text


class Stage(AnswerModel):
    """What one stage of the pipeline did for this answer, and its duration."""

    name: Name = Field(description="resolve, generate, score, retrieve, a reranker's kind, rules, explain")
    ms: Finite = Field(ge=0)
    detail: Text = ""


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
    user_id: Id | None = Field(description="null: a list without a user")
    method_used: Name = Field(description="Name of the engine that answered")
    degraded: bool = Field(description="True if an engine that should have answered did not; `degradation` gives the reasons")
    degradation: list[Skip]
    model_version: Name
    generated_at: Name = Field(description="ISO 8601, UTC", json_schema_extra={"format": "date-time"})
    interaction_count: int = Field(ge=0)
    probabilities: dict[str, Finite] = Field(
        description="Engine -> probability of having been chosen first; {} without a random choice"
    )
    stages: list[Stage] = Field(description="With explain: how the list was made, and how long each stage took")
    relaxed: list[Relaxed] = Field(default=[], description="Rules that would have left too few items, so they were relaxed")
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
