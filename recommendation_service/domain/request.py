"""Requests for recommendations and estimates: Django creates and serialises them, the service parses them.

Every limit on a request is declared here, once. `domain.query.Query` is the same request in catalogue rows.
"""

from typing import Annotated, Any

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, StringConstraints, ValidationError
from pydantic_core import PydanticCustomError

from recommendation_service.domain.history import HISTORY_LIMIT, PastEvent
from recommendation_service.domain.ids import EventName, ExternalId
from recommendation_service.errors import InvalidInput

DEFAULT_LIMIT = 10
MAX_LIMIT = 100
MAX_OFFERS = 500
MAX_ESTIMATES = 100
MAX_VALUES = 100  # values of one filter or profile entry
MAX_NAMES = 50  # filters, profile entries
MAX_VALUE_LENGTH = 200
MAX_IDS = 5000  # excluded items
MAX_NUMBERS, MAX_TEXTS = 60, 20  # columns of a context or an offer
MAX_NUMBER = 1e12  # the product of two fits in float32
REPEATED = "repeated_offer"
KEY_STEP = "[key]"  # pydantic's last step of a location where a key is wrong, not its value

Column = Annotated[float, Field(ge=-MAX_NUMBER, le=MAX_NUMBER, allow_inf_nan=False)]
Text = Annotated[str, StringConstraints(max_length=MAX_VALUE_LENGTH)]
Numbers = Annotated[dict[EventName, Column], Field(max_length=MAX_NUMBERS)]
Texts = Annotated[dict[EventName, Text], Field(max_length=MAX_TEXTS)]
FacetName = Annotated[str, StringConstraints(max_length=40)]
FacetValue = Annotated[str, StringConstraints(min_length=1, max_length=MAX_VALUE_LENGTH)]
FacetValues = Annotated[tuple[FacetValue, ...], Field(max_length=MAX_VALUES)]
Facets = Annotated[dict[FacetName, FacetValues], Field(max_length=MAX_NAMES)]


class RequestModel(BaseModel):
    """A part of a request: strict types, no unknown keys, immutable."""

    model_config = ConfigDict(extra="forbid", frozen=True, strict=True)


class Context(RequestModel):
    """What a list is for, such as a job. A column that is left out is unknown."""

    id: ExternalId
    numbers: Numbers = Field(default={}, description="Column -> number, such as latitude")
    text_columns: Texts = Field(default={}, description="Column -> text, such as property_type")


class Offer(RequestModel):
    """An item that may be recommended, with its columns of today. A column that is left out is unknown."""

    item_id: ExternalId
    title: str = Field(default="", max_length=500, description="Returned in the answer")
    numbers: Numbers = Field(default={}, description="As of a context; also columns of the pair, such as bid")
    text_columns: Texts = Field(default={}, description="As of a context")


def _distinct(offers: tuple[Offer, ...]) -> tuple[Offer, ...]:
    seen: set[str] = set()
    for index, offer in enumerate(offers):
        if offer.item_id in seen:
            raise PydanticCustomError(REPEATED, "is the id of an earlier offer", {"index": index})
        seen.add(offer.item_id)
    return offers


class RecommendationRequest(RequestModel):
    """A request for recommendations, with what the caller knows about the user."""

    user_id: ExternalId | None = Field(default=None, description="null: a list without a user")
    item_ids: tuple[ExternalId, ...] = Field(
        default=(),
        max_length=MAX_IDS,
        description="Subject of item and basket surfaces; the one id of the context on context surfaces",
    )
    history: tuple[PastEvent, ...] | None = Field(
        default=None, max_length=HISTORY_LIMIT, description="Newest first; null: the service reads it; []: no history"
    )
    count: int | None = Field(
        default=None, ge=0, le=10**12, description="Events that count towards routing; null: counted in the history"
    )
    profile: Facets | None = Field(default=None, description="Attributes of the user; null: the service reads them")
    limit: int = Field(default=DEFAULT_LIMIT, ge=1, le=MAX_LIMIT)
    needed: int | None = Field(
        default=None,
        ge=1,
        le=MAX_LIMIT,
        description="Caps of the surface are relaxed if they leave fewer items than this; null: than `limit`",
    )
    filters: Facets = Field(default={}, description="Facet -> any of these values")
    exclude: tuple[ExternalId, ...] = Field(default=(), max_length=MAX_IDS, description="Items that must not be shown")
    explain: bool = Field(default=False, description="Fill `parts` and `stages`")
    strategy: EventName | None = Field(
        default=None, description="Engine to try first, of those the surface offers; null: the router decides"
    )
    request_id: ExternalId | None = Field(default=None, description="Returned in the answer; null: the service creates one")
    context: Context | None = Field(
        default=None, description="What the list is for, on a context surface; null: the service reads it by its id"
    )
    offers: Annotated[tuple[Offer, ...], AfterValidator(_distinct)] | None = Field(
        default=None,
        min_length=1,
        max_length=MAX_OFFERS,
        description="What may be recommended, on a context surface; ids must differ; null: the items of the export",
    )


class EstimateRequest(RequestModel):
    """A request for one estimate per offer, such as a cleaner, for a context, such as a job."""

    context: Context
    offers: Annotated[tuple[Offer, ...], AfterValidator(_distinct)] = Field(
        min_length=1, max_length=MAX_ESTIMATES, description="Ids must differ"
    )
    request_id: ExternalId | None = Field(default=None, description="Returned in the answer; null: the service creates one")


def create_request(**fields: Any) -> RecommendationRequest:
    """Return a request with these fields. Raises InvalidInput, which names each wrong field."""
    try:
        return RecommendationRequest(**fields)
    except ValidationError as error:
        raise invalid_input(error) from error


def invalid_input(error: ValidationError) -> InvalidInput:
    """Return the first 20 errors of pydantic as one InvalidInput, each with the JSON pointer of its field."""
    fields: dict[str, str] = {}
    for issue in error.errors(include_url=False, include_input=False)[:20]:
        steps = [step for step in issue["loc"] if step != KEY_STEP]
        if issue["type"] == REPEATED:
            steps += [issue["ctx"]["index"], "item_id"]
        fields.setdefault("/" + "/".join(pointer_step(str(step)) for step in steps), issue["msg"].removeprefix("Value error, "))
    pointer, detail = next(iter(fields.items()))
    return InvalidInput(f"{pointer.removeprefix('/') or 'body'}: {detail}", fields=fields)


def pointer_step(name: str) -> str:
    """Return one step of a JSON pointer (RFC 6901), at most 64 characters and without control characters."""
    printable = "".join(letter if letter.isprintable() else "?" for letter in name[:64])
    return printable.replace("~", "~0").replace("/", "~1")
