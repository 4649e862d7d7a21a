"""Trains the two-tower model from a published export, measures it, and publishes it behind the gate."""

from recommendation_service.core import threads  # first: it pins the thread pools before numpy is imported  # isort: skip

import argparse
import sys
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from recommendation_service.training.command import Workspace, guarded, parse, parser, workspace_of
from recommendation_service.training.parameters import TwoTowerParameters, read_two_tower_config
from recommendation_service.training.runner import add_options, add_search, chosen, run_training
from recommendation_service.use_cases.overrides import with_training
from recommendation_service.wiring import build_engines

STATED = TwoTowerParameters()
KIND = "two_tower"


def main(argv: Sequence[str] | None = None) -> int:
    """Train and publish; 0 done, 1 expected failure, 2 wrong usage.

    What an option says comes before --config, that before the environment, and that before the use-case file.
    """
    command_parser = parser("train_two_tower", __doc__ or "")
    add_options(command_parser, tune=True)
    add_search(command_parser, KIND)
    command_parser.add_argument("--config", type=Path, metavar="FILE", help="YAML such as configs/two_tower.yaml")
    command_parser.add_argument("--dimension", type=int, help=f"length of the vectors (default: {STATED.dimension})")
    command_parser.add_argument("--epochs", type=int, help=f"at most; validation stops it (default: {STATED.epochs})")
    command_parser.add_argument("--batch-size", type=int, help=f"people a step (default: {STATED.batch})")
    command_parser.add_argument("--temperature", type=float, help=f"default: {STATED.temperature}")
    command_parser.add_argument("--learning-rate", type=float, help=f"default: {STATED.learning_rate}")
    options = parse(command_parser, argv)
    sizes, rates = (options.dimension, options.epochs, options.batch_size), (options.temperature, options.learning_rate)
    if any(size is not None and size < 1 for size in sizes) or any(rate is not None and rate <= 0 for rate in rates):
        command_parser.error("dimension, epochs and batch size must be 1 or more, temperature and learning rate above 0")
    return guarded("train_two_tower", lambda: _train(options))


def _train(options: argparse.Namespace) -> int:
    workspace = _with_options(workspace_of(options), options)
    return run_training(workspace, [KIND], chosen(options), build_engines, ensemble=False, dry_run=options.dry_run)


def _with_options(workspace: Workspace, options: argparse.Namespace) -> Workspace:
    """The use cases with what the command line and its file say of training."""
    wanted: dict[str, Any] = read_two_tower_config(options.config) if options.config else {}
    given = {
        "dimension": options.dimension,
        "hidden": options.dimension and 2 * options.dimension,
        "epochs": options.epochs,
        "batch": options.batch_size,
        "temperature": options.temperature,
        "learning_rate": options.learning_rate,
    }
    wanted |= {name: value for name, value in given.items() if value is not None}
    return replace(workspace, use_cases=tuple(with_training(use_case, KIND, wanted) for use_case in workspace.use_cases))


if __name__ == "__main__":
    threads.check()
    sys.exit(main())
