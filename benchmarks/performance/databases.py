"""Runs a program inside the backend, in a process of its own, on a new database of each kind that answers.

Of its own, since this package must not import Django. The program finds its words in sys.argv and prints one line of JSON.
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


def on_each(root: Path, program: str, words: Sequence[str], told: Callable[[str, Figures], Rows]) -> Rows:
    """What `told` says of the figures from SQLite and, where it answers, from PostgreSQL. Raises RuntimeError."""
    rows = told("SQLite", figures(f"sqlite:///{root / 'bench.sqlite3'}", program, words))
    with _postgres_database() as url:
        if url is None:
            return [*rows, ("PostgreSQL", f"not reachable at {POSTGRES.rpartition('@')[2]}; name it in BENCH_POSTGRES_URL")]
        return [*rows, *told("PostgreSQL", figures(url, program, words))]


def figures(url: str, program: str, words: Sequence[str]) -> Figures:
    """What the program printed last. Raises RuntimeError with what it complained of."""
    environment = {
        **os.environ,
        "DATABASE_URL": url,
        "DJANGO_SETTINGS_MODULE": "config.settings.local",
        "PYTHONPATH": os.pathsep.join((str(ROOT), str(BACKEND))),
    }
    inside = f"import django; django.setup()\n{program}"
    done = subprocess.run([sys.executable, "-c", inside, *words], env=environment, capture_output=True, text=True, check=False)
    if done.returncode:
        raise RuntimeError(done.stderr.strip().splitlines()[-1] if done.stderr.strip() else "the program failed")
    found: Figures = json.loads(done.stdout.splitlines()[-1])
    return found


@contextmanager
def _postgres_database() -> Iterator[str | None]:
    """The address of a database that is dropped afterwards; None where PostgreSQL does not answer."""
    name = f"tandem_bench_{secrets.token_hex(4)}"
    if not _ran(f'CREATE DATABASE "{name}"'):
        yield None
        return
    try:
        yield f"{POSTGRES.rpartition('/')[0]}/{name}"
    finally:
        _ran(f'DROP DATABASE IF EXISTS "{name}" WITH (FORCE)')


def _ran(statement: str) -> bool:
    """Whether a statement could be run outside a transaction."""
    import psycopg  # an optional package of this program's other half

    try:
        with psycopg.connect(POSTGRES, autocommit=True, connect_timeout=2) as connection:
            connection.execute(statement.encode())
    except psycopg.OperationalError:
        return False
    return True
