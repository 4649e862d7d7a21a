"""One interaction as a site, a file or a client sends it."""

import time as clock
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from typing import Annotated, Any
from uuid import UUID, uuid4

from django.utils import timezone
from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    ValidationError,
    ValidationInfo,
    WithJsonSchema,
    field_validator,
    model_validator,
)

from recommendation_service.domain.ids import MAX_KEY_LENGTH, spelled_id
from recommendation_service.errors import InvalidInput
from tandem.identity import spelled_user_id
from tandem.sources import all_sources, source_of, use_case_of
from tandem.use_cases import load, names

EARLIEST = 631_152_000.0  # 1990-01-01: an earlier time has the wrong unit
AHEAD_S = 86_400.0  # a clock may be ahead by this much, or be in another time zone
LARGEST_VALUE = 1e9
LEFT_OUT: Any = object()  # the time of a row that has none
_MESSAGES = {
    "missing": "is required",
    "string_type": "is required, as text",
    "uuid_parsing": "must be a UUID",
    "uuid_type": "must be a UUID",
    "float_type": "must be a finite number, at most 1e9 in size",
    "finite_number": "must be a finite number, at most 1e9 in size",
}


def _spelled(spell: Callable[..., str], raw: str, info: ValidationInfo) -> str:
    try:
        return spell(raw, field=str(info.field_name))
    except InvalidInput as error:
        raise ValueError(next(iter(error.fields.values()), error.message)) from error


def _user_id(raw: str, info: ValidationInfo) -> str:
    return _spelled(spelled_user_id, raw, info)


def _time(raw: Any, info: ValidationInfo) -> datetime | None:
    """Read ISO 8601 (text without a time zone: UTC) or seconds since 1970; None if the sender says that it is unknown.

    A time that is left out is `now` of the context, or with `unknown_times` unknown. A time up to a day ahead becomes now.
    """
    context = info.context or {}
    now: float = context.get("now") or clock.time()
    if raw is None or (raw is LEFT_OUT and context.get("unknown_times")):
        return None
    if raw is LEFT_OUT:
        return datetime.fromtimestamp(now, UTC)
    try:
        time = _parsed_time(raw)
    except (ValueError, TypeError, OverflowError, OSError) as error:
        raise ValueError("must be ISO 8601 such as 2025-03-01T12:00:00Z, or seconds since 1970") from error
    if not EARLIEST <= time.timestamp() <= now + AHEAD_S:
        raise ValueError("must lie between 1990 and now; seconds, not milliseconds, are counted since 1970")
    return min(time, datetime.fromtimestamp(now, UTC))  # a clock that runs ahead must not make the event the newest


def _parsed_time(raw: Any) -> datetime:
    if isinstance(raw, bool):
        raise TypeError
    if isinstance(raw, int | float):
        return datetime.fromtimestamp(raw, UTC)
    if isinstance(raw, datetime):  # of the site's own code, where a time without a zone is in the site's TIME_ZONE
        return (raw if raw.tzinfo else raw.replace(tzinfo=timezone.get_default_timezone())).astimezone(UTC)
    time = datetime.fromisoformat(raw)
    return time.replace(tzinfo=UTC) if time.tzinfo is None else time.astimezone(UTC)


UserId = Annotated[str, AfterValidator(_user_id), Field(max_length=MAX_KEY_LENGTH)]
Time = Annotated[
    datetime | None,
    BeforeValidator(_time),
    WithJsonSchema({"oneOf": [{"type": "string", "format": "date-time"}, {"type": "number"}, {"type": "null"}]}),
]
Value = Annotated[float, Field(strict=True, ge=-LARGEST_VALUE, le=LARGEST_VALUE, allow_inf_nan=False)]


class Interaction(BaseModel):
    """An interaction that may be written."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    event_id: UUID | None = Field(None, validate_default=True, description="Sent again with the same id, it counts once")
    user_id: UserId = Field(description="Your own when it is left out")
    catalogue: str
    item_id: str = Field(max_length=MAX_KEY_LENGTH, description="The key of the item, or its id")
    use_case: str | None = Field(None, description="Enough where the use case has one catalogue")
    event: str = Field(max_length=40, description="An event that the use case names, such as like")
    time: Time = Field(
        default_factory=lambda: LEFT_OUT,
        validate_default=True,
        description="ISO 8601, or seconds since 1970; now when it is left out; null: unknown",
    )
    value: Value | None = Field(None, description="Such as the stars of a rating")
    request_id: UUID | None = Field(None, description="Of the list in which the item was shown")

    @model_validator(mode="before")
    @classmethod
    def _only_catalogue(cls, data: Any) -> Any:
        """Add the catalogue, if a use case with one catalogue is named instead."""
        catalogue = catalogue_of(data) if isinstance(data, Mapping) else None
        return data if catalogue is None else {**data, "catalogue": catalogue}

    @field_validator("event_id")
    @classmethod
    def _new_id(cls, event_id: UUID | None) -> UUID:
        return event_id or uuid4()

    @field_validator("catalogue")
    @classmethod
    def _known_catalogue(cls, catalogue: str) -> str:
        if source_of(catalogue) is None:
            raise ValueError(f"is not known here; known are {', '.join(source.catalogue for source in all_sources())}")
        return catalogue

    @field_validator("item_id")
    @classmethod
    def _item_id(cls, item_id: str, info: ValidationInfo) -> str:
        source = source_of(info.data.get("catalogue", ""))
        return _spelled(spelled_id if source is None else source.spelled_item_id, item_id, info)

    @field_validator("use_case")
    @classmethod
    def _use_case_of_catalogue(cls, use_case: str | None, info: ValidationInfo) -> str | None:
        source = source_of(info.data.get("catalogue", ""))
        known = {use_case_of(each) for each in (all_sources() if source is None else [source])}
        if use_case is not None and use_case not in known:
            raise ValueError(f"does not have that catalogue; known are {', '.join(sorted(known))}")
        return use_case

    @field_validator("event")
    @classmethod
    def _known_event(cls, event: str, info: ValidationInfo) -> str:
        source = source_of(info.data.get("catalogue", ""))
        if source is None or use_case_of(source) not in names():
            return event
        known = load(use_case_of(source)).events
        lower = event if event in known else event.lower()  # some sites write CART_ADD
        if lower not in known:
            raise ValueError(f"is not an event of {use_case_of(source)}; those are {', '.join(known)}")
        return lower


def clean_row(raw: Any, *, now: float | None = None, unknown_times: bool = False) -> Interaction | list[dict[str, str]]:
    """Return the interaction, or every problem of it as {"pointer", "detail"}; `now` is seconds since 1970 UTC.

    A row without the key `time` happened now, or with `unknown_times` at an unknown time.
    """
    if not isinstance(raw, Mapping):
        return [{"pointer": "", "detail": "must be an object"}]
    try:
        return Interaction.model_validate(raw, context={"now": now, "unknown_times": unknown_times})
    except ValidationError as error:
        return [_problem(entry) for entry in error.errors(include_url=False, include_input=False)]


def catalogue_of(raw: Mapping[str, Any]) -> str | None:
    """Return the catalogue that a row names, or the only one of the use case that it names; else None."""
    catalogue = raw.get("catalogue")
    if catalogue is not None:
        return catalogue if isinstance(catalogue, str) else None
    owned = [source.catalogue for source in all_sources() if use_case_of(source) == raw.get("use_case")]
    return owned[0] if len(owned) == 1 else None


def _problem(error: Any) -> dict[str, str]:
    name = "".join(letter if letter.isprintable() else "?" for letter in str(error["loc"][0])[:64])
    message = _MESSAGES.get(error["type"], error["msg"].removeprefix("Value error, "))
    if error["type"] == "missing" and name == "catalogue":
        message = f"name the catalogue, one of {', '.join(source.catalogue for source in all_sources())}"
    if error["type"] == "extra_forbidden":
        message = f"is not known; known are {', '.join(Interaction.model_fields)}"
    return {"pointer": f"/{name.replace('~', '~0').replace('/', '~1')}", "detail": message}
