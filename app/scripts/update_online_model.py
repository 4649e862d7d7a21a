"""Learns from recent interactions which strategy gets the highest reward: `recommendation_service.update_bandit`."""

from app.running import ABOUT, threads  # first: it pins the thread pools before numpy is imported  # isort: skip

import sys
from collections.abc import Sequence

from recommendation_service import update_bandit


def main(argv: Sequence[str] | None = None) -> int:
    """Run that command with these arguments, such as `--hours 24 --min-interactions 10` or `--rebuild`."""
    options = list(sys.argv[1:] if argv is None else argv)
    return update_bandit.main([*ABOUT, *options])


if __name__ == "__main__":
    threads.check()
    sys.exit(main())
