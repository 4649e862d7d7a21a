"""Trains the sequence transformer from a published export, measures it, and publishes it behind the gate."""

from recommendation_service.core import threads  # first: it pins the thread pools before numpy is imported  # isort: skip

import sys
from collections.abc import Sequence

from recommendation_service.training.train_command import OneKind, Setting
from recommendation_service.wiring import build_engines

SETTINGS = (
    Setting("dimension", "numbers an item is described by", least=1),
    Setting("layers", "blocks of attention", least=1),
    Setting("recent", "newest liked items that are read", least=1),
    Setting("dropout", "share of the numbers that are dropped while learning"),
    Setting("short_dropout", "the same, where people have liked fewer than thirty items on average"),
    Setting("learning_rate", "the largest, before it falls", above=True),
    Setting("epochs", "walks through everybody's past", least=1),
    Setting("most_targets", "next items looked at in all, so that a large log does not take hours", least=1),
)


def main(argv: Sequence[str] | None = None) -> int:
    """Train and publish; 0 done, 1 expected failure, 2 wrong usage."""
    return OneKind("train_sasrec", __doc__ or "", "sasrec", SETTINGS).run(argv, build_engines)


if __name__ == "__main__":
    threads.check()
    sys.exit(main())
