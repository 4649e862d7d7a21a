"""Counts what is bought together in a published export, measures it, and publishes it behind the gate."""

from recommendation_service import threads  # first: it pins the thread pools before numpy is imported  # isort: skip

import sys
from collections.abc import Sequence

from recommendation_service.training.command import guarded, parse, parser, place_of
from recommendation_service.training.conductor import add_options, conduct
from recommendation_service.training.session import Choices
from recommendation_service.wiring import build_engines


def main(argv: Sequence[str] | None = None) -> int:
    """Count and publish; 0 done, 1 expected failure, 2 wrong usage."""
    found = parser("train_co_occurrence", __doc__ or "")
    add_options(found, tune=False)
    options = parse(found, argv)
    choices = Choices(force=options.force, seed=options.seed)
    return guarded(
        "train_co_occurrence",
        lambda: conduct(place_of(options), ["co_occurrence"], choices, build_engines, ensemble=False, dry_run=options.dry_run),
    )


if __name__ == "__main__":
    threads.check()
    sys.exit(main())
