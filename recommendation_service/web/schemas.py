"""The request and status schemas of the API (strict); `domain.answer` has the answers. OpenAPI is generated from both."""

from datetime import datetime
from typing import Annotated, Any

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field

from recommendation_service.domain.history import HISTORY_LIMIT
from recommendation_service.domain.ids import MAX_ID_LENGTH, clean_id
from recommendation_service.domain.query import DEFAULT_LIMIT, MAX_LIMIT, MAX_OFFERS
from recommendation_service.errors import InvalidInput

MAX_VALUES = 100  # values of one filter or profile entry
MAX_NAMES = 50  # filters, profile entries
MAX_IDS = 5000  # excluded items
MAX_NUMBERS, MAX_TEXTS = 60, 20  # of one thing
LARGEST = 1e12  # of a number; products of two stay within 32 bits
NAME_PATTERN = r"^[a-z][a-z0-9_]{0,39}$"


def _id(raw: Any) -> Any:
    if not isinstance(raw, str):
        return raw
    try:
        return clean_id(raw)
    except InvalidInput as error:
        raise ValueError(error.message.removeprefix("id ")) from error


OutsideId = Annotated[str, BeforeValidator(_id), Field(min_length=1, max_length=MAX_ID_LENGTH)]
EventName = Annotated[str, Field(pattern=NAME_PATTERN)]
FacetName = Annotated[str, Field(min_length=1, max_length=40)]
FacetValue = Annotated[str, Field(min_length=1, max_length=200)]
FacetValues = Annotated[list[FacetValue], Field(max_length=MAX_VALUES)]
Choices = Annotated[dict[FacetName, FacetValues], Field(max_length=MAX_NAMES)]


class Accepted(BaseModel):
    """A request's part: strict types, no unknown keys."""

    model_config = ConfigDict(extra="forbid", frozen=True, strict=True)


def _timestamp(raw: Any) -> Any:
    """ISO 8601 text with an offset; strict mode would refuse text for a datetime."""
    if not isinstance(raw, str):
        raise ValueError("must be ISO 8601 text such as 2026-01-31T12:00:00Z")
    timestamp = datetime.fromisoformat(raw)
    if timestamp.tzinfo is None:
        raise ValueError("needs an offset such as Z or +00:00")
    return timestamp


class PastEventIn(Accepted):
    """One thing the user did."""

    item_id: OutsideId
    event: EventName
    time: Annotated[datetime, BeforeValidator(_timestamp)] = Field(description="ISO 8601 with an offset")
    value: float | None = Field(default=None, allow_inf_nan=False, description="Such as the stars of a rating")


Numbers = Annotated[
    dict[EventName, Annotated[float, Field(ge=-LARGEST, le=LARGEST, allow_inf_nan=False)]], Field(max_length=MAX_NUMBERS)
]
Texts = Annotated[dict[EventName, Annotated[str, Field(max_length=200)]], Field(max_length=MAX_TEXTS)]


class ThingIn(Accepted):
    """One thing as somebody knows it now; a column that is left out is unknown."""

    id: OutsideId
    numbers: Numbers = Field(default={}, description="Column -> number, such as latitude")
    text_columns: Texts = Field(default={}, description="Column -> text, such as property_type")


class OfferIn(Accepted):
    """One thing that may be recommended, as it is now."""

    item_id: OutsideId
    title: str = Field(default="", max_length=500, description="Comes back in the answer")
    numbers: Numbers = Field(default={}, description="As of a context; columns of the pair, such as bid, too")
    text_columns: Texts = Field(default={}, description="As of a context")


class AskIn(Accepted):
    """A request for recommendations, with what the asker knows of the user."""

    user_id: OutsideId | None = Field(default=None, description="Whose list; null: nobody in particular")
    item_ids: list[OutsideId] = Field(
        default=[], max_length=MAX_IDS, description="Subject of item and basket surfaces; of one about a context, its one id"
    )
    history: list[PastEventIn] | None = Field(
        default=None, max_length=HISTORY_LIMIT, description="Newest first; null: the service looks it up; []: none"
    )
    count: int | None = Field(default=None, ge=0, le=10**12, description="Events that count towards routing")
    profile: Choices | None = Field(default=None, description="What the user says of themselves; null: look it up")
    limit: int = Field(default=DEFAULT_LIMIT, ge=1, le=MAX_LIMIT)
    filters: Choices = Field(default={}, description="Facet -> any of these values")
    exclude: list[OutsideId] = Field(default=[], max_length=MAX_IDS, description="Items that must not be shown")
    explain: bool = Field(default=False, description="Fill `parts`")
    strategy: EventName | None = Field(default=None, description="Engine to put first, of those the surface offers")
    request_id: OutsideId | None = Field(default=None, description="Comes back in the answer; null: made here")
    context: ThingIn | None = Field(
        default=None, description="What the list is for, on a surface about a context; null: the export's, by its id"
    )
    offers: list[OfferIn] | None = Field(
        default=None,
        min_length=1,
        max_length=MAX_OFFERS,
        description="What may be recommended, on a surface about a context; ids must differ; null: the export's items",
    )


class ProblemPart(BaseModel):
    """One wrong input."""

    pointer: str = Field(description="JSON pointer into the body, or /name of a path or query parameter")
    detail: str


class Problem(BaseModel):
    """RFC 9457 problem details."""

    type: str
    title: str
    status: int
    detail: str
    instance: str
    code: str = Field(description="Stable word for programs; docs/reference/errors.md lists them")
    request_id: str
    errors: list[ProblemPart]


class ArmOut(BaseModel):
    """One engine between which a bandit chooses."""

    surface: str
    arm: str
    plays: int = Field(ge=0, description="Lists it made that the bandit has learned from")
    mean_reward: float = Field(ge=0, le=1, description="What one of them brought; 0 before the first")
    probability: float = Field(ge=0, le=1, description="Chance of going first until the next update")


class ModelOut(BaseModel):
    """One published thing as this worker holds it."""

    catalogue: str
    kind: str = Field(description="als, two_tower, content, ensemble, or export")
    version: str | None = Field(description="What serves; null: nothing does")
    created_at: str | None
    problem: str | None = Field(description="Why the published version does not serve; null: it does")
    dimension: int | None = Field(default=None, description="Numbers in an item's vector; null: it has none")
    items: int | None = Field(default=None, description="Items it knows; of an index: that are indexed")
    label: str | None = Field(
        default=None, description="What its owner called it; of an ensemble: which weights serve; null: nothing"
    )
    arms: list[ArmOut] = Field(default=[], description="Of a bandit: what it has learned and with what chances it chooses")


class ModelsOut(BaseModel):
    """All models and exports of this worker."""

    models: list[ModelOut]
    worker: int = Field(description="Process id: each worker reloads by itself")


class ReloadOut(BaseModel):
    """What a reload changed in the worker that got the request."""

    changed: list[str]
    worker: int


class UseCaseHealth(BaseModel):
    """Whether one use case can answer, and with what."""

    use_case: str
    can_answer: bool
    detail: str
    engines: list[str]


class HealthOut(BaseModel):
    """For people: what runs here."""

    status: str = Field(description="ok, degraded or unavailable")
    use_cases: list[UseCaseHealth]
    models: list[ModelOut]


class StateOut(BaseModel):
    """A probe's answer."""

    status: str
    detail: str = ""
    state: str = ""  # changes with every model and export taken up or lost; X-Serving-State of the answers


MAX_OFFERS = 100


class EstimateIn(Accepted):
    """A request for estimates of one thing, such as a job, met by others, such as cleaners."""

    context: ThingIn
    offers: list[OfferIn] = Field(min_length=1, max_length=MAX_OFFERS, description="Ids must differ")
    request_id: OutsideId | None = Field(default=None, description="Comes back in the answer; null: made here")
