"""What the training commands share: their options, and how an expected failure ends them."""

import argparse
import logging
import os
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from recommendation_service.errors import TandemError
from recommendation_service.settings import load_settings
from recommendation_service.use_cases.loader import load_file, names
from recommendation_service.use_cases.overrides import apply_training_overrides
from recommendation_service.use_cases.schema import UseCase

DONE, FAILED, STOPPED = 0, 1, 130  # 130: what shells expect of a program that Ctrl-C ended
log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Workspace:
    """Where exports are read and models are written, and the use cases this run is about."""

    data_dir: Path
    models_dir: Path
    use_cases: tuple[UseCase, ...]
    named: bool = False  # the use cases were asked for by name, so each must have an export


def parser(
    program: str, purpose: str, *, use_cases: str = "repeatable; default: all with an export"
) -> argparse.ArgumentParser:
    """A parser with the options every command knows; `use_cases` is what its help says of --use-case."""
    name = program if " " in program else f"python -m recommendation_service.{program}"
    command_parser = argparse.ArgumentParser(prog=name, description=purpose)
    command_parser.add_argument("--use-case", action="append", default=[], metavar="NAME", help=use_cases)
    command_parser.add_argument("--data-dir", type=Path, help="where exports are read (default: RS_DATA_DIR)")
    command_parser.add_argument("--models-dir", type=Path, help="where models are published (default: RS_MODELS_DIR)")
    return command_parser


def workspace_of(options: argparse.Namespace) -> Workspace:
    """Folders and use cases from the options, else from the environment. Raises ConfigurationError."""
    settings = load_settings()
    folder = settings.use_cases_dir
    wanted = options.use_case or [name for name in settings.use_cases.split(",") if name] or list(names(folder))
    cases = tuple(apply_training_overrides(load_file(folder / f"{name.strip()}.toml"), settings) for name in wanted)
    folders = options.data_dir or settings.data_dir, options.models_dir or settings.models_dir
    return Workspace(*folders, cases, named=bool(options.use_case))


def guarded(program: str, work: Callable[[], int]) -> int:
    """Run a command's work: 0 done, 1 expected failure said in one line on stderr. Wrong usage (2) is argparse's."""
    logging.basicConfig(level=os.environ.get("RS_LOG_LEVEL") or "INFO", format="%(message)s", stream=sys.stderr)
    try:
        return work()
    except TandemError as error:
        sys.stderr.write(f"{program}: {error.message}\n")
        return FAILED


@contextmanager
def quietly() -> Iterator[None]:
    """While inside, answers asked for by a command leave no lines of their own in the log; errors still do."""
    own = logging.getLogger("recommendation_service")
    before = own.level
    own.setLevel(logging.ERROR)
    try:
        yield
    finally:
        own.setLevel(before)


def parse(found: argparse.ArgumentParser, argv: Sequence[str] | None) -> argparse.Namespace:
    """Options of a command line; argparse ends the process with 2 on wrong usage."""
    return found.parse_args(None if argv is None else list(argv))
