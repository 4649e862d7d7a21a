"""Compare ALS of `implicit` with exact ALS on a file: both tuned on validation and measured once on the test part.

    python -m benchmarks.performance.solvers --protocol time --train ratings.csv

Data and protocols are those of `benchmarks.quality`; the stages of the two searches are those of `training.search`.
"""

from recommendation_service.core import threads  # first: it pins the thread pools before numpy is imported  # isort: skip

import argparse
import os
import sys
import time
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path

import numpy as np

from recommendation_service.commands.evaluate_file.leaderboard import PEOPLE, measures_of
from recommendation_service.commands.evaluate_file.protocols import Task, task_of
from recommendation_service.commands.program import guarded
from recommendation_service.core.numeric import AnyArray
from recommendation_service.engines.collaborative_als import CollaborativeALS
from recommendation_service.kinds import Stage
from recommendation_service.training.data import Trained, TrainingData
from recommendation_service.training.evaluation import metrics
from recommendation_service.training.evaluation.evaluator import EvaluationUsers, score_people
from recommendation_service.training.models.als import SOLVERS, ALSParameters
from recommendation_service.training.trainers import fit
from recommendation_service.training.tuning import SEARCHES, HyperparameterSearch, search, spelled

PROTOCOLS = ("next-item", "time", "random")
STATED = ALSParameters()


@dataclass(frozen=True, slots=True, eq=False)
class SolverResult:
    """One solver: the settings that are best on validation, and their figures on the test part."""

    name: str
    parameters: ALSParameters
    measures: dict[str, AnyArray]  # (p,) of each of the protocol's measures
    tried: int
    search_s: float
    fit_s: float


def main(argv: Sequence[str] | None = None) -> int:
    """Print the comparison; 0 done, 1 expected failure, 2 wrong usage."""
    command_parser = argparse.ArgumentParser(prog="python -m benchmarks.performance.solvers", description=__doc__)
    command_parser.add_argument("--protocol", choices=PROTOCOLS, required=True)
    command_parser.add_argument("--train", type=Path, required=True, metavar="FILE", help="table, sequence file or .npz bundle")
    command_parser.add_argument(
        "--budget-seconds", type=float, default=60.0, metavar="S", help="a solver's search (default: %(default)g)"
    )
    command_parser.add_argument("--seed", type=int, default=0, help="of lots and samples (default: 0)")
    options = command_parser.parse_args(argv)
    return guarded(lambda: _run(options))


def _run(options: argparse.Namespace) -> int:
    task = task_of(options.protocol, options.train, None, seed=options.seed)
    print(f"{options.train.name}, {task.protocol}: {len(task.test):,} people measured")
    rows = [_measured("stated", task, STATED, 1, 0.0)]
    for solver in SOLVERS:
        started = time.perf_counter()
        parameters, tried = preferred(task, solver, options.budget_seconds)
        rows.append(_measured(solver, task, parameters, tried, time.perf_counter() - started))
    for row in rows:
        print(summary(row))
    print(f"exact minus implicit, each tuned: {difference(rows[-1], rows[-2])}")
    print(f"{os.cpu_count()} cores, load {os.getloadavg()[0]:.1f}")
    return 0


def preferred(task: Task, solver: str, budget_s: float) -> tuple[ALSParameters, int]:
    """The best settings of one solver on validation, and the number of tries within the budget."""
    material, panel = task.valid.material, task.valid.some(PEOPLE)
    trials = HyperparameterSearch(
        material, panel, "als", lambda trained: score_people(_engine(trained, material), panel), k=task.k
    )
    stages = tuple(_stages(solver))
    first = replace(STATED, **{name: values[0] for name, values in stages[0].items()})  # so that the other solver is not chosen
    result = search("als", first, trials.measure, budget_s=budget_s, stages=stages)
    return result.best.parameters, len(result.tried)


def _stages(solver: str) -> Iterator[Stage]:
    """The stages of the ALS search that vary one solver: from the one that names it to the one that names the next."""
    named = None
    for stage in SEARCHES["als"]:
        (named,) = stage.get("solver", (named,))
        if named == solver:
            yield stage


def _measured(name: str, task: Task, parameters: ALSParameters, tried: int, search_s: float) -> SolverResult:
    started = time.perf_counter()
    engine = _engine(fit(task.test.material, "als", parameters).trained, task.test.material)
    fit_s = time.perf_counter() - started
    parts = [_of_panel(engine, panel, task) for panel in task.test.panels()]
    measures = {measure: np.concatenate([part[measure] for part in parts]) for measure in parts[0]}
    return SolverResult(name, parameters, measures, tried, search_s, fit_s)


def _of_panel(engine: CollaborativeALS, panel: EvaluationUsers, task: Task) -> dict[str, AnyArray]:
    return measures_of(score_people(engine, panel), panel, task)


def _engine(trained: Trained, material: TrainingData) -> CollaborativeALS:
    return CollaborativeALS("als", trained.artifact("log"), material.catalogue)


def summary(row: SolverResult) -> str:
    """One line: the measures, their time, and the settings."""
    means = "  ".join(f"{name} {values.mean():.4f}" for name, values in row.measures.items())
    settings = ", ".join(
        f"{name} {spelled(value)}" for name, value in asdict(row.parameters).items() if name not in ("seed", "solver")
    )
    return f"{row.name:<9} {means}  fit {row.fit_s:5.1f} s  search {row.search_s:5.1f} s ({row.tried} tried)  {settings}"


def difference(first: SolverResult, second: SolverResult) -> str:
    """The paired difference of the last measure, with its interval over users."""
    name = list(first.measures)[-1]
    apart = first.measures[name] - second.measures[name]
    low, high = metrics.bootstrap(apart)
    return f"{name} {apart.mean():+.4f} (95 % {low:+.4f} to {high:+.4f}), {apart.mean() / second.measures[name].mean():+.1%}"


if __name__ == "__main__":
    threads.check()
    sys.exit(main())
