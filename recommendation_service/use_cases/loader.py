"""Reads use-case files. Errors name the file, the key and the allowed values."""

import os
import tomllib
from collections.abc import Sequence
from functools import cache
from pathlib import Path

from pydantic import ValidationError

from recommendation_service.errors import ConfigurationError
from recommendation_service.use_cases.options import rename_hint
from recommendation_service.use_cases.schema import UseCase

PACKAGED = Path(__file__).parent


def folder() -> Path:
    """Return the folder of the use-case files: RS_USE_CASES_DIR, else that of this package. Django and the service share it."""
    return Path(os.environ.get("RS_USE_CASES_DIR") or PACKAGED)


def load_file(path: Path) -> UseCase:
    """Return one use case from one TOML file. Raises ConfigurationError with the fix."""
    try:
        raw = tomllib.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        known = ", ".join(names(path.parent))
        raise ConfigurationError(f"{path.name}: cannot be read ({error.strerror}); use cases here: {known}") from error
    except tomllib.TOMLDecodeError as error:
        raise ConfigurationError(f"{path.name}: not valid TOML: {error}") from error
    try:
        use_case = UseCase.model_validate(raw)
    except ValidationError as error:
        raise ConfigurationError(f"{path.name}: {_first(error)}") from error
    if use_case.name != path.stem:
        raise ConfigurationError(f"{path.name}: name is '{use_case.name}'; rename the file or the use case so they agree")
    return use_case


_load = cache(load_file)


def load(name: str, where: Path | None = None) -> UseCase:
    """Return a use case of `where` (default: `folder()`), read once per process. Raises ConfigurationError with the fix."""
    return _load((where or folder()) / f"{name}.toml")


def names(where: Path | None = None) -> Sequence[str]:
    """Return the names of all use cases that have a file in `where` (default: `folder()`), sorted."""
    return sorted(path.stem for path in (where or folder()).glob("*.toml"))


def load_all() -> dict[str, UseCase]:
    """Return every use case of `folder()`, by name."""
    return {name: load(name) for name in names()}


def _first(error: ValidationError) -> str:
    problems = error.errors()
    unknown_keys = [item for item in problems if item["type"] == "extra_forbidden"]
    problem = (unknown_keys or problems)[0]  # a misspelt key also leaves a required one missing
    where = ".".join(str(step) for step in problem["loc"])
    message = problem["msg"].removeprefix("Value error, ")
    if problem["type"] == "extra_forbidden":
        message = f"unknown key{rename_hint(str(problem['loc'][-1]))}"
    return f"{where}: {message}" if where else message
