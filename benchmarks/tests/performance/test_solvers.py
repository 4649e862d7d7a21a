from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from benchmarks.performance import solvers
from benchmarks.performance.solvers import SolverResult, difference, main, preferred
from recommendation_service.commands.evaluate_file.protocols import Task, task_of
from recommendation_service.training.models.als import ALSParameters
from recommendation_service.training.tuning import SEARCHES

SMALL = (
    {"solver": ("implicit",), "frequency_scaling": (0.0,), "factors": (4,), "regularization": (10.0,), "alpha": (40.0, 4.0)},
    {"factors": (6,)},
    {"solver": ("exact",), "frequency_scaling": (1.0,), "factors": (4,), "regularization": (0.1,), "alpha": (10.0, 3.0)},
    {"factors": (8,)},
)


@pytest.fixture
def clubs(tmp_path: Path) -> Path:
    """Two clubs of twenty people; everybody takes eight of their own club's twelve items, in an order of their own."""
    rng, lines = np.random.default_rng(0), []
    for person in range(40):
        own = rng.permutation(12)[:8] * 2 + person % 2
        lines.append(" ".join([f"u{person}", *(f"i{item:02d}" for item in own)]))
    path = tmp_path / "clubs.txt"
    path.write_text("\n".join(lines) + "\n")
    return path


@pytest.fixture
def task(clubs: Path, monkeypatch: pytest.MonkeyPatch) -> Task:
    monkeypatch.setattr(solvers, "SEARCHES", {"als": SMALL})
    return task_of("next-item", clubs, None)


def test_each_solver_is_searched_by_its_own_stages(task: Task) -> None:
    for solver, factors in (("implicit", {4, 6}), ("exact", {4, 8})):
        parameters, tried = preferred(task, solver, 60.0)
        assert parameters.solver == solver
        assert parameters.factors in factors
        assert tried == 3


def test_the_searches_own_stages_are_told_apart() -> None:
    own = {solver: list(solvers._stages(solver)) for solver in ("implicit", "exact")}
    assert [*own["implicit"], *own["exact"]] == list(SEARCHES["als"])
    assert own["exact"][0]["solver"] == ("exact",)


def test_a_spent_budget_leaves_the_first_try(task: Task) -> None:
    parameters, tried = preferred(task, "exact", 0.0)
    assert tried == 1
    assert (parameters.solver, parameters.alpha) == ("exact", 10.0)


def test_the_comparison_is_printed_with_what_it_took(clubs: Path, task: Task, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["--protocol", "next-item", "--train", str(clubs)]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert lines[0] == "clubs.txt, next-item: 40 people measured"
    assert [line.split()[0] for line in lines[1:4]] == ["stated", "implicit", "exact"]
    assert all("HR@10 1.0000" in line for line in lines[2:4])  # four of their club's items are left, and ten are shown
    assert lines[4].startswith("exact minus implicit, each tuned: NDCG@10 ")


def test_the_difference_is_paired() -> None:
    rng = np.random.default_rng(1)
    other = SolverResult("implicit", ALSParameters(), {"NDCG@10": rng.random(200)}, 1, 0, 0)
    better = replace(other, measures={"NDCG@10": other.measures["NDCG@10"] + 0.01})
    assert difference(better, other).startswith("NDCG@10 +0.0100 (95 % +0.0100 to +0.0100)")


def test_a_file_that_is_not_there_is_one_line(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["--protocol", "time", "--train", str(tmp_path / "none.csv")]) == 1
    assert capsys.readouterr().err.count("\n") == 1
