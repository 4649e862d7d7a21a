"""Learns which strategy brings most, of recent interactions: `recommendation_service.update_bandit` for the courses."""

from app.running import ABOUT, threads  # first: it pins the thread pools before numpy is imported  # isort: skip

import sys
from collections.abc import Sequence

from recommendation_service import update_bandit


def main(argv: Sequence[str] | None = None) -> int:
    """As that command: `--hours 24 --min-interactions 10`, and `--rebuild`."""
    options = list(sys.argv[1:] if argv is None else argv)
    return update_bandit.main([*ABOUT, *options])


if __name__ == "__main__":
    threads.check()
    sys.exit(main())
