"""Transactions that cannot break the page that asks, and do not lose against another writer."""

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from typing import Any

from django.db import connections, transaction


@contextmanager
def contained() -> Iterator[None]:
    """Run statements so that an error of the database inside leaves the caller's transaction usable.

    With ATOMIC_REQUESTS the whole page is one transaction. PostgreSQL refuses every statement after an error in it, so the
    page would fail although the error was caught. Inside a transaction a savepoint is used; outside there is none, and no
    cost. The error itself is raised.
    """
    with ExitStack() as savepoints:
        for connection in connections.all(initialized_only=True):
            if connection.in_atomic_block and not connection.needs_rollback:
                savepoints.enter_context(transaction.atomic(using=connection.alias))
        yield


@contextmanager
def writing(using: str, *, wait_s: float | None = None) -> Iterator[None]:
    """Run statements in one transaction that writes; inside the caller's transaction, in a savepoint of it.

    On SQLite a transaction that reads first may not begin to write if another one wrote meanwhile: it fails at once, however
    long its timeout is. So the outermost transaction takes the lock for writing when it begins, and waits for it. `wait_s`
    limits the wait of an outermost transaction for the locks of other writers, on SQLite and PostgreSQL; None: as long as the
    database's settings say.
    """
    connection: Any = connections[using]  # the attribute `transaction_mode` is SQLite's alone
    outermost = not connection.in_atomic_block
    with ExitStack() as stack:
        if connection.vendor == "sqlite" and outermost:
            connection.ensure_connection()  # which sets the mode of the settings
            stack.callback(setattr, connection, "transaction_mode", getattr(connection, "transaction_mode", None))
            connection.transaction_mode = "IMMEDIATE"
            if wait_s is not None:
                stack.enter_context(_busy_timeout(connection.connection, wait_s))
        stack.enter_context(transaction.atomic(using=using))
        if wait_s is not None and connection.vendor == "postgresql" and outermost:
            with connection.cursor() as cursor:
                cursor.execute(f"SET LOCAL lock_timeout = {round(wait_s * 1000)}")
        yield


@contextmanager
def _busy_timeout(sqlite: Any, seconds: float) -> Iterator[None]:
    """Wait at most so long for the lock of another writer; `sqlite` is the driver's connection."""
    (usual,) = sqlite.execute("PRAGMA busy_timeout").fetchone()
    sqlite.execute(f"PRAGMA busy_timeout = {round(seconds * 1000)}")
    try:
        yield
    finally:
        sqlite.execute(f"PRAGMA busy_timeout = {usual}")
