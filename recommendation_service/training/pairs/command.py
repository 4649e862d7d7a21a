"""What the commands that measure pairs share: their options, and the table they read."""

import argparse
from collections.abc import Sequence
from pathlib import Path

from recommendation_service.datasets.pair_outcomes import Matches
from recommendation_service.datasets.reader import Dataset
from recommendation_service.errors import DatasetError
from recommendation_service.training.command import Place, parse, parser
from recommendation_service.use_cases.schema import Pairing


def held_out_options(program: str, purpose: str, argv: Sequence[str] | None) -> argparse.Namespace:
    """One use case, and which share of its jobs is held out. Ends the program with 2 for wrong usage."""
    found = parser(program, purpose, use_cases="which one; it must be named")
    found.add_argument("--held-out", type=float, default=0.2, metavar="SHARE", help="the newest share of jobs (default: 0.2)")
    found.add_argument("--seed", type=int, default=42, help="default: 42")
    found.add_argument("--json", type=Path, metavar="FILE", help="also write the figures as JSON")
    options = parse(found, argv)
    if len(options.use_case) != 1 or not 0 < options.held_out < 1:
        found.error("name one use case (--use-case cleaning), and a share between 0 and 1")
    return options


def read_pairs(place: Place, pairing: Pairing) -> tuple[Dataset, Matches]:
    """The export that holds the table of pairs, and the table. Raises DatasetError where there is none."""
    dataset = Dataset.open(place.data_dir, pairing.second)
    matches = dataset.matches()
    if matches is None:
        raise DatasetError(f"{dataset.version} has no matches; export again: manage.py generate_all_datasets")
    return dataset, matches
