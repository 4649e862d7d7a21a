"""Learns a use case's ranker from the lists that were shown, measures it, and publishes it when the gain is sure."""

from recommendation_service.core import threads  # first: it pins the thread pools before numpy is imported  # isort: skip

import sys
from collections.abc import Sequence

from recommendation_service.training.command import guarded, parse, parser, workspace_of
from recommendation_service.training.runner import add_options, run_training
from recommendation_service.training.session import TrainingOptions
from recommendation_service.wiring import build_engines


def main(argv: Sequence[str] | None = None) -> int:
    """Learn and publish; 0 done (also where there are too few lists), 1 expected failure, 2 wrong usage."""
    found = parser("train_ranker", __doc__ or "")
    add_options(found, tune=False)
    options = parse(found, argv)
    choices = TrainingOptions(force=options.force, seed=options.seed)
    return guarded(
        "train_ranker",
        lambda: run_training(
            workspace_of(options), [], choices, build_engines, ensemble=False, ranker=True, dry_run=options.dry_run
        ),
    )


if __name__ == "__main__":
    threads.check()
    sys.exit(main())
