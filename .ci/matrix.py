"""Run the tests of the Django app with every supported Python, Django and database; each combination is one cell.

python .ci/matrix.py          all cells
python .ci/matrix.py --few    one cell for each Python, Django and database that the suite of this checkout does not use

Each pair of Python and Django has a virtual environment in `.matrix`, without torch and implicit. Pythons are found on the
path or below PYENV_ROOT. With CI=1, a missing Python or database fails the run.
"""

import argparse
import os
import shutil
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

from suite import MARIADB_TESTS

ROOT = Path(__file__).resolve().parent.parent
FOLDER = ROOT / ".matrix"
PYTHONS = ("3.11", "3.12", "3.13")
DJANGOS = ("5.2", "6.0", "6.1")
LEAST_PYTHON = {"5.2": "3.11", "6.0": "3.12", "6.1": "3.12"}  # of each Django
DATABASES = {
    "sqlite": {},
    "postgresql": {"DATABASE_URL": os.environ.get("TEST_DATABASE_URL", "postgres://postgres@127.0.0.1:5432/postgres")},
    "mariadb": {"TEST_MARIADB_URL": os.environ.get("TEST_MARIADB_URL", "mysql://root@127.0.0.1:3306/tandem")},
}
TOOLS = ("pytest", "pytest-django", "pytest-xdist", "pytest-timeout", "hypothesis", "psutil", "PyMySQL", "PyJWT")
SERVICE = ("flask", "pydantic-settings", "SQLAlchemy", "rich", "typer", "threadpoolctl")  # what the tests' helpers import
NEED_TRAINING = ("services/test_subprocesses.py", "vectors", "services/test_retrain.py")  # torch, or the whole service
TESTS = "backend/tests/tandem"
MOST = ("event_sync", "selectors/test_transactions.py", "migrations", "test_slates.py", "services/test_record_interactions.py")
TIMEOUT_S = 900


class Cell(NamedTuple):
    """One combination."""

    python: str
    django: str
    database: str


FEW = (Cell("3.12", "6.0", "mariadb"), Cell("3.13", "6.1", "postgresql"))


def cells() -> Iterator[Cell]:
    """Yield every combination that Django supports."""
    for python in PYTHONS:
        for django in DJANGOS:
            if _number(python) >= _number(LEAST_PYTHON[django]):
                yield from (Cell(python, django, database) for database in DATABASES)


def _number(version: str) -> tuple[int, ...]:
    return tuple(map(int, version.split(".")))


def interpreter(version: str) -> Path | None:
    """Return an interpreter of this version, or None."""
    root = Path(os.environ.get("PYENV_ROOT", Path.home() / ".pyenv")) / "versions"
    on_path = shutil.which(f"python{version}")
    candidates = [*([on_path] if on_path else []), *sorted(root.glob(f"{version}.*/bin/python"), reverse=True)]
    for candidate in map(Path, candidates):
        told = subprocess.run([candidate, "-c", "import sys; print(*sys.version_info[:2])"], capture_output=True, text=True)
        if told.stdout.split() == version.split("."):
            return candidate
    return None


def environment_of(cell: Cell, python: Path) -> Path:
    """Return the interpreter of the cell's virtual environment, which is made if it is not there."""
    home = FOLDER / f"python{cell.python}-django{cell.django}"
    ready = home / ".ready"
    if not ready.exists() or ready.stat().st_mtime < (ROOT / "pyproject.toml").stat().st_mtime:
        shutil.rmtree(home, ignore_errors=True)
        subprocess.run([python, "-m", "venv", home], check=True)
        extras = f"{ROOT}[backend]"
        packages = [f"Django~={cell.django}.0", "-e", extras, *TOOLS, *SERVICE]
        subprocess.run([home / "bin/python", "-m", "pip", "install", "-qq", *packages], check=True)
        ready.touch()
    return home / "bin/python"


def run(cell: Cell, *, few: bool) -> str:
    """Run the tests of one cell; return "passed", or what went wrong."""
    python = interpreter(cell.python)
    if python is None:
        return f"NOT RUN: no Python {cell.python}"
    started = time.monotonic()
    selected = [f"{TESTS}/{name}" for name in MOST]
    if not few:  # other tests make tables fail in ways that MariaDB cannot undo
        selected = sorted({*selected, *MARIADB_TESTS}) if cell.database == "mariadb" else [TESTS]
    command = [environment_of(cell, python), "-m", "pytest", "-q", "-p", "no:cacheprovider", "-o", "filterwarnings=default"]
    command += [*selected, "-m", "not slow and not browser", "--disable-warnings", f"--timeout={TIMEOUT_S}"]
    command += [f"--ignore={TESTS}/{name}" for name in NEED_TRAINING]
    command += ["-n0", "--ds", "tests.support.mariadb_settings"] if cell.database == "mariadb" else ["-n", "auto"]
    done = subprocess.run(command, cwd=ROOT, env={**os.environ, **_own_database(cell)}, check=False)
    return f"{'passed' if done.returncode == 0 else 'FAILED'}, {time.monotonic() - started:.0f} s"


def _own_database(cell: Cell) -> dict[str, str]:
    """Return the variables of the cell's database, under a name that no other run uses."""
    return {name: f"{url.rsplit('/', 1)[0]}/matrix_{os.getpid()}" for name, url in DATABASES[cell.database].items()}


def main() -> int:
    """Run the cells and print a table. Returns 0 if all that could run passed."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--few", action="store_true", help="only some cells, and of them the tests that depend on versions")
    few = parser.parse_args().few
    outcomes = {}
    for cell in FEW if few else cells():
        sys.stdout.write(f"\n== Python {cell.python}, Django {cell.django}, {cell.database}\n")
        sys.stdout.flush()
        outcomes[cell] = run(cell, few=few)
    sys.stdout.write("\nPython  Django  database    result\n")
    for cell, outcome in outcomes.items():
        sys.stdout.write(f"{cell.python:<7} {cell.django:<7} {cell.database:<11} {outcome}\n")
    bad = [outcome for outcome in outcomes.values() if "FAILED" in outcome or ("NOT RUN" in outcome and os.environ.get("CI"))]
    return 1 if bad else 0


if __name__ == "__main__":
    sys.exit(main())
