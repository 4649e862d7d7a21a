"""A page in one transaction, as with ATOMIC_REQUESTS: no failure of a list's own statements breaks it."""

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
from tandem.selectors.transactions import contained, writing
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
