"""Shared by the commands that measure pairs: options and input table."""

import argparse
from collections.abc import Sequence
from pathlib import Path

from recommendation_service.datasets.pair_outcomes import Matches
from recommendation_service.datasets.reader import Dataset
from recommendation_service.errors import DatasetError
from recommendation_service.training.command import Workspace, parse, parser
from recommendation_service.use_cases.schema import PairConfig


def held_out_options(program: str, purpose: str, argv: Sequence[str] | None) -> argparse.Namespace:
    """Parse the use case and the share of held-out jobs. Exits with 2 for wrong usage."""
    command_parser = parser(program, purpose, use_cases="which one; it must be named")
    command_parser.add_argument(
        "--held-out", type=float, default=0.2, metavar="SHARE", help="the newest share of jobs (default: 0.2)"
    )
    command_parser.add_argument("--seed", type=int, default=42, help="default: 42")
    command_parser.add_argument("--json", type=Path, metavar="FILE", help="also write the figures as JSON")
    options = parse(command_parser, argv)
    if len(options.use_case) != 1 or not 0 < options.held_out < 1:
        command_parser.error("name one use case (--use-case cleaning), and a share between 0 and 1")
    return options


def read_pairs(workspace: Workspace, pair_config: PairConfig) -> tuple[Dataset, Matches]:
    """Return the export and its table of pairs. Raises DatasetError if it has none."""
    dataset = Dataset.open(workspace.data_dir, pair_config.right)
    matches = dataset.matches()
    if matches is None:
        raise DatasetError(f"{dataset.version} has no matches; export again: manage.py generate_all_datasets")
    return dataset, matches
