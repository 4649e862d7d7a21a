"""Counts what is bought together in a published export, measures it, and publishes it behind the gate."""

from recommendation_service.core import threads  # first: it pins the thread pools before numpy is imported  # isort: skip

import sys
from collections.abc import Sequence

from recommendation_service.training.train_command import OneKind
from recommendation_service.wiring import build_engines


def main(argv: Sequence[str] | None = None) -> int:
    """Count and publish; 0 done, 1 expected failure, 2 wrong usage."""
    return OneKind("train_co_occurrence", __doc__ or "", "co_occurrence").run(argv, build_engines)


if __name__ == "__main__":
    threads.check()
    sys.exit(main())
