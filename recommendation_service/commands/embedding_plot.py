"""Draws the item vectors of a published model in two dimensions, coloured by category, and tells how well they sort."""

from recommendation_service.core import threads  # first: it pins the thread pools before numpy is imported  # isort: skip

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from recommendation_service.datasets.reader import Dataset
from recommendation_service.errors import ArtifactRefused, ConfigurationError
from recommendation_service.kinds import names_where
from recommendation_service.publishing.store import Artifact, ArtifactStore
from recommendation_service.training.command import DONE, Workspace, guarded, parse, parser, workspace_of
from recommendation_service.training.models.embedding_map import (
    draw,
    groups_of,
    plot_positions,
    same_neighbour_share,
    vectors_of,
)
from recommendation_service.training.report import Report

KINDS = names_where(vectors=True)[::-1]  # the first published one is drawn
MOST_ITEMS = 5_000  # t-SNE of more takes minutes, and the dots hide each other
SUFFIXES = (".svg", ".png")


def main(argv: Sequence[str] | None = None) -> int:
    """Write the picture; 0 done, 1 expected failure, 2 wrong usage."""
    command_parser = parser("embedding_map", __doc__ or "", use_cases="which one; it must be named")
    command_parser.add_argument("--kind", choices=KINDS, help=f"default: the first published of {', '.join(KINDS)}")
    command_parser.add_argument("--output", type=Path, required=True, metavar="FILE", help="picture to write, .svg or .png")
    command_parser.add_argument("--seed", type=int, default=42, help="default: 42")
    options = parse(command_parser, argv)
    if len(options.use_case) != 1 or options.output.suffix not in SUFFIXES:
        command_parser.error("name one use case (--use-case posts), and an output that ends in .svg or .png")
    return guarded("embedding_map", lambda: _draw(options))


def _draw(options: argparse.Namespace) -> int:
    workspace, report = workspace_of(options), Report()
    use_case = workspace.use_cases[0]
    model = _published(workspace, use_case.catalogues[0], options.kind)
    catalogue = Dataset.open(workspace.data_dir, use_case.catalogues[0]).catalogue()
    vectors, ids = vectors_of(model), [item_id.decode() for item_id in model.arrays["item_ids"].tolist()]
    selected = np.linspace(0, len(ids) - 1, min(len(ids), MOST_ITEMS)).astype(np.int64)
    names, groups = groups_of(catalogue, [ids[row] for row in selected])
    title = f"{use_case.title or use_case.name}: {len(selected):,} items of {model.version}"
    try:
        draw(options.output, plot_positions(vectors[selected], seed=options.seed), names, groups, title=title)
    except OSError as error:
        raise ConfigurationError(f"cannot write {options.output.name}: {error.strerror}; choose another --output") from error
    report.line(f"{options.output.name}: {len(selected):,} of {len(ids):,} items of {model.version}, {len(names)} categories")
    if (groups >= 0).sum() > 1:
        share, chance = same_neighbour_share(vectors[selected], groups)
        report.line(f"{share:.0%} of an item's 5 nearest are of its own category; chance would give {chance:.0%}")
    report.line(f"next: python -m recommendation_service.commands.evaluate_lists --use-case {use_case.name}")
    return DONE


def _published(workspace: Workspace, catalogue: str, kind: str | None) -> Artifact:
    store = ArtifactStore(workspace.models_dir / catalogue)
    for wanted in [kind] if kind else KINDS:
        command_parser = store.load(wanted)
        if command_parser is not None:
            return command_parser
    raise ArtifactRefused(
        f"{catalogue}: no published model of kind {kind or ', '.join(KINDS)}; run: python -m recommendation_service.train_all"
    )


if __name__ == "__main__":
    threads.check()
    sys.exit(main())
