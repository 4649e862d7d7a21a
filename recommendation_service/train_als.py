"""Trains ALS from a published export, measures it, and publishes it behind the gate."""

from recommendation_service.core import threads  # first: it pins the thread pools before numpy is imported  # isort: skip

import sys
from collections.abc import Sequence

from recommendation_service.training.command import guarded, parse, parser, workspace_of
from recommendation_service.training.models.als import SOLVERS, ALSParameters
from recommendation_service.training.runner import add_options, add_search, run_training
from recommendation_service.training.session import TrainingOptions
from recommendation_service.wiring import build_engines

STATED = ALSParameters()


def main(argv: Sequence[str] | None = None) -> int:
    """Train and publish; 0 done, 1 expected failure, 2 wrong usage."""
    found = parser("train_als", __doc__ or "")
    add_options(found, tune=True)
    add_search(found, "als")
    found.add_argument("--factors", type=int, default=STATED.factors, help="length of the vectors (default: %(default)s)")
    found.add_argument("--regularization", type=float, default=STATED.regularization, help="default: %(default)s")
    found.add_argument("--iterations", type=int, default=STATED.iterations, help="default: %(default)s")
    found.add_argument("--alpha", type=float, default=STATED.alpha, help="confidence per unit of weight (default: %(default)s)")
    found.add_argument("--solver", choices=SOLVERS, default=STATED.solver, help="default: %(default)s")
    found.add_argument(
        "--frequency-scaling",
        type=float,
        metavar="NU",
        help="solver exact only: how regularization grows with how often somebody occurs, 0 to 1 (default: 1)",
    )
    options = parse(found, argv)
    if min(options.factors, options.iterations) < 1 or options.alpha <= 0 or options.regularization < 0:
        found.error("factors and iterations must be 1 or more, alpha above 0, regularization 0 or more")
    exact, scaling = options.solver == "exact", options.frequency_scaling
    if scaling is not None and not (exact and 0 <= scaling <= 1):
        found.error("--frequency-scaling belongs to --solver exact and is 0 to 1")
    chosen = ALSParameters(
        options.factors,
        options.regularization,
        options.iterations,
        options.alpha,
        options.seed,
        options.solver,
        float(exact) if scaling is None else scaling,
    )
    choices = TrainingOptions(options.tune, options.budget_seconds, options.force, {"als": chosen}, options.seed)
    return guarded(
        "train_als",
        lambda: run_training(workspace_of(options), ["als"], choices, build_engines, ensemble=False, dry_run=options.dry_run),
    )


if __name__ == "__main__":
    threads.check()
    sys.exit(main())
