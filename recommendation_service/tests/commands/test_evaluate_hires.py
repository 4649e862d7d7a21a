"""The command that says who is hired among the bidders, in a marketplace where it is known who is."""

import json
import re

import pytest

from recommendation_service.cli import script
from recommendation_service.commands import evaluate_hires
from recommendation_service.datasets.records import ItemRecord
from recommendation_service.tests.support.exports import write_export
from recommendation_service.tests.support.market import World, by_quality
from recommendation_service.use_cases.loader import load
from recommendation_service.use_cases.overrides import with_training

evaluate_hires_command = script("evaluate", "hires")

NAMES = ["random", "lowest price", "rules", "network (rating)", "both (rating)", "network (hired)", "both (hired)"]


def cheapest(world):
    """Whoever asks least is hired, always."""
    return -world.bid


def export(place, jobs, wanted=cheapest):
    matches = World(jobs).matches(by_quality, wanted) if jobs else None
    write_export(place, load("cleaning"), [ItemRecord("w0", "Maria")], [], catalogue="cleaners", matches=matches)


def options(place, *more):
    return ["--use-case", "cleaning", "--data-dir", str(place), *more]


@pytest.fixture
def quick(monkeypatch):
    """Networks that are trained for a moment."""
    stated = evaluate_hires.neural_parameters
    monkeypatch.setattr(
        evaluate_hires,
        "neural_parameters",
        lambda use_case, seed: stated(with_training(use_case, "neural", {"epochs": 4}), seed=seed),
    )


@pytest.mark.usefixtures("quick")
def test_each_score_has_a_row_on_newer_jobs_and_the_one_that_decides_is_always_right(tmp_path, capsys):
    export(tmp_path, 400)
    assert evaluate_hires_command(options(tmp_path, "--held-out", "0.25", "--json", str(tmp_path / "figures.json"))) == 0
    lines = capsys.readouterr().out.splitlines()
    assert "export_v1: learned from 300 older jobs, measured on 100 newer ones with one hired" in lines
    rows = {row["name"]: row for row in json.loads((tmp_path / "figures.json").read_text())}
    assert list(rows) == NAMES
    assert all(any(line.startswith(name) for line in lines) for name in NAMES)
    assert {row["jobs"] for row in rows.values()} == {100}
    assert rows["lowest price"]["top"]["1"] == [1.0, 1.0, 1.0]
    assert rows["random"]["top"]["1"][0] == pytest.approx(0.25)
    assert rows["random"]["top"]["3"][0] == pytest.approx(0.75)
    assert rows["rules"]["top"]["1"][0] < 0.9
    assert lines[-1] == "next: tandem evaluate bids --use-case cleaning"


@pytest.mark.usefixtures("quick")
def test_every_network_and_blend_is_compared_with_the_rules_in_words(tmp_path, capsys):
    export(tmp_path, 400)
    assert evaluate_hires_command(options(tmp_path)) == 0
    told = [line for line in capsys.readouterr().out.splitlines() if " - rules, top 3: " in line]
    assert [line.partition(" - ")[0] for line in told] == NAMES[3:]
    for line in told:
        low, high = (float(found) for found in re.findall(r"([+-][\d.]+)%", line)[1:])
        verdict = "better than the rules" if low > 0 else "worse than the rules" if high < 0 else "no sure difference"
        assert line.endswith(f": {verdict}")


@pytest.mark.parametrize(
    ("jobs", "told"), [(None, "has no matches; export again"), (20, "20 jobs were decided among two bids or more")]
)
def test_an_export_that_does_not_do_says_why_in_one_line(jobs, told, tmp_path, capsys):
    export(tmp_path, jobs)
    assert evaluate_hires_command(options(tmp_path)) == 1
    assert told in capsys.readouterr().err


def test_a_use_case_without_pairs_says_so(tmp_path, capsys):
    assert evaluate_hires_command(["--use-case", "startups", "--data-dir", str(tmp_path)]) == 1
    assert "startups scores no pairs by rules" in capsys.readouterr().err


@pytest.mark.parametrize("argv", [[], ["--use-case", "cleaning", "--held-out", "0"]])
def test_wrong_usage_ends_with_two(argv):
    assert evaluate_hires_command(argv) == 2
