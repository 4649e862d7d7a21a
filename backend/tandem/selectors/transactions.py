"""Transactions that cannot break the page that asks, and do not lose against another writer."""

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager

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
def writing(using: str) -> Iterator[None]:
    """Run statements in one transaction that writes; inside the caller's transaction, in a savepoint of it.

    On SQLite a transaction that reads first may not begin to write if another one wrote meanwhile: it fails at once, however
    long its timeout is. So the outermost transaction takes the lock for writing when it begins, and waits for it.
    """
    connection = connections[using]
    with ExitStack() as stack:
        if connection.vendor == "sqlite" and not connection.in_atomic_block:
            connection.ensure_connection()  # which sets the mode of the settings
            stack.callback(setattr, connection, "transaction_mode", getattr(connection, "transaction_mode", None))
            connection.transaction_mode = "IMMEDIATE"
        stack.enter_context(transaction.atomic(using=using))
        yield
