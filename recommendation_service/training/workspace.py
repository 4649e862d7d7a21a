"""The folders and the use cases that a command works on."""

import logging
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from recommendation_service.settings import load_settings
from recommendation_service.use_cases.loader import load_file, names
from recommendation_service.use_cases.overrides import apply_training_overrides
from recommendation_service.use_cases.schema import UseCase


@dataclass(frozen=True, slots=True)
class Workspace:
    """The folders of exports and models, and the use cases of this run."""

    data_dir: Path
    models_dir: Path
    use_cases: tuple[UseCase, ...]
    named: bool = False  # the use cases were asked for by name, so each must have an export

    @classmethod
    def open(
        cls, use_cases: Sequence[str] | None = None, data_dir: Path | None = None, models_dir: Path | None = None
    ) -> "Workspace":
        """Read the use cases of these names. What is not given comes from the environment. Raises ConfigurationError."""
        settings = load_settings()
        folder = settings.use_cases_dir
        wanted = list(use_cases or ()) or [name for name in settings.use_cases.split(",") if name] or list(names(folder))
        cases = tuple(apply_training_overrides(load_file(folder / f"{name.strip()}.toml"), settings) for name in wanted)
        return cls(data_dir or settings.data_dir, models_dir or settings.models_dir, cases, named=bool(use_cases))


@contextmanager
def quietly() -> Iterator[None]:
    """While inside, log only errors: a command that asks for many lists prints its own results."""
    logger = logging.getLogger("recommendation_service")
    level = logger.level
    logger.setLevel(logging.ERROR)
    try:
        yield
    finally:
        logger.setLevel(level)
