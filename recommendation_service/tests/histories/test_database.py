"""The live past, on SQLite and PostgreSQL, and the export whenever the database fails."""

import os
import time
import uuid
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from sqlalchemy import Engine, create_engine, insert, text
from sqlalchemy.exc import OperationalError

from recommendation_service.domain.history import SEEN_LIMIT, UNKNOWN_TIME
from recommendation_service.errors import ConfigurationError
from recommendation_service.histories import tables
from recommendation_service.histories.database import REST_S, DatabaseHistories, open_database
from recommendation_service.histories.interactions import recorded
from recommendation_service.histories.snapshot import SnapshotHistories
from recommendation_service.settings import load_settings
from recommendation_service.tests.support.exports import clubs, write_export
from recommendation_service.use_cases.loader import load
from recommendation_service.wiring import database_url

POSTGRES = os.environ.get("TEST_POSTGRES_URL", "postgresql+psycopg://postgres@127.0.0.1:5432/postgres")
START = datetime(2026, 1, 1, tzinfo=UTC)


@pytest.fixture
def snapshot(tmp_path: Path) -> SnapshotHistories:
    return SnapshotHistories(write_export(tmp_path / "data", load("startups"), *clubs()))


@pytest.fixture
def sqlite_url(tmp_path: Path) -> str:
    url = f"sqlite:///{tmp_path / 'site.sqlite3'}"
    _fill(url)
    return url


@pytest.fixture
def postgres_url() -> Iterator[str]:
    name = f"recs_{uuid.uuid4().hex[:12]}"
    server = create_engine(POSTGRES, isolation_level="AUTOCOMMIT", connect_args={"connect_timeout": 2})
    try:
        with server.connect() as connection:
            connection.execute(text(f"CREATE DATABASE {name}"))
    except OperationalError:
        pytest.skip("PostgreSQL cannot be reached")
    url = POSTGRES.rpartition("/")[0] + f"/{name}"
    _fill(url)
    yield url
    with server.connect() as connection:
        connection.execute(text(f"DROP DATABASE {name} WITH (FORCE)"))
    server.dispose()


@pytest.fixture(params=["sqlite", pytest.param("postgres", marks=pytest.mark.services)])
def url(request: pytest.FixtureRequest) -> str:
    found: str = request.getfixturevalue(f"{request.param}_url")
    return found


def _fill(url: str) -> None:
    """Django's five tables: u001 did three things with startups and one with a film; busy did 5,100."""
    engine = create_engine(url)
    tables.METADATA.create_all(engine)
    rows = [
        (1, 1, 1, 1, None, START),
        (1, 2, 1, 2, 4.5, START + timedelta(hours=2)),
        (1, 3, 1, 1, None, START + timedelta(hours=1)),
        (1, 4, 2, 1, None, START + timedelta(hours=3)),
        *((2, 1 + n % 3, 1, 1, None, START + timedelta(minutes=n)) for n in range(5100)),
    ]
    keys = ("user_id", "item_id", "catalogue_id", "kind_id", "value", "time")
    with engine.begin() as connection:
        connection.execute(insert(tables.USERS), [{"id": 1, "user_id": "u001"}, {"id": 2, "user_id": "busy"}])
        connection.execute(insert(tables.CATALOGUES), [{"id": 1, "name": "startups"}, {"id": 2, "name": "movies"}])
        connection.execute(insert(tables.EVENTS), [{"id": 1, "name": "like"}, {"id": 2, "name": "apply"}])
        items = [{"id": one, "item_id": name} for one, name in enumerate(["i000", "i001", "i002", "film"], start=1)]
        connection.execute(insert(tables.ITEMS), items)
        connection.execute(insert(tables.INTERACTIONS), [dict(zip(keys, row, strict=True)) for row in rows])
    engine.dispose()


class Clock:
    now = 1000.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def pool(url: str) -> Iterator[Engine]:
    engine = open_database(url, connections=1, statement_timeout_ms=300)
    yield engine
    engine.dispose()


def test_the_live_past_is_newest_first_in_one_catalogue(pool: Engine, snapshot: SnapshotHistories) -> None:
    events = DatabaseHistories(pool, "startups", snapshot).history("u001")
    assert events is not None
    assert [(event.item_id, event.event, event.value) for event in events] == [
        ("i001", "apply", 4.5),
        ("i002", "like", None),
        ("i000", "like", None),
    ]
    assert events[0].time == (START + timedelta(hours=2)).timestamp()


def test_the_profile_is_the_exported_one(pool: Engine, snapshot: SnapshotHistories) -> None:
    assert DatabaseHistories(pool, "startups", snapshot).profile("u003") == {"skills": ("t1",)}


def test_somebody_without_events_has_none_even_if_the_export_knew_some(pool: Engine, snapshot: SnapshotHistories) -> None:
    assert DatabaseHistories(pool, "startups", snapshot).history("u003") is None


def test_a_long_past_is_cut_to_the_newest(pool: Engine, snapshot: SnapshotHistories) -> None:
    events = DatabaseHistories(pool, "startups", snapshot).history("busy")
    assert events is not None
    assert len(events) == SEEN_LIMIT
    assert events[0].time == (START + timedelta(minutes=5099)).timestamp()


@pytest.mark.parametrize("user_id", ["'; DROP TABLE tandem_userkey; --", "a" * 5000, "\u202eabc", "%", "u00_"])
def test_an_id_is_only_ever_a_value(pool: Engine, snapshot: SnapshotHistories, user_id: str) -> None:
    histories = DatabaseHistories(pool, "startups", snapshot)
    assert histories.history(user_id) is None
    assert histories.history("u001") is not None


def test_a_database_that_is_away_gives_the_exported_past_and_a_rest(tmp_path: Path, snapshot: SnapshotHistories) -> None:
    failures, clock = [], Clock()
    engine = open_database("postgresql://nobody@127.0.0.1:1/none", connections=1, statement_timeout_ms=100)
    histories = DatabaseHistories(engine, "startups", snapshot, failed=lambda: failures.append(1), clock=clock)
    assert histories.history("u003") == snapshot.history("u003")
    for _ in range(100):
        histories.history("u003")
    assert len(failures) == 1
    clock.now += REST_S
    histories.history("u003")
    assert len(failures) == 2


def test_missing_tables_give_the_exported_past(tmp_path: Path, snapshot: SnapshotHistories) -> None:
    engine = open_database(f"sqlite:///{tmp_path / 'empty.sqlite3'}", connections=1, statement_timeout_ms=100)
    assert DatabaseHistories(engine, "startups", snapshot).history("u003") == snapshot.history("u003")
    engine.dispose()


def test_a_database_that_comes_back_is_used_again(pool: Engine, snapshot: SnapshotHistories) -> None:
    clock = Clock()
    histories = DatabaseHistories(pool, "startups", snapshot, clock=clock)
    held = pool.connect()  # the only connection: the pool is exhausted
    started = time.perf_counter()
    assert histories.history("u001") == snapshot.history("u001")
    assert time.perf_counter() - started < 1
    held.close()
    clock.now += REST_S
    live = histories.history("u001")
    assert live is not None
    assert len(live) == 3


@pytest.mark.services
def test_a_slow_query_is_cut_off_by_the_statement_timeout(postgres_url: str, snapshot: SnapshotHistories) -> None:
    blocker, failures = create_engine(postgres_url), []
    engine = open_database(postgres_url, connections=1, statement_timeout_ms=100)
    histories = DatabaseHistories(engine, "startups", snapshot, failed=lambda: failures.append(1))
    with blocker.begin() as connection:
        connection.execute(text("LOCK TABLE tandem_userinteraction IN ACCESS EXCLUSIVE MODE"))
        started = time.perf_counter()
        assert histories.history("u001") == snapshot.history("u001")
        assert time.perf_counter() - started < 1
    assert failures == [1]
    engine.dispose()
    blocker.dispose()


@pytest.mark.parametrize("url", ["mysql://x/y", "not a url", "postgresql"])
def test_a_url_it_cannot_use_is_refused_without_telling_it(url: str) -> None:
    with pytest.raises(ConfigurationError, match="RS_DATABASE_URL") as refused:
        open_database(url, connections=1, statement_timeout_ms=100)
    assert url == "postgresql" or url not in refused.value.message


def test_the_url_may_be_given_in_parts() -> None:
    parts = {"RS_DB_HOST": "db", "RS_DB_NAME": "site", "RS_DB_USER": "reader", "RS_DB_PASSWORD": "p@ss:/w"}
    assert database_url(load_settings(parts)) == "postgresql://reader:p%40ss%3A%2Fw@db:5432/site"
    assert database_url(load_settings({**parts, "RS_DATABASE_URL": "sqlite://"})) == "sqlite://"
    assert database_url(load_settings({})) == ""


def test_unknown_times_are_the_oldest_and_equal_times_keep_the_order_of_arrival(
    url: str, pool: Engine, snapshot: SnapshotHistories
) -> None:
    engine = create_engine(url)
    row = {"user_id": 3, "catalogue_id": 1, "kind_id": 1}
    times = [None, START, START, None, START - timedelta(days=1)]
    with engine.begin() as connection:
        connection.execute(insert(tables.USERS), [{"id": 3, "user_id": "old"}])
        rows = [{**row, "id": 9000 + n, "item_id": 1 + n % 3, "time": when} for n, when in enumerate(times)]
        connection.execute(insert(tables.INTERACTIONS), rows)
    engine.dispose()
    events = DatabaseHistories(pool, "startups", snapshot).history("old")
    assert events is not None
    assert [event.item_id for event in events] == ["i002", "i001", "i001", "i000", "i000"]
    assert [event.time for event in events[-2:]] == [UNKNOWN_TIME] * 2
    everything = [(one.user_id, one.time) for one in recorded(pool, "startups") if one.user_id == "old"]
    assert everything == [("old", None), ("old", None), ("old", times[4]), ("old", START), ("old", START)]
