"""Checks the options of a use-case file against the keyword-only parameters of the code they are for."""

import inspect
from collections.abc import Callable, Iterable, Mapping
from functools import cache
from typing import Any, get_type_hints

from pydantic import BaseModel, ConfigDict, ValidationError, create_model

from recommendation_service.errors import ConfigurationError
from recommendation_service.use_cases.renamed import rename_hint


def checked(
    build: Callable[..., Any], options: Mapping[str, Any], *, place: str, given: tuple[str, ...] = ()
) -> dict[str, Any]:
    """The options, typed as `build` asks for them; parameters that are not keyword-only are the caller's own.

    So are those in `given`, which a file cannot say.

    `place` is where the file says it, such as "startups: surface 'for-developer', router by_count". Raises
    ConfigurationError naming the place, the word and the words allowed.
    """
    model = _model_of(build, given)
    known = sorted(model.model_fields)
    unknown = sorted(set(options) - set(known))
    if unknown:
        hint = rename_hint(unknown[0], known)
        raise ConfigurationError(f"{place} does not know '{unknown[0]}'{hint}; its options are {', '.join(known) or 'none'}")
    try:
        read = model.model_validate(dict(options))
    except ValidationError as error:
        problem = error.errors()[0]
        word = ".".join(str(step) for step in problem["loc"])
        raise ConfigurationError(f"{place}: {word}: {problem['msg']}; its options are {', '.join(known)}") from error
    return {name: getattr(read, name) for name in options}


def check_words(told: Iterable[str], known: Iterable[str], *, place: str) -> None:
    """Raise ConfigurationError naming the place, the first word that is not known, and those that are."""
    words = sorted(known)
    stranger = next((word for word in sorted(told) if word not in words), None)
    if stranger is not None:
        hint = rename_hint(stranger, words)
        raise ConfigurationError(f"{place} does not know '{stranger}'{hint}; its words are {', '.join(words)}")


def one_of(kinds: Mapping[str, Any], kind: str, *, place: str) -> Any:
    """What `kind` stands for, or ConfigurationError listing the kinds there are."""
    if kind not in kinds:
        raise ConfigurationError(f"{place} is of kind '{kind}'; there are {', '.join(sorted(kinds))}")
    return kinds[kind]


@cache  # pairs are derived for every request, and making a model takes a millisecond
def _model_of(build: Callable[..., Any], given: tuple[str, ...]) -> type[BaseModel]:
    function = build.__init__ if inspect.isclass(build) else build
    hints = get_type_hints(function)
    fields: dict[str, Any] = {}
    for name, parameter in inspect.signature(function).parameters.items():
        if parameter.kind is inspect.Parameter.KEYWORD_ONLY and name not in given:
            default = ... if parameter.default is inspect.Parameter.empty else parameter.default
            fields[name] = (hints[name], default)
    return create_model("Options", __config__=ConfigDict(extra="forbid", arbitrary_types_allowed=True), **fields)
