"""A release is built by one command, from a committed checkout with a dated changelog, and installs from sdist and wheel."""

import re
import runpy
import shutil
import subprocess
import sys
import tarfile
import zipfile
from pathlib import Path
from typing import Any

import pytest

from tests.infra.place import ROOT
from tests.support.wheel import build_wheel, environment_with, make_environment, run


@pytest.fixture(scope="module")
def sdist(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("sdist")
    command = [sys.executable, "-m", "hatchling", "build", "-t", "sdist", "-d", str(folder)]
    subprocess.run(command, cwd=ROOT, check=True, capture_output=True)
    return next(folder.glob("*.tar.gz"))


def names_in(wheel: Path) -> set[str]:
    with zipfile.ZipFile(wheel) as archive:
        return set(archive.namelist())


def test_the_sdist_makes_the_same_wheel_which_installs_and_runs(sdist: Path, tmp_path: Path) -> None:
    with tarfile.open(sdist) as archive:
        archive.extractall(tmp_path / "unpacked", filter="data")
    (source,) = (tmp_path / "unpacked").iterdir()
    command = [
        sys.executable,
        "-m",
        "pip",
        "wheel",
        "-q",
        "--no-deps",
        "--no-build-isolation",
        "-w",
        str(tmp_path),
        str(source),
    ]
    subprocess.run(command, check=True, capture_output=True)
    (wheel,) = tmp_path.glob("*.whl")
    assert names_in(wheel) == names_in(build_wheel(tmp_path / "checkout"))
    make_environment(tmp_path / ".venv", wheel, ("django",))
    code = "import tandem, recommendation_service as service; print(service.__version__, service.__file__)"
    said = run(["python", "-c", code], tmp_path, environment_with(tmp_path / ".venv"))
    version, place = said.split()
    assert version in wheel.name
    assert place.startswith(str(tmp_path / ".venv"))


@pytest.fixture
def checkout(tmp_path: Path) -> Path:
    """A small repository with the script, a version and a changelog."""
    for name in (".ci/release.py", "recommendation_service/__init__.py"):
        (tmp_path / name).parent.mkdir(parents=True)
        shutil.copy(ROOT / name, tmp_path / name)
    git(tmp_path, "init", "-q")
    return tmp_path


def git(folder: Path, *words: str) -> None:
    who = ["-c", "user.name=Ann", "-c", "user.email=ann@example.org"]
    subprocess.run(["git", *who, *words], cwd=folder, check=True, capture_output=True)


def script(checkout: Path) -> dict[str, Any]:
    return runpy.run_path(str(checkout / ".ci/release.py"))


def test_a_release_needs_a_commit_a_dated_section_and_a_new_version(checkout: Path) -> None:
    release = script(checkout)
    version = release["version"]()
    (checkout / "CHANGELOG.md").write_text("## [Unreleased]\n")
    uncommitted, undated = release["problems"](version)
    assert "are not committed" in uncommitted
    assert undated.endswith(f'no section "## [{version}] - YYYY-MM-DD"; write one')
    (checkout / "CHANGELOG.md").write_text(f"## [{version}] - 2026-12-01\n")
    git(checkout, "add", "-A")
    git(checkout, "commit", "-qm", "release")
    assert release["problems"](version) == []
    git(checkout, "tag", f"v{version}")
    (released,) = release["problems"](version)
    assert re.search("was released; raise __version__", released)


def test_a_folder_with_files_is_left_alone(checkout: Path) -> None:
    (checkout / "dist").mkdir()
    (checkout / "dist/old.whl").write_text("")
    (checkout / "CHANGELOG.md").write_text("")
    done = subprocess.run(
        [sys.executable, ".ci/release.py", "--draft"], cwd=checkout, capture_output=True, text=True, check=False
    )
    assert done.returncode == 1
    assert "dist is not empty; move its files away" in done.stderr
