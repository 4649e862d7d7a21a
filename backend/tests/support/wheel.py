"""The wheel of this checkout, and environments that hold it with the packages of some extras and nothing else."""

import os
import re
import shutil
import subprocess
import sys
import venv
import zipfile
from collections.abc import Iterable
from importlib import metadata
from importlib.util import find_spec
from pathlib import Path

from packaging.requirements import Requirement

from tests.infra.place import ROOT

NAME = "tandem-recommendations"


def build_wheel(folder: Path) -> Path:
    """Build the wheel into `folder`. The network is needed only where hatchling (extra dev) is not installed."""
    isolation = [] if find_spec("hatchling") is None else ["--no-build-isolation"]
    command = [sys.executable, "-m", "pip", "wheel", "-q", "--no-deps", *isolation, "-w", str(folder), str(ROOT)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return next(folder.glob("*.whl"))


def requirements_of(wheel: Path) -> list[Requirement]:
    """What the wheel's metadata require, each with its marker."""
    with zipfile.ZipFile(wheel) as archive:
        (name,) = (name for name in archive.namelist() if name.endswith(".dist-info/METADATA"))
        text = archive.read(name).decode()
    return [Requirement(line) for line in re.findall(r"^Requires-Dist: (.+)$", text, re.MULTILINE)]


def distributions_of(wheel: Path, extras: Iterable[str], *, beside: Iterable[str] = ()) -> dict[str, metadata.Distribution]:
    """Every distribution that pip would install for the wheel with these extras and for the packages `beside` it, by name.

    Without the wheel itself. `beside` are requirements such as "django-oscar[sorl-thumbnail]".
    """
    found: dict[str, metadata.Distribution] = {}
    open_ = [(NAME, extra) for extra in ("", *extras)]
    open_ += [(canonical(need.name), extra) for need in map(Requirement, beside) for extra in ("", *need.extras)]
    seen = set(open_)
    while open_:
        name, extra = open_.pop()
        if name != NAME:
            found.setdefault(name, metadata.distribution(name))
        needs = requirements_of(wheel) if name == NAME else map(Requirement, found[name].requires or ())
        for need in needs:
            if need.marker is None or need.marker.evaluate({"extra": extra}):
                more = {(canonical(need.name), wanted) for wanted in ("", *need.extras)} - seen
                seen |= more
                open_ += more
    return found


def canonical(name: str) -> str:
    return re.sub(r"[-_.]+", "-", name).lower()


def make_environment(
    home: Path, wheel: Path, extras: Iterable[str], *, beside: Iterable[str] = ()
) -> dict[str, metadata.Distribution]:
    """A virtual environment with the wheel; what it requires is linked from the environment of the tests."""
    venv.create(home, with_pip=False, symlinks=True)
    packages = next(home.glob("lib/python*/site-packages"))
    distributions = distributions_of(wheel, extras, beside=beside)
    for distribution in distributions.values():
        for top in {file.parts[0] for file in distribution.files or () if file.parts[0] not in ("..", "__pycache__")}:
            target = packages / top
            if not target.exists():
                target.symlink_to(Path(str(distribution.locate_file(top))))
    shutil.unpack_archive(wheel, packages, "zip")
    for name, module in {"django-admin": "django", "tandem": "recommendation_service.cli"}.items():
        script = home / "bin" / name
        script.write_text(f'#!/bin/sh\nexec {home}/bin/python -m {module} "$@"\n')
        script.chmod(0o755)
    return distributions


def environment_with(home: Path, **more: str) -> dict[str, str]:
    """Environment variables of a terminal in which the environment at `home` is active."""
    kept = {name: os.environ[name] for name in ("HOME", "LANG") if name in os.environ}
    path = f"{home / 'bin'}{os.pathsep}{os.environ['PATH']}"
    return {**kept, "PATH": path, "OPENBLAS_NUM_THREADS": "1", "PYTHONDONTWRITEBYTECODE": "1", **more}


def run(command: list[str], folder: Path, environment: dict[str, str]) -> str:
    """The output of a command that must succeed."""
    done = subprocess.run(command, cwd=folder, env=environment, capture_output=True, text=True, check=False)
    assert done.returncode == 0, f"{command}\n{done.stdout}\n{done.stderr}"
    return done.stdout + done.stderr
