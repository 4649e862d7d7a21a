"""Recall, precision and NDCG at K of the courses models on a held-out part: `recommendation_service.evaluate`."""

from app.running import ABOUT, threads  # first: it pins the thread pools before numpy is imported  # isort: skip

import sys
from collections.abc import Sequence

from recommendation_service import evaluate


def main(argv: Sequence[str] | None = None) -> int:
    """Run that command. Its table has the two-tower model next to the other strategies, for comparison."""
    options = list(sys.argv[1:] if argv is None else argv)
    return evaluate.main([*ABOUT, *options])


if __name__ == "__main__":
    threads.check()
    sys.exit(main())
