"""Reads a user's current history from the site's tables in one query, or from the export if that fails."""

import logging
import threading
import time
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

from sqlalchemy import (
    Engine,
    Select,
    bindparam,
    create_engine,
    select,
)
from sqlalchemy.engine import make_url
from sqlalchemy.exc import ArgumentError, SQLAlchemyError

from recommendation_service.domain.history import SEEN_LIMIT, UNKNOWN_TIME, PastEvent
from recommendation_service.domain.query import Profile
from recommendation_service.errors import ConfigurationError
from recommendation_service.histories.snapshot import SnapshotHistories
from recommendation_service.histories.tables import CATALOGUES, EVENTS, INTERACTIONS, ITEMS, USERS

POOL_WAIT_S = 0.05
CONNECT_TIMEOUT_S = 2  # the minimum of PostgreSQL's client library
REST_S = 5.0  # seconds without a query after a failure

log = logging.getLogger(__name__)


def _query() -> Select[Any]:
    """Return the query for the newest events of one user in one catalogue; it uses the index tandem_history.

    Events whose time is unknown come last; of equal times the one that arrived last comes first.
    """
    user = select(USERS.c.id).where(USERS.c.user_id == bindparam("user_id")).scalar_subquery()
    catalogue = select(CATALOGUES.c.id).where(CATALOGUES.c.name == bindparam("catalogue")).scalar_subquery()
    return (
        select(ITEMS.c.item_id, EVENTS.c.name, INTERACTIONS.c.time, INTERACTIONS.c.value)
        .join(ITEMS, ITEMS.c.id == INTERACTIONS.c.item_id)
        .join(EVENTS, EVENTS.c.id == INTERACTIONS.c.kind_id)
        .where(INTERACTIONS.c.user_id == user, INTERACTIONS.c.catalogue_id == catalogue)
        .order_by(INTERACTIONS.c.time.desc().nulls_last(), INTERACTIONS.c.id.desc())
        .limit(SEEN_LIMIT)
    )


QUERY = _query()


def open_database(url: str, *, connections: int, statement_timeout_ms: int) -> Engine:
    """Return a pool with short timeouts; it connects when it is used. Raises ConfigurationError for an unsupported URL."""
    try:
        target = make_url(url)
    except ArgumentError as error:
        raise ConfigurationError("RS_DATABASE_URL is not a database URL such as postgresql://user@host/name") from error
    if target.drivername in ("postgres", "postgresql"):
        target = target.set(drivername="postgresql+psycopg")
    if target.get_backend_name() == "postgresql":
        options = {"connect_timeout": CONNECT_TIMEOUT_S, "options": f"-c statement_timeout={statement_timeout_ms}"}
    elif target.get_backend_name() == "sqlite":
        options = {"timeout": statement_timeout_ms / 1000}
    else:
        raise ConfigurationError("RS_DATABASE_URL must begin with postgresql:// or sqlite://")
    return create_engine(
        target,
        pool_size=connections,
        max_overflow=0,
        pool_timeout=POOL_WAIT_S,
        pool_recycle=300,
        connect_args=options,
        isolation_level="AUTOCOMMIT",
    )


class DatabaseHistories:
    """Current events from the database, profiles from the export; all from the export for a while after a failure."""

    def __init__(
        self,
        database: Engine,
        catalogue: str,
        snapshot: SnapshotHistories,
        *,
        failed: Callable[[], None] = lambda: None,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        """`snapshot` is used while the database fails; `failed` is called for each failure."""
        self._database, self._catalogue, self._snapshot = database, catalogue, snapshot
        self._failed, self._clock = failed, clock
        self._rest_until = float("-inf")
        self._lock = threading.Lock()

    def history(self, user_id: str) -> tuple[PastEvent, ...] | None:
        """Return the current events, newest first, at most SEEN_LIMIT; after a failure, the exported ones.

        Bounded by POOL_WAIT_S and the statement timeout. None for a user without events.
        """
        if self._clock() < self._rest_until:
            return self._snapshot.history(user_id)
        try:
            with self._database.connect() as connection:
                rows = connection.execute(QUERY, {"user_id": user_id, "catalogue": self._catalogue}).all()
        except SQLAlchemyError as error:
            self._rest(error)
            return self._snapshot.history(user_id)
        return tuple(PastEvent(item_id, event, _seconds(when), value) for item_id, event, when, value in rows) or None

    def profile(self, user_id: str) -> Profile:
        """Return the exported profile; the current one is only in the site's own tables."""
        return self._snapshot.profile(user_id)

    def _rest(self, error: SQLAlchemyError) -> None:
        self._failed()
        with self._lock:
            first = self._clock() >= self._rest_until
            self._rest_until = self._clock() + REST_S
        if first:  # once per pause, not once per request
            log.warning("live history failed (%s); using the export for %g s", type(error).__name__, REST_S)


def _seconds(when: datetime | None) -> float:
    if when is None:
        return UNKNOWN_TIME
    return (when if when.tzinfo else when.replace(tzinfo=UTC)).timestamp()  # SQLite stores UTC without an offset
