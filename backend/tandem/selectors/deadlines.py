"""Limits for the time that a list waits for the site's databases.

Neither Django nor its drivers limit a statement, and a server that accepts connections and then says nothing would hold a
page for minutes. Here each statement of a block has what is left of the block's seconds. Whatever takes longer is stopped: a
statement is cancelled, and a connection on which even that has no effect is shut. The caller gets an error of the database,
as if the server had refused, and goes on without it.
"""

import os
import socket
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, ExitStack, contextmanager, suppress
from contextvars import ContextVar
from functools import partial
from typing import Any

from django.db import DEFAULT_DB_ALIAS, OperationalError, connections
from django.db.backends.base.base import BaseDatabaseWrapper

from tandem.conf import tandem_settings

BUSY_S = 0.05  # for another writer of SQLite
GRACE_S, GRACE_OF_TRANSACTION_S = 0.1, 2.0  # from cancelling a statement to shutting its connection
PAUSE_S = 2.0  # after a connection was shut
TICK_S = 0.02
IDLE_TICKS = 100

NEVER = float("inf")
LIMITED = ("connect", "_commit", "_rollback", "_set_autocommit", "is_usable")
CLEANING = ("ROLLBACK", "RELEASE")


class DatabaseLate(OperationalError):
    """The database did not answer in time; nothing was changed by the statement that was stopped."""


class _Block:
    """The statements of one block of one thread on one connection; the watching thread reads and stops them."""

    __slots__ = ("canceller", "connection", "late", "left", "lock", "statement", "stopping", "until")

    def __init__(self, connection: BaseDatabaseWrapper, left: "_Left") -> None:
        self.connection, self.left = connection, left
        self.until = NEVER  # when the statement that runs now is too late, in monotonic seconds
        self.statement = 0  # its number, so that a later one is not stopped in its place
        self.stopping = 0  # the number of the one that is being stopped
        self.late = False
        self.lock = threading.Lock()  # held while a statement is being stopped
        self.canceller: threading.Thread | None = None


class _Left:
    """The seconds that a block may still wait; shared by its connections."""

    __slots__ = ("seconds",)

    def __init__(self, seconds: float) -> None:
        self.seconds = seconds

    @contextmanager
    def at_most(self, seconds: float) -> Iterator[None]:
        """Leave an inner block so many seconds; what it does not use stays for the outer one."""
        outer, self.seconds = self.seconds, min(self.seconds, seconds)
        inner = self.seconds
        try:
            yield
        finally:
            self.seconds += outer - inner


class _Watch:
    """One thread per process that looks at all running statements every TICK_S; without blocks it sleeps."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._blocks: set[_Block] = set()
        self._awake = threading.Event()
        self._thread: threading.Thread | None = None

    def add(self, block: _Block) -> None:
        with self._lock:
            self._blocks.add(block)
            if self._thread is None:
                self._thread = threading.Thread(target=self._run, name="tandem-database-deadlines", daemon=True)
                self._thread.start()
        if not self._awake.is_set():
            self._awake.set()

    def remove(self, block: _Block) -> None:
        with self._lock:
            self._blocks.discard(block)

    def _run(self) -> None:
        idle = 0
        while True:
            self._awake.wait()
            time.sleep(TICK_S)
            now = time.monotonic()
            with self._lock:
                late = [block for block in self._blocks if block.until <= now and block.stopping != block.statement]
                idle = 0 if self._blocks else idle + 1
                if idle > IDLE_TICKS:
                    self._awake.clear()
            for block in late:
                block.stopping = block.statement
                threading.Thread(target=_stop, args=(block, block.statement), daemon=True).start()


_watch = _Watch()
_paused: dict[str, float] = {}  # alias -> until when it is not asked, in monotonic seconds
_active: ContextVar[_Left | None] = ContextVar("tandem_database_deadline", default=None)


def _after_fork() -> None:
    global _watch
    _watch = _Watch()  # threads do not survive a fork
    _paused.clear()


os.register_at_fork(after_in_child=_after_fork)


@contextmanager
def database_deadline(seconds: float, *, busy_s: float = BUSY_S) -> Iterator[None]:
    """Let the statements in this block take at most `seconds` together, on all databases.

    Only the time in statements and connecting counts; within another block, it counts for both. A statement that is too
    late, and each one after it, raises DatabaseLate. On SQLite a statement waits at most `busy_s` for another writer. After
    a connection had to be shut, blocks do not ask that database for PAUSE_S; then one of them tries.
    """
    outer = _active.get()
    if outer is not None:
        with outer.at_most(seconds):
            yield
        return
    left = _Left(seconds)
    reset_token = _active.set(left)
    try:
        with ExitStack() as stack:
            for connection in connections.all():
                stack.enter_context(_bounded(connection, left, busy_s))
            yield
    finally:
        _active.reset(reset_token)


def list_deadline() -> AbstractContextManager[None]:
    """Return a `database_deadline` of TANDEM["DATABASE_DEADLINE_S"]."""
    return database_deadline(tandem_settings().database_deadline_s)


@contextmanager
def _bounded(connection: BaseDatabaseWrapper, left: _Left, busy_s: float) -> Iterator[None]:
    """Limit every statement of a connection, and each method of it that waits for the server without a statement."""
    block = _Block(connection, left)
    usual = {name: getattr(connection, name) for name in LIMITED}
    replaced = {name: method for name, method in usual.items() if name in connection.__dict__}
    timeouts: list[tuple[Any, int]] = []  # the driver's connection, and its timeout before

    def set_busy() -> None:
        raw = connection.connection
        if connection.vendor == "sqlite" and raw is not None:
            timeouts.append((raw, raw.execute("PRAGMA busy_timeout").fetchone()[0]))
            raw.execute(f"PRAGMA busy_timeout = {round(1000 * busy_s)}")

    def execute(run: Callable[..., Any], sql: str, params: Any, many: bool, context: Any) -> Any:
        return _timed(block, lambda: run(sql, params, many, context), cleans=sql.startswith(CLEANING))

    def connect() -> None:
        _timed(block, lambda: _connect(connection, usual["connect"], left))
        set_busy()

    _watch.add(block)
    set_busy()
    for name, method in usual.items():
        setattr(connection, name, partial(_timed, block, method, cleans=name == "_rollback"))
    connection.connect = connect  # type: ignore[method-assign]
    try:
        with connection.execute_wrapper(execute):
            yield
    finally:
        for name in LIMITED:
            connection.__dict__.pop(name)
        connection.__dict__.update(replaced)
        _watch.remove(block)
        for raw, milliseconds in timeouts:
            with suppress(Exception):  # it is closed
                raw.execute(f"PRAGMA busy_timeout = {milliseconds}")


def _timed(block: _Block, work: Callable[..., Any], *args: Any, cleans: bool = False, **kwargs: Any) -> Any:
    """Return the result of a statement or of a method that waits for the server. Raises DatabaseLate.

    What `cleans` up after an error, so that the caller's transaction stays usable, has GRACE_S when no time is left.
    """
    if block.until != NEVER:  # a statement within a method: the method's time counts
        return work(*args, **kwargs)
    alias, left = block.connection.alias, block.left
    seconds = max(left.seconds, GRACE_S) if cleans else left.seconds
    if seconds <= 0:
        raise DatabaseLate("the databases took longer than a list may wait for them")
    probes = not cleans and _may_ask(alias)
    started = time.monotonic()
    block.statement += 1
    block.late, block.canceller = False, None
    block.until = started + seconds
    try:
        result = work(*args, **kwargs)
    except Exception as error:
        _end(block, started)
        if not block.late:
            raise
        raise DatabaseLate(f"the database '{alias}' did not answer in time") from error
    _end(block, started)
    if block.late and block.connection.connection is None:
        raise DatabaseLate(f"the database '{alias}' did not answer in time")
    if probes:
        _paused.pop(alias, None)
    return result


def _end(block: _Block, started: float) -> None:
    """Note that the statement ended. The connection of one that was being stopped is closed, so that no other is hit."""
    with block.lock:
        block.until = NEVER
    block.left.seconds -= time.monotonic() - started
    if not block.late:
        return
    block.left.seconds = 0.0
    connection = block.connection
    if connection.in_atomic_block:
        if block.canceller is not None:
            block.canceller.join(GRACE_OF_TRANSACTION_S)
    elif connection.vendor != "sqlite" and connection.connection is not None:
        with suppress(Exception):  # a pool must not give it to another thread
            connection.connection.close()
        connection.close()


def _may_ask(alias: str) -> bool:
    """Return True if this is the first statement after a pause. Raises DatabaseLate during the pause."""
    until = _paused.get(alias)
    if until is None:
        return False
    now = time.monotonic()
    if now < until:
        raise DatabaseLate(f"the database '{alias}' did not answer a moment ago")
    _paused[alias] = now + PAUSE_S  # the others wait for the result of this one
    return True


def _connect(connection: BaseDatabaseWrapper, usual_connect: Callable[[], None], left: _Left) -> None:
    """Connect, and wait for the server's answer in another thread where the driver has no limit of its own."""
    usual = connection.get_new_connection
    if connection.vendor != "sqlite":
        connection.get_new_connection = lambda params: _opened(connection, usual, params, left.seconds)  # type: ignore[method-assign, assignment]
    try:
        usual_connect()
    finally:
        connection.__dict__.pop("get_new_connection", None)


def _opened(connection: BaseDatabaseWrapper, usual: Callable[[Any], Any], params: Any, seconds: float) -> Any:
    result: list[Any] = []
    failure: list[BaseException] = []
    lock = threading.Lock()
    given_up: list[bool] = []

    def work() -> None:
        try:
            opened = usual(params)
        except BaseException as error:
            failure.append(error)
            return
        with lock:
            result.append(opened)
            unwanted = bool(given_up)
        if unwanted:
            pool = getattr(connection, "pool", None)
            pool.putconn(opened) if pool else opened.close()

    thread = threading.Thread(target=work, name="tandem-connect", daemon=True)
    thread.start()
    thread.join(seconds)
    with lock:
        if not result and not failure:
            given_up.append(True)
            _paused[connection.alias] = time.monotonic() + PAUSE_S
            raise DatabaseLate(f"the database '{connection.alias}' took no connection in time")
    if failure:
        raise failure[0]
    return result[0]


def _stop(block: _Block, statement: int) -> None:
    """Cancel a statement; shut its connection if it still runs after a grace period."""
    connection = block.connection

    def still_runs() -> bool:
        return block.statement == statement and block.until != NEVER

    with block.lock:
        raw = connection.connection
        if not still_runs():
            return
        block.late = True
        if raw is None:  # _opened gives up by itself
            return
        if connection.vendor == "sqlite":
            raw.interrupt()
        elif connection.vendor == "postgresql":
            block.canceller = threading.Thread(target=_cancel, args=(raw,), daemon=True)
            block.canceller.start()
    over = time.monotonic() + (GRACE_OF_TRANSACTION_S if connection.in_atomic_block else GRACE_S)
    while time.monotonic() < over:
        time.sleep(TICK_S)
        if not still_runs():
            return
    with block.lock:
        if connection.vendor != "sqlite" and still_runs():
            _paused[connection.alias] = time.monotonic() + PAUSE_S
            with suppress(Exception):  # whatever a driver raises: there is nothing else that could be tried
                _shut(raw)


def _cancel(raw: Any) -> None:
    with suppress(Exception):
        if hasattr(raw, "cancel_safe"):
            raw.cancel_safe(timeout=GRACE_OF_TRANSACTION_S)
        else:
            raw.cancel()


def _shut(raw: Any) -> None:
    """End both directions of the driver's socket, which wakes the thread that reads from it."""
    descriptor = raw.fileno() if hasattr(raw, "fileno") else raw._sock.fileno()  # PyMySQL has no other way
    with socket.socket(fileno=os.dup(descriptor)) as own:
        own.shutdown(socket.SHUT_RDWR)


def database_is_paused(alias: str = DEFAULT_DB_ALIAS) -> bool:
    """True if the database did not answer a moment ago, so lists are made without it."""
    return time.monotonic() < _paused.get(alias, 0.0)
