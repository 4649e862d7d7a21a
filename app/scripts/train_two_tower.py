"""Trains the courses' two-tower model: `recommendation_service.train_two_tower` for that one use case."""

from app.running import ABOUT, threads  # first: it pins the thread pools before numpy is imported  # isort: skip

import sys
from collections.abc import Sequence

from recommendation_service import train_two_tower


def main(argv: Sequence[str] | None = None) -> int:
    """Run that command with these arguments, such as `--config configs/two_tower.yaml`."""
    options = list(sys.argv[1:] if argv is None else argv)
    return train_two_tower.main([*ABOUT, *options])


if __name__ == "__main__":
    threads.check()
    sys.exit(main())
