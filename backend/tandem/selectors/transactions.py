"""Reads that cannot break the transaction of the page that asks."""

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
