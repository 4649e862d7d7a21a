"""Runs a program of the backend in a separate process, on a new database of each kind that is available.

The process is separate because this package must not import Django. The program reads sys.argv and prints one line of JSON.
"""

import json
import os
import secrets
import subprocess
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
BACKEND = ROOT / "backend"
POSTGRES = os.environ.get("BENCH_POSTGRES_URL", "postgres://postgres@127.0.0.1:5432/postgres")

Rows = list[tuple[str, str]]
Figures = dict[str, float]


def on_each(root: Path, program: str, arguments: Sequence[str], rows_of: Callable[[str, Figures], Rows]) -> Rows:
    """Return the rows for SQLite and, if it is available, for PostgreSQL. Raises RuntimeError."""
    rows = rows_of("SQLite", figures(f"sqlite:///{root / 'bench.sqlite3'}", program, arguments))
    with _postgres_database() as url:
        if url is None:
            return [*rows, ("PostgreSQL", f"not reachable at {POSTGRES.rpartition('@')[2]}; name it in BENCH_POSTGRES_URL")]
        return [*rows, *rows_of("PostgreSQL", figures(url, program, arguments))]


def figures(url: str, program: str, arguments: Sequence[str]) -> Figures:
    """Run the program and return its last line. Raises RuntimeError with its error output."""
    environment = {
        **os.environ,
        "DATABASE_URL": url,
        "DJANGO_SETTINGS_MODULE": "config.settings.local",
        "PYTHONPATH": os.pathsep.join((str(ROOT), str(BACKEND))),
    }
    inside = f"import django; django.setup()\n{program}"
    done = subprocess.run(
        [sys.executable, "-c", inside, *arguments], env=environment, capture_output=True, text=True, check=False
    )
    if done.returncode:
        raise RuntimeError(done.stderr.strip().splitlines()[-1] if done.stderr.strip() else "the program failed")
    figures_by_name: Figures = json.loads(done.stdout.splitlines()[-1])
    return figures_by_name


@contextmanager
def _postgres_database() -> Iterator[str | None]:
    """Yield the address of a database that is dropped afterwards, or None if PostgreSQL is not available."""
    name = f"tandem_bench_{secrets.token_hex(4)}"
    if not _ran(f'CREATE DATABASE "{name}"'):
        yield None
        return
    try:
        yield f"{POSTGRES.rpartition('/')[0]}/{name}"
    finally:
        _ran(f'DROP DATABASE IF EXISTS "{name}" WITH (FORCE)')


def _ran(statement: str) -> bool:
    """True if the statement ran outside a transaction."""
    import psycopg  # an optional package of this program's other half

    try:
        with psycopg.connect(POSTGRES, autocommit=True, connect_timeout=2) as connection:
            connection.execute(statement.encode())
    except psycopg.OperationalError:
        return False
    return True
