"""Solves the next-item model from a published export, measures it, and publishes it behind the gate."""

from recommendation_service.core import threads  # first: it pins the thread pools before numpy is imported  # isort: skip

import sys
from collections.abc import Sequence

from recommendation_service.training.train_command import OneKind, Setting
from recommendation_service.wiring import build_engines

SETTINGS = (
    Setting("regularization", "of the ridge regression", above=True),
    Setting("short", "newest items in the short window", least=1),
    Setting("short_fade", "places after which an item of the short window counts 1/e", above=True),
    Setting("long", "newest items in the long window", least=1),
    Setting("long_fade", "places after which an item of the long window counts 1/e", above=True),
    Setting("long_weight", "what the long window counts beside the short one"),
    Setting("popularity", "targets are divided by their count to this power; 0: not at all"),
)


def main(argv: Sequence[str] | None = None) -> int:
    """Solve and publish; 0 done, 1 expected failure, 2 wrong usage."""
    return OneKind("train_next_item", __doc__ or "", "next_item", SETTINGS).run(argv, build_engines)


if __name__ == "__main__":
    threads.check()
    sys.exit(main())
