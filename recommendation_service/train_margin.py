"""Trains matrix factorisation with a margin ranking loss, tells the loss of every epoch, and publishes behind the gate."""

from recommendation_service.core import threads  # first: it pins the thread pools before numpy is imported  # isort: skip

import argparse
import sys
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace

import numpy as np

from recommendation_service.datasets.reader import Dataset
from recommendation_service.domain.answer import Answer
from recommendation_service.domain.request import RecommendationRequest
from recommendation_service.settings import load_settings
from recommendation_service.training.command import DONE, Workspace, guarded, parse, parser, quietly, workspace_of
from recommendation_service.training.parameters import MarginParameters
from recommendation_service.training.report import EveryEpoch
from recommendation_service.training.runner import add_options, add_search, chosen, run_training
from recommendation_service.use_cases.overrides import with_training
from recommendation_service.use_cases.schema import UseCase
from recommendation_service.wiring import build_engines, build_service

STATED = MarginParameters()
KIND, OTHER_HALF = "margin", "content"
SIZES = {"emb_dim": "length of user and item vectors", "content_dim": "length of the content embeddings"}
SIZES |= {"epochs": "at most; validation stops it", "negatives": "items tried for each liked one", "batch": "likes a step"}
RATES = {"margin": "by how much a liked item should win", "learning_rate": "step of Adam"}


def main(argv: Sequence[str] | None = None) -> int:
    """Train and publish; 0 done, 1 expected failure, 2 wrong usage. What an option says comes before the use-case file."""
    command_parser = parser("train_margin", __doc__ or "")
    add_options(command_parser, tune=True)
    add_search(command_parser, KIND)
    for name, meaning in {**SIZES, **RATES}.items():
        kind = int if name in SIZES else float
        option_names = {f"--{name.replace('_', '-')}", f"--{name}"}
        command_parser.add_argument(*sorted(option_names), type=kind, help=f"{meaning} (default: {getattr(STATED, name)})")
    command_parser.add_argument(
        "--popularity-power", type=float, help=f"0: all items alike (default: {STATED.popularity_power})"
    )
    command_parser.add_argument("--hybrid", action="store_true", help="train the content model too, the other half of a hybrid")
    command_parser.add_argument("--topn", type=int, default=0, metavar="N", help="then show the first N items of a few people")
    options = parse(command_parser, argv)
    if any((value := getattr(options, name)) is not None and value <= 0 for name in (*SIZES, *RATES)):
        command_parser.error(f"{', '.join(SIZES)} must be 1 or more, {' and '.join(RATES)} above 0")
    if not 0 <= options.topn <= 100 or (options.popularity_power or 0) < 0:
        command_parser.error("topn must be 0 to 100, popularity power 0 or more")
    return guarded("train_margin", lambda: _train(options))


def _train(options: argparse.Namespace) -> int:
    workspace, report = _with_options(workspace_of(options), options), EveryEpoch()
    kinds = [KIND, OTHER_HALF] if options.hybrid else [KIND]
    ended = run_training(
        workspace, kinds, chosen(options), build_engines, ensemble=False, dry_run=options.dry_run, report=report
    )
    if options.topn and ended == DONE and not options.dry_run:
        with quietly():
            for use_case in workspace.use_cases:
                report.line("\n".join(sample_lists(workspace, use_case, options.topn)))
    report.tell_next()
    return ended


def sample_lists(workspace: Workspace, use_case: UseCase, topn: int) -> Iterator[str]:
    """Lines that show the first `topn` items of a newcomer, a person of the middle and the busiest one.

    They come from the use case's first surface as the service would answer now, rerankers included.
    """
    folders = {"data_dir": workspace.data_dir, "models_dir": workspace.models_dir, "use_cases": use_case.name}
    service = build_service(load_settings().model_copy(update=folders))
    surface = next((name for name, entry in use_case.surfaces.items() if entry.about == "user"), None)
    if surface is None:
        return
    dataset = Dataset.open(workspace.data_dir, use_case.surfaces[surface].catalogue)
    titles = dict(zip(dataset.catalogue().ids.ids(), dataset.catalogue().titles, strict=True))
    for user_id in _a_few(dataset):
        slate = service.recommend(
            RecommendationRequest(user_id=user_id, limit=topn), use_case=use_case.name, surface=surface, now=time.time()
        )
        yield from _lines(user_id, slate, titles)


def _a_few(dataset: Dataset) -> list[str]:
    sizes = np.diff(dataset.array("history_indptr"))
    order = np.argsort(sizes, kind="stable")
    active = order[sizes[order] > 0]
    chosen = [order[0], active[active.size // 2], order[-1]] if active.size else order[:1]
    return [dataset.user_ids.id(int(row)) for row in dict.fromkeys(chosen)]


def _lines(user_id: str, slate: Answer, titles: Mapping[str, str]) -> Iterator[str]:
    yield f"{user_id}: {slate.interaction_count} interactions, {len(slate.recommendations)} items by {slate.method_used}"
    for entry in slate.recommendations:
        yield f"  {entry.position:>3}. {entry.score:>7.4f}  {titles[entry.item_id]} ({entry.item_id})"


def _with_options(workspace: Workspace, options: argparse.Namespace) -> Workspace:
    """The use cases with what the command line says of training."""
    wanted = {name: getattr(options, name) for name in (*SIZES, *RATES, "popularity_power")}
    return replace(workspace, use_cases=tuple(with_training(use_case, KIND, wanted) for use_case in workspace.use_cases))


if __name__ == "__main__":
    threads.check()
    sys.exit(main())
