"""No statement of a list outlives its time, whatever the database does, and the caller's transaction stays usable."""

import os
import sqlite3
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest
from django.db import OperationalError, connection, connections, transaction

from tandem.selectors import deadlines
from tandem.selectors.deadlines import DatabaseLate, database_deadline
from tandem.selectors.transactions import contained
from tests.support.slow_network import SlowNetwork

ALIAS = "far"
ENDLESS = "SELECT pg_sleep(60)"  # whatever ends it was the deadline
SECONDS = 0.3


@pytest.fixture(autouse=True)
def _nothing_paused() -> Iterator[None]:
    deadlines._paused.clear()
    yield
    deadlines._paused.clear()


@pytest.fixture
def network(monkeypatch: pytest.MonkeyPatch) -> Iterator[SlowNetwork]:
    """A PostgreSQL behind a network of the test's own, as the database ALIAS."""
    parts = urlsplit(os.environ.get("TEST_DATABASE_URL", "postgres://postgres@127.0.0.1:5432/postgres"))
    made = SlowNetwork(parts.hostname or "127.0.0.1", parts.port or 5432)
    own = {
        "ENGINE": "django.db.backends.postgresql", "HOST": "127.0.0.1", "PORT": made.port, "NAME": "postgres",
        "USER": parts.username or "postgres", "PASSWORD": parts.password or "", "OPTIONS": {},
    }  # fmt: skip
    monkeypatch.setitem(connections.databases, ALIAS, {**connections.databases["default"], **own})
    yield made
    made.stalled = False
    connections[ALIAS].close()
    del connections[ALIAS]
    made.close()


def ask(sql: str = "SELECT 1", *, seconds: float = SECONDS) -> Any:
    with database_deadline(seconds), contained(), connections[ALIAS].cursor() as cursor:
        cursor.execute(sql)
        return cursor.fetchone()


def outside() -> Any:
    """A statement of the site, which has no deadline."""
    with connections[ALIAS].cursor() as cursor:
        cursor.execute("SELECT 2")
        return cursor.fetchone()


services = pytest.mark.services


@services
def test_a_slow_statement_is_cancelled_and_the_next_one_works(network: SlowNetwork, django_db_blocker: Any) -> None:
    with django_db_blocker.unblock():
        assert ask() == (1,)
        with pytest.raises(DatabaseLate, match="'far' did not answer in time"):
            ask(ENDLESS)
        assert ask() == (1,)


@services
def test_the_sites_transaction_goes_on_after_a_cancelled_statement(network: SlowNetwork, django_db_blocker: Any) -> None:
    with django_db_blocker.unblock(), transaction.atomic(using=ALIAS):
        with pytest.raises(DatabaseLate):
            ask(ENDLESS)
        assert outside() == (2,)


@services
@pytest.mark.parametrize("connected", [True, False])
def test_a_server_that_stands_still_is_left_at_once(network: SlowNetwork, django_db_blocker: Any, *, connected: bool) -> None:
    with django_db_blocker.unblock():
        if connected:
            assert ask() == (1,)
        network.stalled = True
        with pytest.raises(DatabaseLate):
            ask()
        with pytest.raises(DatabaseLate, match="a moment ago"):  # without a packet being sent
            ask()
        network.stalled = False
        deadlines._paused[ALIAS] = time.monotonic()  # the pause is over
        assert ask() == (1,)
        assert ask() == (1,)
        assert deadlines._paused == {}


@services
def test_during_a_pause_one_block_tries_and_the_others_go_on_without(network: SlowNetwork, django_db_blocker: Any) -> None:
    with django_db_blocker.unblock():
        network.stalled = True
        deadlines._paused[ALIAS] = time.monotonic()
        failed: list[str] = []

        def other() -> None:
            with pytest.raises(DatabaseLate) as raised:
                ask()
            failed.append(str(raised.value))
            connections[ALIAS].close()

        prober = threading.Thread(target=other)
        prober.start()
        while deadlines._paused[ALIAS] < time.monotonic() + 1:  # until it has begun
            time.sleep(0.001)
        with pytest.raises(DatabaseLate, match="a moment ago"):
            ask()
        assert failed == []
        prober.join()
        assert failed == ["the database 'far' took no connection in time"]


@services
def test_many_packets_of_a_slow_network_end_with_the_time(network: SlowNetwork, django_db_blocker: Any) -> None:
    with django_db_blocker.unblock():
        assert outside() == (2,)
        network.delay_s = 0.05
        done: list[Any] = []

        def many() -> None:
            with database_deadline(SECONDS):
                while True:
                    done.append(outside())

        with pytest.raises(DatabaseLate):
            many()
        assert 0 < len(done) <= 3  # 0.1 s each
        network.delay_s = 0.0
        assert outside() == (2,)


@services
def test_a_commit_that_gets_no_answer_ends_too(network: SlowNetwork, django_db_blocker: Any) -> None:
    def write() -> None:
        with database_deadline(SECONDS), transaction.atomic(using=ALIAS):
            outside()
            network.stalled = True

    with django_db_blocker.unblock(), pytest.raises(DatabaseLate):
        write()


@services
def test_an_inner_block_leaves_the_outer_one_the_rest(network: SlowNetwork, django_db_blocker: Any) -> None:
    with django_db_blocker.unblock(), database_deadline(60):
        with pytest.raises(DatabaseLate):
            ask(ENDLESS)
        assert outside() == (2,)


def locked(path: Path) -> sqlite3.Connection:
    other = sqlite3.connect(path, isolation_level=None)
    other.execute("BEGIN EXCLUSIVE")
    return other


@pytest.fixture
def file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A SQLite database as ALIAS whose timeout is longer than any test."""
    path = tmp_path / "far.sqlite3"
    sqlite3.connect(path).execute("CREATE TABLE one (number INTEGER)").connection.close()
    own = {"ENGINE": "django.db.backends.sqlite3", "NAME": str(path), "OPTIONS": {"timeout": 600}}
    monkeypatch.setitem(connections.databases, ALIAS, {**connections.databases["default"], **own})
    yield path
    connections[ALIAS].close()
    del connections[ALIAS]


def test_a_locked_sqlite_is_waited_for_a_moment_only_and_keeps_its_timeout(file: Path, django_db_blocker: Any) -> None:
    with django_db_blocker.unblock():
        for connects_within in (True, False):
            if not connects_within:
                outside()
            other = locked(file)
            with pytest.raises(OperationalError, match="locked"):
                ask("SELECT COUNT(*) FROM one")
            other.close()
            assert connections[ALIAS].connection.execute("PRAGMA busy_timeout").fetchone() == (600_000,)
            connections[ALIAS].close()


def test_an_endless_statement_of_sqlite_is_interrupted(file: Path, django_db_blocker: Any) -> None:
    endless = "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n) SELECT COUNT(*) FROM n"
    with django_db_blocker.unblock():
        with pytest.raises(DatabaseLate):
            ask(endless)
        assert ask() == (1,)


@pytest.mark.django_db
def test_a_savepoint_is_given_back_when_no_time_is_left() -> None:
    def late() -> None:
        with database_deadline(0.0), contained(), connection.cursor() as cursor:
            cursor.execute("SELECT 1")

    with pytest.raises(DatabaseLate):
        late()
    assert not connection.needs_rollback
    with connection.cursor() as cursor:
        assert cursor.execute("SELECT 1").fetchone() == (1,) if connection.vendor == "sqlite" else True


def test_methods_of_the_connection_are_its_own_again() -> None:
    before = {name: name in connection.__dict__ for name in deadlines.LIMITED}
    wrappers: Callable[[], int] = lambda: len(connection.execute_wrappers)  # noqa: E731
    count = wrappers()
    with database_deadline(1.0):
        assert wrappers() == count + 1
    assert {name: name in connection.__dict__ for name in deadlines.LIMITED} == before
    assert wrappers() == count
