"""What came of the lists that a bandit chose: shown lists joined with the events that answer them, by request id.

Read from the site's own tables, in one statement, so that a run sees the log as of one moment.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from sqlalchemy import (
    JSON,
    BigInteger,
    Column,
    Connection,
    DateTime,
    Engine,
    Float,
    MetaData,
    SmallInteger,
    String,
    Subquery,
    Table,
    Uuid,
    and_,
    case,
    func,
    or_,
    select,
)
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.sql.elements import ColumnElement

from recommendation_service.errors import Unavailable

NOTHING = ""  # the outcome of a list that no rewarded event answers
ROWS_AT_ONCE = 1_000
STATEMENT_TIMEOUT_MS = 120_000

_tables = MetaData()
_catalogues = Table("recommendations_cataloguekey", _tables, Column("id", SmallInteger), Column("name", String))
_events = Table("recommendations_eventkey", _tables, Column("id", SmallInteger), Column("name", String))
_lists = Table(
    "recommendations_impression",
    _tables,
    Column("request_id", Uuid),
    Column("user_id", BigInteger),
    Column("catalogue_id", SmallInteger),
    Column("use_case", String),
    Column("surface", String),
    Column("method_used", String),
    Column("degradation", JSON),
    Column("probabilities", JSON),
    Column("time", DateTime(timezone=True)),
)
_interactions = Table(
    "recommendations_userinteraction",
    _tables,
    Column("id", BigInteger),
    Column("user_id", BigInteger),
    Column("catalogue_id", SmallInteger),
    Column("kind_id", SmallInteger),
    Column("value", Float),
    Column("time", DateTime(timezone=True)),
    Column("request_id", Uuid),
)


@dataclass(frozen=True, slots=True)
class Played:
    """One list that an arm was chosen for, and made."""

    arm: str
    probability: float  # with which it was chosen, as recorded then
    outcome: str  # the best rewarded event that answers the list; NOTHING when there is none


@dataclass(frozen=True, slots=True)
class Scope:
    """Which lists a policy learns from: those of a catalogue's surfaces that were shown in [since, until)."""

    use_case: str
    surfaces: tuple[str, ...]
    catalogue: str
    since: datetime
    until: datetime


def played(database: Engine, scope: Scope, rewards: Mapping[str, float]) -> Iterator[Played]:
    """Every list of `scope` that tells what a choice brought; their order means nothing.

    A list counts when chances were recorded with it and the arm that was chosen made it: one that a fallback made,
    or that Django had to take from its cache while the service was away, says nothing about the arm. An event counts
    when it names the list, is the same person's, is one of `rewards` and happened before `until`, however late it
    came. Raises Unavailable when the database cannot be read.
    """
    ranked = sorted(rewards, key=lambda event: (rewards[event], event))
    best = _best_events(scope, ranked)
    query = (
        select(_lists.c.method_used, _lists.c.probabilities, _lists.c.degradation, best.c.rank)
        .join(best, best.c.request_id == _lists.c.request_id, isouter=True)
        .where(_within(scope))
    )
    with _reading(database) as connection:
        try:
            rows = connection.execution_options(stream_results=True, yield_per=ROWS_AT_ONCE).execute(query)
            for method, probabilities, degradation, rank in rows:
                if _was_chosen(method, probabilities or {}, degradation or ()):
                    yield Played(method, float(probabilities[method]), NOTHING if rank is None else ranked[rank])
        except SQLAlchemyError as error:
            raise _unavailable(error) from error


def answers_since(database: Engine, scope: Scope, events: Sequence[str], since: datetime) -> int:
    """How many of these events, not older than `since`, answer lists of `scope`. Raises Unavailable."""
    query = (
        select(func.count())
        .select_from(_answered())
        .where(_within(scope), _counts(scope, events), _interactions.c.time >= since)
    )
    with _reading(database) as connection:
        try:
            return int(connection.execute(query).scalar_one())
        except SQLAlchemyError as error:
            raise _unavailable(error) from error


def _best_events(scope: Scope, ranked: Sequence[str]) -> Subquery:
    """The highest place in `ranked` among the events that answer each list."""
    place = case({event: rank for rank, event in enumerate(ranked)}, value=_events.c.name)
    return (
        select(_interactions.c.request_id, func.max(place).label("rank"))
        .select_from(_answered())
        .where(_within(scope), _counts(scope, ranked))
        .group_by(_interactions.c.request_id)
        .subquery()
    )


def _answered() -> Any:
    same_person = or_(_lists.c.user_id.is_(None), _lists.c.user_id == _interactions.c.user_id)
    return _interactions.join(_lists, and_(_lists.c.request_id == _interactions.c.request_id, same_person)).join(
        _events, _events.c.id == _interactions.c.kind_id
    )


def _counts(scope: Scope, events: Sequence[str]) -> ColumnElement[bool]:
    return and_(
        _events.c.name.in_(events),
        _interactions.c.catalogue_id == _lists.c.catalogue_id,
        _interactions.c.time < scope.until,
    )


def _within(scope: Scope) -> ColumnElement[bool]:
    catalogue = select(_catalogues.c.id).where(_catalogues.c.name == scope.catalogue).scalar_subquery()
    return and_(
        _lists.c.use_case == scope.use_case,
        _lists.c.surface.in_(scope.surfaces),
        _lists.c.catalogue_id == catalogue,
        _lists.c.time >= scope.since,
        _lists.c.time < scope.until,
    )


def _was_chosen(method: str, probabilities: Mapping[str, float], degradation: Sequence[Mapping[str, Any]]) -> bool:
    if not probabilities.get(method, 0) > 0:
        return False
    passed = {str(skip.get("engine")) for skip in degradation if skip.get("code") != "partial"}
    return not passed & {*probabilities, "service"}


def _reading(database: Engine) -> Connection:
    """A connection whose statement streams from one snapshot."""
    level = "REPEATABLE READ" if database.dialect.name == "postgresql" else "SERIALIZABLE"
    try:
        return database.connect().execution_options(isolation_level=level)
    except SQLAlchemyError as error:
        raise _unavailable(error) from error


def _unavailable(error: SQLAlchemyError) -> Unavailable:
    return Unavailable(
        f"the site's database cannot be read ({type(error).__name__}); look at RS_DATABASE_URL or RS_DB_HOST, RS_DB_NAME"
        " and RS_DB_USER, and that its migrations ran"
    )


def day_of(when: datetime) -> datetime:
    """Midnight UTC of that day."""
    return when.astimezone(UTC).replace(hour=0, minute=0, second=0, microsecond=0)
