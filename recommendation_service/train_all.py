"""Trains every kind of model a use case names, learns its ensemble's weights and its ranker, and publishes behind the gate."""

from recommendation_service.core import threads  # first: it pins the thread pools before numpy is imported  # isort: skip

import sys
from collections.abc import Sequence

from recommendation_service.training.command import guarded, parse, parser, workspace_of
from recommendation_service.training.pairs.session import PAIR_KINDS
from recommendation_service.training.report import NextLast
from recommendation_service.training.runner import add_options, run_training
from recommendation_service.training.session import TrainingOptions
from recommendation_service.training.trainers import KINDS
from recommendation_service.wiring import build_engines


def main(argv: Sequence[str] | None = None) -> int:
    """Train and publish; 0 done (also where there is too little to learn from), 1 expected failure, 2 wrong usage."""
    found = parser("train_all", __doc__ or "")
    add_options(found, tune=True)
    found.add_argument("--no-tune", action="store_true", help="train with the stated settings, without searching")
    options = parse(found, argv)
    choices = TrainingOptions(not options.no_tune, options.budget_seconds, options.force, seed=options.seed)
    wanted = {"ensemble": True, "ranker": True, "pairs": PAIR_KINDS, "dry_run": options.dry_run}
    report = NextLast()
    code = guarded(
        "train_all", lambda: run_training(workspace_of(options), KINDS, choices, build_engines, report=report, **wanted)
    )
    report.tell_lacking()
    report.tell_next()
    return code


if __name__ == "__main__":
    threads.check()
    sys.exit(main())
