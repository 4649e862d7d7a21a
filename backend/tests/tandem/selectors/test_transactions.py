"""A page in one transaction, as with ATOMIC_REQUESTS: no failure of a list's own statements breaks it."""

import itertools
import sqlite3
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.db import DatabaseError, connection, transaction
from django.db.utils import ConnectionHandler

from sites.startups.models import Developer, Startup
from tandem.models import UserInteraction
from tandem.selectors import transactions
from tandem.selectors.transactions import FEWEST, GAP_S, LOCK_S, Pace, contained, writing
from tandem.services.recommend import recommend
from tandem.slates import slate
from tests.support import board

pytestmark = pytest.mark.django_db(transaction=True)

TABLES = (
    "tandem_userinteraction",
    "tandem_userkey",
    "tandem_feedback",
    "tandem_impression",
    "tandem_itemkey",
    "startups_startup",
)


@pytest.fixture
def ada() -> Developer:
    startups = board.make_startups(12)
    ada = board.make_developer("Ada")
    board.did(str(ada.pk), startups[0].pk)
    return ada


@pytest.fixture
def broken(request: pytest.FixtureRequest) -> Iterator[str]:
    """Every statement that names this table really fails in the database."""
    table: str = request.param

    def fail(execute: Any, sql: str, params: Any, many: bool, context: Any) -> Any:
        return execute(
            sql.replace(f'"{table}"', '"no_such_table"').replace(f"`{table}`", "`no_such_table`"), params, many, context
        )

    with connection.execute_wrapper(fail):
        yield table


@pytest.mark.parametrize("broken", TABLES, indirect=True)
def test_a_failing_table_leaves_the_pages_transaction_usable(ada: Developer, broken: str) -> None:
    with transaction.atomic():
        User.objects.create_user("written-by-the-page")
        shown = slate("for-developer", user=str(ada.pk), limit=3)
        answer = recommend(use_case="startups", surface="for-developer", user_id=str(ada.pk), limit=3)
        assert User.objects.filter(username="written-by-the-page").exists()
    assert answer["user_id"] == str(ada.pk)
    assert broken == "startups_startup" or len(shown) == 3
    assert User.objects.filter(username="written-by-the-page").exists()


def test_outside_a_transaction_it_costs_nothing(ada: Developer, django_assert_num_queries: Any) -> None:
    with django_assert_num_queries(1), contained():
        assert Startup.objects.exists()


def test_the_error_itself_is_raised_and_the_transaction_goes_on(ada: Developer) -> None:
    with transaction.atomic():
        with pytest.raises(DatabaseError), contained():
            UserInteraction.objects.raw("SELECT * FROM no_such_table")[0]
        assert UserInteraction.objects.exists()


def test_on_sqlite_a_writer_that_reads_first_never_loses_against_another(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """With a plain transaction the last INSERT fails at once: "database is locked"."""
    path = str(tmp_path / "site.sqlite3")
    handler = ConnectionHandler({"default": {"ENGINE": "django.db.backends.sqlite3", "NAME": path}})
    for module in ("tandem.selectors.transactions", "django.db.transaction"):
        monkeypatch.setattr(f"{module}.connections", handler)
    with sqlite3.connect(path) as other:
        other.execute("PRAGMA journal_mode = WAL")
        other.execute("CREATE TABLE shown (id INTEGER)")
    other.execute("PRAGMA busy_timeout = 0")
    own = handler["default"]
    with writing("default"), own.cursor() as cursor:
        cursor.execute("SELECT count(*) FROM shown")
        with pytest.raises(sqlite3.OperationalError, match="locked"):
            other.execute("INSERT INTO shown VALUES (1)")
        cursor.execute("INSERT INTO shown VALUES (2)")
    assert own.transaction_mode is None
    assert other.execute("SELECT id FROM shown").fetchall() == [(2,)]
    other.close()
    own.close()


def test_only_reads_and_savepoints_are_plain_transactions() -> None:
    """Any other transaction may write after it read, and begins with `writing`."""
    package = Path(transactions.__file__).parents[1]
    plain = {str(path.relative_to(package)) for path in package.rglob("*.py") if "transaction.atomic(" in path.read_text()}
    assert plain == {
        "event_sync/live.py",
        "exports/datasets.py",
        "selectors/transactions.py",
        "services/record_interactions.py",
        "vectors/postgres.py",
    }


def test_on_sqlite_a_writer_waits_for_another_no_longer_than_it_was_told(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = str(tmp_path / "site.sqlite3")
    handler = ConnectionHandler(
        {"default": {"ENGINE": "django.db.backends.sqlite3", "NAME": path, "OPTIONS": {"timeout": 600}}}
    )
    for module in ("tandem.selectors.transactions", "django.db.transaction"):
        monkeypatch.setattr(f"{module}.connections", handler)
    other = sqlite3.connect(path, isolation_level=None)
    other.execute("CREATE TABLE shown (id INTEGER)")
    other.execute("BEGIN IMMEDIATE")
    own = handler["default"]
    with pytest.raises(DatabaseError, match="locked"), writing("default", wait_s=0.01):
        pass
    assert own.connection.execute("PRAGMA busy_timeout").fetchone() == (600_000,)
    other.close()
    own.close()


class FakeDatabase:
    """A clock, and a writer that needs `row_s` for a row."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch, vendor: str = "sqlite") -> None:
        self.now, self.row_s, self.in_atomic_block, self.vendor = 100.0, 0.0, False, vendor
        self.busy: list[tuple[float, float]] = []  # when each transaction had the lock
        monkeypatch.setattr(transactions, "connections", {"default": self})
        monkeypatch.setattr(transactions, "time", self)

    def monotonic(self) -> float:
        return self.now

    def sleep(self, seconds: float) -> None:
        self.now += seconds

    def write(self, rows: int) -> None:
        begun = self.now
        self.now += rows * self.row_s
        self.busy.append((begun, self.now))
        transactions._lock_time.seconds = begun
        transactions._let_go()


def test_a_pace_finds_how_many_rows_hold_the_lock_as_long_as_they_may(monkeypatch: pytest.MonkeyPatch) -> None:
    database, pace, rows = FakeDatabase(monkeypatch), Pace(most=1_000), list(range(20_000))
    done: list[int] = []
    for row_s in (0.0001, 0.001, 0.00001):  # the database becomes slower, then fast
        database.row_s = row_s
        before = len(database.busy)
        for part in pace.parts(rows, using="default"):
            done += part
            database.write(len(part))
        durations = [until - begun for begun, until in database.busy[before:]]
        assert max(durations[1:]) <= LOCK_S * 1.01  # the first one finds out
        assert sum(durations) / len(durations) > LOCK_S / 4 or pace.rows == pace.most
    assert done == rows * 3
    gaps = [later[0] - earlier[1] for earlier, later in itertools.pairwise(database.busy)]
    assert min(gaps) >= GAP_S * 0.99


def test_a_pace_always_goes_on(monkeypatch: pytest.MonkeyPatch) -> None:
    database, pace = FakeDatabase(monkeypatch), Pace(most=1_000)
    database.row_s = 60.0
    sizes = []
    for part in pace.parts(range(300), using="default"):
        sizes.append(len(part))
        database.write(len(part))
    assert sizes == [200, FEWEST, FEWEST, FEWEST, FEWEST, FEWEST]


@pytest.mark.parametrize(("vendor", "inside"), [("sqlite", True), ("postgresql", False)])
def test_nobody_waits_where_nothing_is_gained(monkeypatch: pytest.MonkeyPatch, vendor: str, inside: bool) -> None:
    """Within the caller's transaction the lock stays with it, and PostgreSQL has no lock for all writers."""
    database = FakeDatabase(monkeypatch, vendor)
    database.in_atomic_block = inside
    sizes = []
    for part in Pace(most=1_000).parts(range(2_500), using="default"):
        sizes.append(len(part))
        database.write(len(part))
    assert sizes == ([1_000, 1_000, 500] if inside else [200, 400, 800, 1_000, 100])
    assert database.now == 100.0
