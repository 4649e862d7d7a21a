"""Transactions that cannot break the page that asks, and do not lose against another writer."""

import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from typing import Any, TypeVar

from django.db import connections, transaction

Row = TypeVar("Row")

LOCK_S = 0.025  # aimed at for one of many transactions in a row; a list waits at most 0.05 s for the lock
GAP_S = 0.02  # between two of them on SQLite: its waiting writers look that often
FEWEST = 20  # rows in a transaction, however slow the database


class _LockTime(threading.local):
    seconds = 0.0  # of this thread's last outermost transaction, without its wait for the lock


_lock_time = _LockTime()
_free_since = 0.0  # in monotonic seconds: when a transaction of this process last let go of the lock


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
        if outermost:
            stack.callback(_let_go)
        stack.enter_context(transaction.atomic(using=using))
        if outermost:
            _lock_time.seconds = time.monotonic()
        if wait_s is not None and connection.vendor == "postgresql" and outermost:
            with connection.cursor() as cursor:
                cursor.execute(f"SET LOCAL lock_timeout = {round(wait_s * 1000)}")
        yield


def _let_go() -> None:
    global _free_since
    _free_since = time.monotonic()
    _lock_time.seconds = _free_since - _lock_time.seconds


class Pace:
    """How many rows of one kind are written per transaction, so that each is over after about LOCK_S."""

    def __init__(self, most: int) -> None:
        self.most = most
        self.rows = min(200, most)  # of the next transaction

    def parts(self, rows: Sequence[Row], *, using: str) -> Iterator[Sequence[Row]]:
        """Yield the rows in parts; the caller writes each with `writing`. Within a transaction, parts are as large as they may.

        On SQLite, where one writer keeps all others out, there are GAP_S between two of them.
        """
        connection = connections[using]
        start = 0
        while start < len(rows):
            if connection.in_atomic_block:
                yield rows[start : start + self.most]
                start += self.most
                continue
            if connection.vendor == "sqlite":
                time.sleep(max(0.0, _free_since + GAP_S - time.monotonic()))
            part = rows[start : start + self.rows]
            start += len(part)
            _lock_time.seconds = 0.0
            yield part
            self._learn(len(part), _lock_time.seconds)

    def _learn(self, rows: int, seconds: float) -> None:
        if seconds > LOCK_S:
            self.rows = max(FEWEST, min(self.rows, int(rows * LOCK_S / seconds)))
        elif rows == self.rows and seconds < LOCK_S / 2:
            self.rows = min(2 * self.rows, self.most)


@contextmanager
def _busy_timeout(sqlite: Any, seconds: float) -> Iterator[None]:
    """Wait at most so long for the lock of another writer; `sqlite` is the driver's connection."""
    (usual,) = sqlite.execute("PRAGMA busy_timeout").fetchone()
    sqlite.execute(f"PRAGMA busy_timeout = {round(seconds * 1000)}")
    try:
        yield
    finally:
        sqlite.execute(f"PRAGMA busy_timeout = {usual}")
