"""Solves EASE, which item goes with which, from a published export, measures it, and publishes it behind the gate."""

from recommendation_service.core import threads  # first: it pins the thread pools before numpy is imported  # isort: skip

import sys
from collections.abc import Sequence

from recommendation_service.training.train_command import OneKind, Setting
from recommendation_service.wiring import build_engines

SETTINGS = (
    Setting("regularization", "the ridge's lambda, in people: more for dense data", above=True),
    Setting("decay_days", "a liking this many days old counts 1/e of a new one; 0: age does not matter"),
    Setting("floor", "the least that an old liking counts"),
    Setting("top_k", "strongest entries of each item that are published", least=1),
    Setting("invertible", "liked items up to which the table is solved; above, a filter that comes close to it", least=2),
    Setting("activity", "somebody with m items counts as m to the power of minus this"),
    Setting("popularity", "an item with m people counts as m to the power of minus this"),
    Setting("rarity", "what a liked item with m people says is divided by m to this power once more"),
    Setting("vectors", "main directions of taste that the filter knows exactly", least=1),
)


def main(argv: Sequence[str] | None = None) -> int:
    """Solve and publish; 0 done, 1 expected failure, 2 wrong usage."""
    return OneKind("train_ease", __doc__ or "", "ease", SETTINGS).run(argv, build_engines)


if __name__ == "__main__":
    threads.check()
    sys.exit(main())
