"""Reads every recorded interaction of a catalogue from the site's tables."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime

from sqlalchemy import Engine, select
from sqlalchemy.exc import SQLAlchemyError

from recommendation_service.errors import Unavailable
from recommendation_service.histories import tables
from recommendation_service.histories.quarantined import counted

ROWS_AT_ONCE = 5_000


@dataclass(frozen=True, slots=True)
class Recorded:
    """One recorded interaction."""

    user_id: str
    item_id: str
    event: str
    value: float | None
    time: datetime | None  # UTC; None: unknown


def recorded(database: Engine, catalogue: str) -> Iterator[Recorded]:
    """Yield the interactions of one catalogue from one statement: unknown times, then oldest first. Raises Unavailable.

    Those of accounts in quarantine are left out.
    """
    users, items, events, done = tables.USERS, tables.ITEMS, tables.EVENTS, tables.INTERACTIONS
    query = (
        select(users.c.user_id, items.c.item_id, events.c.name, done.c.value, done.c.time)
        .join(users, users.c.id == done.c.user_id)
        .join(items, items.c.id == done.c.item_id)
        .join(events, events.c.id == done.c.kind_id)
        .join(tables.CATALOGUES, tables.CATALOGUES.c.id == done.c.catalogue_id)
        .where(tables.CATALOGUES.c.name == catalogue, counted(done.c.user_id))
        .order_by(done.c.time.nulls_first(), done.c.id)
    )
    level = "REPEATABLE READ" if database.dialect.name == "postgresql" else "SERIALIZABLE"
    try:
        with database.connect().execution_options(isolation_level=level) as connection:
            rows = connection.execution_options(stream_results=True, yield_per=ROWS_AT_ONCE).execute(query)
            for user_id, item_id, event, value, time in rows:
                yield Recorded(user_id, item_id, event, value, _utc(time))
    except SQLAlchemyError as error:
        raise Unavailable(f"interactions cannot be read ({type(error).__name__}); look at RS_DATABASE_URL") from error


def _utc(time: datetime | None) -> datetime | None:
    return time.replace(tzinfo=UTC) if time is not None and time.tzinfo is None else time
