"""Trains the two-tower model from a published export, measures it, and publishes it behind the gate."""

from recommendation_service import threads  # first: it pins the thread pools before numpy is imported  # isort: skip

import sys
from collections.abc import Sequence
from dataclasses import replace

from recommendation_service.training.command import guarded, parse, parser, place_of
from recommendation_service.training.conductor import add_options, conduct
from recommendation_service.training.session import Choices
from recommendation_service.training.tower_parameters import TwoTowerParameters
from recommendation_service.wiring import build_engines

STATED = TwoTowerParameters()


def main(argv: Sequence[str] | None = None) -> int:
    """Train and publish; 0 done, 1 expected failure, 2 wrong usage."""
    found = parser("train_two_tower", __doc__ or "")
    add_options(found, tune=False)
    found.add_argument("--dimension", type=int, default=STATED.dimension, help="length of the vectors (default: %(default)s)")
    found.add_argument("--epochs", type=int, default=STATED.epochs, help="at most; validation stops it (default: %(default)s)")
    found.add_argument("--temperature", type=float, default=STATED.temperature, help="default: %(default)s")
    found.add_argument("--learning-rate", type=float, default=STATED.learning_rate, help="default: %(default)s")
    options = parse(found, argv)
    if min(options.dimension, options.epochs) < 1 or min(options.temperature, options.learning_rate) <= 0:
        found.error("dimension and epochs must be 1 or more, temperature and learning rate above 0")
    chosen = replace(
        STATED,
        dimension=options.dimension,
        hidden=2 * options.dimension,
        epochs=options.epochs,
        temperature=options.temperature,
        learning_rate=options.learning_rate,
        seed=options.seed,
    )
    choices = Choices(force=options.force, parameters={"two_tower": chosen}, seed=options.seed)
    return guarded(
        "train_two_tower",
        lambda: conduct(place_of(options), ["two_tower"], choices, build_engines, ensemble=False, dry_run=options.dry_run),
    )


if __name__ == "__main__":
    threads.check()
    sys.exit(main())
