"""Parses an HTTP request strictly; every error names its parameter."""

import time
import unicodedata
from collections.abc import Iterable
from typing import Any

import orjson
from flask import Request
from pydantic import ValidationError
from werkzeug.exceptions import BadRequest, UnsupportedMediaType

from recommendation_service.domain.history import PastEvent
from recommendation_service.domain.ids import clean_id
from recommendation_service.domain.query import DEFAULT_LIMIT, MAX_LIMIT, Ask
from recommendation_service.domain.side import PairItem
from recommendation_service.errors import InvalidInput
from recommendation_service.use_cases.schema import Surface
from recommendation_service.web.schemas import MAX_VALUES, AskIn

TRUTH = {"true": True, "1": True, "false": False, "0": False}
RESERVED = ("limit", "explain", "strategy")
OF_NAME = "[key]"  # pydantic's last step where the name itself is wrong, not what it names


def from_query(request: Request, surface: Surface, subject: str | None) -> AskIn:
    """The Ask of a GET: path subject, limit, explain, and any facet name as a filter."""
    args = request.args.to_dict(flat=False)
    user_id, item_ids = _subject(surface, subject)
    filters = {name: _filter_values(name, values) for name, values in args.items() if name not in RESERVED}
    return AskIn.model_construct(
        user_id=user_id,
        item_ids=item_ids,
        history=None,
        count=None,
        profile=None,
        limit=_limit(args.get("limit")),
        filters=filters,
        exclude=[],
        explain=_truth("explain", args.get("explain")),
        strategy=_strategy(args.get("strategy"), surface),
        request_id=None,
        context=None,
        offers=None,
    )


def from_body(request: Request, surface: Surface, subject: str | None) -> AskIn:
    """The Ask of a POST; a subject in the path must agree with the one in the body."""
    if request.args:
        name = min(request.args)
        raise InvalidInput(f"{name}: a POST takes everything in its body", fields={f"/{name}": "not allowed in the query"})
    body = parse_json(request)
    try:
        payload = AskIn.model_validate(body)
    except ValidationError as error:
        raise invalid(error) from error
    if subject is None:
        return payload
    user_id, item_ids = _subject(surface, subject)
    if (payload.user_id is not None and user_id is not None and payload.user_id != user_id) or (
        payload.item_ids and item_ids and payload.item_ids != item_ids
    ):
        name = "user_id" if user_id is not None else "item_ids"
        raise InvalidInput(f"{name} in the body is not the one in the path", fields={f"/{name}": "differs from the path"})
    return payload.model_copy(update={"user_id": user_id or payload.user_id, "item_ids": item_ids or payload.item_ids})


def to_ask(payload: AskIn, use_case: str, surface: str, *, request_id: str) -> Ask:
    """The same in the words of the domain."""
    history = None
    if payload.history is not None:
        history = tuple(PastEvent(e.item_id, e.event, e.time.timestamp(), e.value) for e in payload.history)
    return Ask(
        use_case=use_case,
        surface=surface,
        now=time.time(),
        user_id=payload.user_id,
        item_ids=tuple(payload.item_ids),
        history=history,
        count=payload.count,
        profile=None if payload.profile is None else {name: tuple(values) for name, values in payload.profile.items()},
        limit=payload.limit,
        filters={name: tuple(values) for name, values in payload.filters.items()},
        exclude=tuple(payload.exclude),
        explain=payload.explain,
        strategy=payload.strategy,
        request_id=request_id,
        context=None
        if payload.context is None
        else PairItem(payload.context.id, payload.context.numbers, payload.context.text_columns),
        offers=None
        if payload.offers is None
        else tuple(PairItem(o.item_id, o.numbers, o.text_columns, o.title) for o in payload.offers),
    )


def check_filters(filters: Iterable[str], allowed: Iterable[str]) -> None:
    """Raise InvalidInput naming the first filter that is no facet of the catalogue."""
    known = sorted(allowed)
    for name in filters:
        if name not in known:
            detail = ", ".join(known) or "none"
            shown = name if name.isidentifier() else "this parameter"
            raise InvalidInput(
                f"unknown parameter {shown!r}; there are limit, explain and the filters {detail}",
                fields={f"/{_pointer(name)}": f"not one of the filters {detail}"},
            )


def parse_json(request: Request) -> Any:
    """The JSON body. Raises 415, 413 or 400; NaN and deep nesting never get further."""
    if request.mimetype != "application/json":
        raise UnsupportedMediaType
    try:
        return orjson.loads(request.get_data(cache=False))  # bounded depth, and no NaN or Infinity
    except orjson.JSONDecodeError as error:
        raise BadRequest from error


def _subject(surface: Surface, subject: str | None) -> tuple[str | None, list[str]]:
    if subject is None:
        return None, []
    if surface.about == "user":
        return clean_id(subject, field="user_id"), []
    return None, [clean_id(subject, field="item_id")]


def _limit(values: list[str] | None) -> int:
    if values is None:
        return DEFAULT_LIMIT
    text = values[0]
    if len(values) == 1 and text.isascii() and text.isdigit() and len(text) <= 3 and 1 <= int(text) <= MAX_LIMIT:
        return int(text)
    raise InvalidInput(
        f"limit must be one whole number from 1 to {MAX_LIMIT}",
        fields={"/limit": f"must be one whole number from 1 to {MAX_LIMIT}"},
    )


def _strategy(values: list[str] | None, surface: Surface) -> str | None:
    if values is None or (len(values) == 1 and values[0] in surface.strategies):
        return values[0] if values else None
    detail = f"must be one of {', '.join(surface.strategies)}" if surface.strategies else "is not offered on this surface"
    raise InvalidInput(f"strategy {detail}", fields={"/strategy": detail})


def _truth(name: str, values: list[str] | None) -> bool:
    if values is None:
        return False
    if len(values) == 1 and values[0] in TRUTH:
        return TRUTH[values[0]]
    raise InvalidInput(f"{name} must be true or false, once", fields={f"/{name}": "must be true or false, once"})


def _filter_values(name: str, values: list[str]) -> list[str]:
    if len(values) > MAX_VALUES or any(not 1 <= len(value) <= 200 for value in values):
        detail = f"takes 1 to {MAX_VALUES} values of 1 to 200 characters"
        raise InvalidInput(f"a filter {detail}", fields={f"/{_pointer(name)}": detail})
    return [unicodedata.normalize("NFC", value) for value in values]


def invalid(error: ValidationError) -> InvalidInput:
    """What pydantic found wrong, each place as a JSON pointer."""
    fields: dict[str, str] = {}
    for issue in error.errors(include_url=False, include_context=False, include_input=False)[:20]:
        pointer = "/" + "/".join(_pointer(str(step)) for step in issue["loc"] if step != OF_NAME)
        fields.setdefault(pointer, issue["msg"].removeprefix("Value error, "))
    pointer, detail = next(iter(fields.items()))
    return InvalidInput(f"{pointer.removeprefix('/') or 'body'}: {detail}", fields=fields)


def _pointer(step: str) -> str:
    """One step of a JSON pointer (RFC 6901), bounded and free of control characters."""
    plain = "".join(letter if letter.isprintable() else "?" for letter in step[:64])
    return plain.replace("~", "~0").replace("/", "~1")
