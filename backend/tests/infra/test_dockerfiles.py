"""The two Dockerfiles, stage by stage."""

import re
from pathlib import Path

import pytest

from tests.infra.place import ROOT

FILES = {"backend": ROOT / "backend/Dockerfile", "service": ROOT / "recommendation_service/Dockerfile"}


def lines_of(path: Path) -> list[str]:
    joined = path.read_text().replace("\\\n", " ")
    return [line for line in joined.splitlines() if line and not line.startswith("#")]


def stages_of(path: Path) -> dict[str, list[str]]:
    stages: dict[str, list[str]] = {}
    for line in lines_of(path):
        if line.startswith("FROM "):
            name = line.partition(" AS ")[2] or "last"
            stages[name] = []
        stages[name].append(line)
    return stages


RUNNING = [(FILES["backend"], "last"), *((FILES["service"], stage) for stage in ("serve", "trainer", "cross_encoder"))]


@pytest.mark.parametrize("path", FILES.values(), ids=FILES)
def test_every_base_image_names_its_full_version(path: Path) -> None:
    for line in lines_of(path):
        if line.startswith("FROM ") and not line.startswith("FROM base "):
            assert re.match(r"FROM python:3\.11\.\d+-slim-", line)


@pytest.mark.parametrize(("path", "stage"), RUNNING)
def test_what_runs_is_not_root(path: Path, stage: str) -> None:
    lines = stages_of(path)[stage]
    users = [line for line in lines if line.startswith("USER ")]
    assert users == ["USER 10001:10001"]
    assert lines.index(users[0]) < next(at for at, line in enumerate(lines) if line.startswith("CMD "))


@pytest.mark.parametrize(("path", "stage"), RUNNING)
def test_what_runs_says_whether_it_is_well(path: Path, stage: str) -> None:
    assert any(line.startswith("HEALTHCHECK ") for line in stages_of(path)[stage])


@pytest.mark.parametrize(("path", "stage"), RUNNING)
def test_everything_copied_exists(path: Path, stage: str) -> None:
    for line in stages_of(path)[stage]:
        if line.startswith("COPY ") and "--from" not in line:
            for source in line.split()[1:-1]:
                assert (ROOT / source).exists(), line


@pytest.mark.parametrize("path", FILES.values(), ids=FILES)
def test_no_secret_is_built_in(path: Path) -> None:
    assert not re.search(r"(?i)(password|secret_key|signing_keys|token)\s*=", path.read_text())
    assert "ADD " not in path.read_text()


def test_serving_installs_neither_torch_nor_implicit() -> None:
    for name in ("serve", "backend"):
        names = {line.partition("==")[0] for line in (ROOT / f"requirements/{name}.txt").read_text().splitlines()}
        assert not names & {"torch", "implicit", "scikit-learn"}


@pytest.mark.parametrize("name", ["serve", "backend", "train", "rerank", "dev"])
def test_a_lock_file_pins_every_line(name: str) -> None:
    lines = (ROOT / f"requirements/{name}.txt").read_text().splitlines()[1:]
    assert lines == sorted(lines)
    assert all(re.fullmatch(r"[a-z0-9.-]+==[0-9][0-9a-z.]*", line) for line in lines)


FLOORS = {"gunicorn": (22,), "torch": (2, 10), "django": (5, 2, 11), "flask": (3, 1), "pyjwt": (2, 10)}


@pytest.mark.parametrize(("package", "floor"), FLOORS.items())
def test_packages_with_known_holes_are_above_them(package: str, floor: tuple[int, ...]) -> None:
    pins = dict(line.split("==") for line in (ROOT / "requirements/dev.txt").read_text().splitlines()[1:])
    assert tuple(int(part) for part in re.findall(r"\d+", pins[package])) >= floor


def test_the_build_context_leaves_secrets_and_data_out() -> None:
    ignored = (ROOT / ".dockerignore").read_text().split()
    assert {".env", ".git", ".demo", "recommendation_service/data", "recommendation_service/models"} <= set(ignored)
