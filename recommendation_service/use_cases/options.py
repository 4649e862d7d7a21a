"""Checks options of a use-case file against the keyword-only parameters of the code that takes them."""

import inspect
from collections.abc import Callable, Collection, Iterable, Mapping
from functools import cache
from typing import Any, get_type_hints

from pydantic import BaseModel, ConfigDict, ValidationError, create_model

from recommendation_service.errors import ConfigurationError

# keys of older use-case files -> the names that replaced them
RENAMED_KEYS = {
    "newcomers": "cold_start_engine",
    "may_be_silent": "optional_members",
    "at_least": "min_members",
    "also_learn": "learnable_members",
    "generate": "candidate_generators",
    "count_hits": "track_cache_hits",
    "pairing": "pairs",
    "first": "left",
    "second": "right",
    "persons": "owner_column",
    "embedded": "embedding_columns",
    "minus": "offset",
    "over": "scale",
    "log": "log1p",
    "says": "reason_template",
    "here": "from_columns",
    "there": "to_columns",
}


def rename_hint(key: str, allowed: Collection[str] | None = None) -> str:
    """Return "; use 'NEW'" if `key` has been renamed to one of the allowed keys (None: any), else "" ."""
    new = RENAMED_KEYS.get(key)
    return f"; use '{new}'" if new is not None and (allowed is None or new in allowed) else ""


def checked(
    build: Callable[..., Any], options: Mapping[str, Any], *, where: str, given: tuple[str, ...] = ()
) -> dict[str, Any]:
    """Return the options, converted to the types of `build`'s keyword-only parameters.

    The caller passes the parameters in `given` itself, so a file cannot set them. `where` names the part of the file, such
    as "startups: surface 'for-developer', router by_count". Raises ConfigurationError with the key and the allowed keys.
    """
    model = _model_of(build, given)
    allowed = sorted(model.model_fields)
    unknown = sorted(set(options) - set(allowed))
    if unknown:
        hint = rename_hint(unknown[0], allowed)
        raise ConfigurationError(f"{where} does not know '{unknown[0]}'{hint}; its options are {', '.join(allowed) or 'none'}")
    try:
        values = model.model_validate(dict(options))
    except ValidationError as error:
        problem = error.errors()[0]
        key = ".".join(str(step) for step in problem["loc"])
        raise ConfigurationError(f"{where}: {key}: {problem['msg']}; its options are {', '.join(allowed)}") from error
    return {name: getattr(values, name) for name in options}


def check_keys(keys: Iterable[str], allowed: Iterable[str], *, where: str) -> None:
    """Raise ConfigurationError for the first key that is not allowed; the message lists those that are."""
    known = sorted(allowed)
    unknown = next((key for key in sorted(keys) if key not in known), None)
    if unknown is not None:
        hint = rename_hint(unknown, known)
        raise ConfigurationError(f"{where} does not know '{unknown}'{hint}; its keys are {', '.join(known)}")


def find_kind(kinds: Mapping[str, Any], kind: str, *, where: str) -> Any:
    """Return the entry of `kind`. Raises ConfigurationError that lists the kinds."""
    if kind not in kinds:
        raise ConfigurationError(f"{where} is of kind '{kind}'; there are {', '.join(sorted(kinds))}")
    return kinds[kind]


@cache  # pairs are derived in every request, and creating a model takes a millisecond
def _model_of(build: Callable[..., Any], given: tuple[str, ...]) -> type[BaseModel]:
    function = build.__init__ if inspect.isclass(build) else build
    hints = get_type_hints(function)
    fields: dict[str, Any] = {}
    for name, parameter in inspect.signature(function).parameters.items():
        if parameter.kind is inspect.Parameter.KEYWORD_ONLY and name not in given:
            default = ... if parameter.default is inspect.Parameter.empty else parameter.default
            fields[name] = (hints[name], default)
    return create_model("Options", __config__=ConfigDict(extra="forbid", arbitrary_types_allowed=True), **fields)
