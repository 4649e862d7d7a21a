"""A site's tables of what was shown and what came of it, on SQLite or PostgreSQL, without Django."""

import os
import uuid
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from sqlalchemy import create_engine, insert, text
from sqlalchemy.exc import OperationalError

from recommendation_service.histories import tables

POSTGRES = os.environ.get("TEST_POSTGRES_URL", "postgresql+psycopg://postgres@127.0.0.1:5432/postgres")
NOW = datetime.now(UTC)
CATALOGUES = {"courses": 1, "movies": 2}
EVENTS = {"view": 1, "click": 2, "enroll": 3, "complete": 4, "drop": 5}
EVEN = {"hybrid": 0.4, "two_tower": 0.3, "content": 0.2, "popularity": 0.1}
_keys = iter(range(1, 10_000_000))


@dataclass(frozen=True, slots=True)
class List:
    """One shown list."""

    method: str
    time: datetime = NOW - timedelta(hours=2)
    probabilities: Mapping[str, float] = field(default_factory=lambda: dict(EVEN))
    degradation: tuple[Mapping[str, str], ...] = ()
    surface: str = "home"
    use_case: str = "courses"
    user: int | None = 1
    request_id: uuid.UUID = field(default_factory=uuid.uuid4)

    def row(self) -> dict[str, Any]:
        return {
            "request_id": self.request_id,
            "user_id": self.user,
            "catalogue_id": CATALOGUES["courses"],
            "use_case": self.use_case,
            "surface": self.surface,
            "method_used": self.method,
            "degradation": list(self.degradation),
            "probabilities": dict(self.probabilities),
            "time": self.time,
        }

    def answered(self, event: str, *, after: timedelta = timedelta(minutes=1), user: int | None = None) -> dict[str, Any]:
        """An event that answers this list."""
        return {
            "id": next(_keys),
            "user_id": user or self.user or 1,
            "catalogue_id": CATALOGUES["courses"],
            "kind_id": EVENTS[event],
            "value": None,
            "time": self.time + after,
            "request_id": self.request_id,
        }


def make_tables(url: str) -> None:
    engine = create_engine(url)
    tables.METADATA.create_all(engine)
    with engine.begin() as connection:  # with the indexes that Django's migrations make
        connection.execute(text("CREATE INDEX tandem_interaction_request ON tandem_userinteraction (request_id)"))
        connection.execute(text("CREATE INDEX tandem_impression_surface ON tandem_impression (use_case, surface, time)"))
        connection.execute(insert(tables.CATALOGUES), [{"id": key, "name": name} for name, key in CATALOGUES.items()])
        connection.execute(insert(tables.EVENTS), [{"id": key, "name": name} for name, key in EVENTS.items()])
    engine.dispose()


def put_into_quarantine(url: str, user: int, *, released: datetime | None = None) -> None:
    """Add the entry of an account in quarantine, or of one that was released."""
    engine = create_engine(url)
    with engine.begin() as connection:
        connection.execute(insert(tables.QUARANTINE), [{"user_id": user, "released": released}])
    engine.dispose()


def write(url: str, lists: Iterable[List] = (), events: Iterable[Mapping[str, Any]] = ()) -> None:
    """Add rows, each side in the order given."""
    engine = create_engine(url)
    with engine.begin() as connection:
        for table, rows in ((tables.LISTS, [one.row() for one in lists]), (tables.INTERACTIONS, list(events))):
            if rows:
                connection.execute(insert(table), rows)
    engine.dispose()


@contextmanager
def postgres() -> Iterator[str]:
    """The URL of a fresh database; skips the test where no PostgreSQL answers."""
    name = f"recs_{uuid.uuid4().hex[:12]}"
    server = create_engine(POSTGRES, isolation_level="AUTOCOMMIT", connect_args={"connect_timeout": 2})
    try:
        with server.connect() as connection:
            connection.execute(text(f"CREATE DATABASE {name}"))
    except OperationalError:
        pytest.skip("PostgreSQL cannot be reached")
    yield POSTGRES.rpartition("/")[0] + f"/{name}"
    with server.connect() as connection:
        connection.execute(text(f"DROP DATABASE {name} WITH (FORCE)"))
    server.dispose()


def sqlite(folder: Path) -> str:
    """The URL of a fresh file."""
    return f"sqlite:///{folder / 'site.sqlite3'}"


def some_day(rng: np.random.Generator, lists: int) -> tuple[list[List], list[dict[str, Any]]]:
    """So many lists by a made-up bandit over 20 days, and the events that answer some of them, some days late."""
    shown, events = [], []
    for _ in range(lists):
        one = List(str(rng.choice(list(EVEN))), NOW - timedelta(days=rng.uniform(3, 20)))
        shown.append(one)
        for event in EVENTS:
            if rng.random() < 0.2:
                events.append(one.answered(event, after=timedelta(hours=rng.uniform(0, 60))))
    return shown, events
