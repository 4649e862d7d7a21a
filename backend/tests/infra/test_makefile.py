"""The Makefile's targets, and what CI runs."""

import re
import subprocess

import pytest
import yaml

from tests.infra.place import ROOT

MAKEFILE = (ROOT / "Makefile").read_text()
TARGETS = (
    "help",
    "demo",
    "test",
    "test-all",
    "chaos",
    "test-matrix",
    "test-spark",
    "adoption",
    "release",
    "lint",
    "format",
    "types",
    "imports",
    "tune",
    "bench",
    "docs",
    "picture",
    "clean",
)


@pytest.mark.parametrize("target", TARGETS)
def test_make_knows_the_target(target: str) -> None:
    done = subprocess.run(["make", "-n", target], cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr


def test_help_names_every_target_and_what_it_does() -> None:
    said = subprocess.run(["make", "help"], cwd=ROOT, capture_output=True, text=True, check=True).stdout
    assert set(re.findall(r"^  make (\S+) +\S", said, re.MULTILINE)) == set(TARGETS)


def test_the_demo_takes_a_folder_and_ports() -> None:
    command = ["make", "-n", "demo", "DATA=/some where", "PORT=1", "SERVICE_PORT=2", "KEEP=1"]
    said = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True).stdout
    assert 'demo --port 1 --service-port 2 --movielens "/some where" --keep' in " ".join(said.split())


def test_tuning_takes_its_seconds_and_stops_with_its_program() -> None:
    said = subprocess.run(["make", "-n", "tune", "TRIALS=7"], cwd=ROOT, capture_output=True, text=True, check=True).stdout
    assert "exec .venv/bin/python -m recommendation_service.cli train all --trials 7\n" in said


def test_ci_runs_the_command_that_the_readme_names_for_tests() -> None:
    assert "make test" in (ROOT / "README.md").read_text()
    assert re.search(r"^step test \d+ make test$", (ROOT / ".ci/run").read_text(), re.MULTILINE)


def test_the_workflow_runs_what_a_developer_runs_and_has_both_services() -> None:
    workflow = yaml.safe_load((ROOT / ".github/workflows/ci.yml").read_text())
    job = workflow["jobs"]["ci"]
    assert set(job["services"]) == {"postgres", "redis"}
    assert any(step.get("run", "").strip() == ".ci/run" for step in job["steps"])
    assert workflow["permissions"] == {"contents": "read"}
