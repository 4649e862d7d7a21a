"""What came of the lists that a bandit chose: shown lists joined with the events that answer them, by request id.

Read from the site's own tables, counted there, and as of one moment.
"""

import json
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from sqlalchemy import (
    Connection,
    Engine,
    ScalarSelect,
    Select,
    SmallInteger,
    Text,
    and_,
    case,
    cast,
    func,
    null,
    or_,
    select,
)
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.sql.elements import ColumnElement

from recommendation_service.errors import Unavailable
from recommendation_service.histories.tables import CATALOGUES, EVENTS, INTERACTIONS, LISTS

NOTHING = ""  # the outcome of a list that no rewarded event answers
STATEMENT_TIMEOUT_MS = 120_000


@dataclass(frozen=True, slots=True)
class Played:
    """Lists that an arm was chosen for, and made, with one probability and one outcome."""

    arm: str
    probability: float  # with which it was chosen, as recorded then
    outcome: str  # the best rewarded event that answers the list; NOTHING when there is none
    lists: int = 1


@dataclass(frozen=True, slots=True)
class Scope:
    """Which lists a policy learns from: those of a catalogue's surfaces that were shown in [since, until)."""

    use_case: str
    surfaces: tuple[str, ...]
    catalogue: str
    since: datetime
    until: datetime


def played(database: Engine, scope: Scope, rewards: Mapping[str, float]) -> list[Played]:
    """The lists of `scope` that tell what a choice brought, alike ones counted together, in any order.

    A list counts when chances were recorded with it and the arm that was chosen made it: one that a fallback made,
    or that Django had to take from its cache while the service was away, says nothing about the arm. An event counts
    when it names the list, is the same person's, is one of `rewards` and happened before `until`, however late it
    came. Raises Unavailable when the database cannot be read.
    """
    ranked = sorted(rewards, key=lambda event: (rewards[event], event))
    with _reading(database) as connection:
        rows = connection.execute(_counted(scope, _keys(connection, ranked))).all()
    found = []
    for method, told, skipped, rank, lists in rows:
        chances = json.loads(told) or {}
        if _was_chosen(method, chances, json.loads(skipped) or ()):
            found.append(Played(method, float(chances[method]), NOTHING if rank is None else ranked[rank], lists))
    return found


def answers_since(database: Engine, scope: Scope, events: Sequence[str], since: datetime) -> int:
    """How many of these events, not older than `since`, answer lists of `scope`. Raises Unavailable."""
    with _reading(database) as connection:
        keys = _keys(connection, events)
        answered = INTERACTIONS.join(LISTS, _answers())
        query = select(func.count()).select_from(answered)
        query = query.where(_within(scope), _rewarded(scope, keys), INTERACTIONS.c.time >= since)
        return int(connection.execute(query).scalar_one())


def _counted(scope: Scope, keys: Mapping[int, int]) -> Select[Any]:
    """Method, chances, skips, rank of the outcome, and how many lists are alike in all of these."""
    chances, skips = cast(LISTS.c.probabilities, Text), cast(LISTS.c.degradation, Text)
    each = select(LISTS.c.method_used, chances.label("chances"), skips.label("skips"), _best(scope, keys).label("rank"))
    one = each.where(_within(scope)).subquery()
    return select(*one.c, func.count()).group_by(*one.c)


def _best(scope: Scope, keys: Mapping[int, int]) -> ScalarSelect[Any]:
    """The highest rank among the events that answer one list: a look-up by request id, whatever the planner thinks."""
    rank = case(keys, value=INTERACTIONS.c.kind_id) if keys else cast(null(), SmallInteger)
    query = select(func.max(rank)).where(_answers(), _rewarded(scope, keys))
    return query.correlate(LISTS).scalar_subquery()


def _keys(connection: Connection, events: Sequence[str]) -> dict[int, int]:
    """The database's key of each event that ever happened -> the event's place in `events`."""
    rows = connection.execute(select(EVENTS.c.id, EVENTS.c.name).where(EVENTS.c.name.in_(events))).all()
    return {key: events.index(name) for key, name in rows}


def _answers() -> ColumnElement[bool]:
    same_person = or_(LISTS.c.user_id.is_(None), LISTS.c.user_id == INTERACTIONS.c.user_id)
    same_catalogue = INTERACTIONS.c.catalogue_id == LISTS.c.catalogue_id
    return and_(INTERACTIONS.c.request_id == LISTS.c.request_id, same_person, same_catalogue)


def _rewarded(scope: Scope, keys: Mapping[int, int]) -> ColumnElement[bool]:
    return and_(INTERACTIONS.c.kind_id.in_(list(keys)), INTERACTIONS.c.time < scope.until)


def _within(scope: Scope) -> ColumnElement[bool]:
    catalogue = select(CATALOGUES.c.id).where(CATALOGUES.c.name == scope.catalogue).scalar_subquery()
    return and_(
        LISTS.c.use_case == scope.use_case,
        LISTS.c.surface.in_(scope.surfaces),
        LISTS.c.catalogue_id == catalogue,
        LISTS.c.time >= scope.since,
        LISTS.c.time < scope.until,
    )


def _was_chosen(method: str, probabilities: Mapping[str, float], degradation: Sequence[Mapping[str, Any]]) -> bool:
    if not probabilities.get(method, 0) > 0:
        return False
    passed = {str(skip.get("engine")) for skip in degradation if skip.get("code") != "partial"}
    return not passed & {*probabilities, "service"}


@contextmanager
def _reading(database: Engine) -> Iterator[Connection]:
    """A connection that sees one moment; any failure of it is Unavailable."""
    level = "REPEATABLE READ" if database.dialect.name == "postgresql" else "SERIALIZABLE"
    try:
        with database.connect() as plain:
            yield plain.execution_options(isolation_level=level)
    except SQLAlchemyError as error:
        raise Unavailable(
            f"the site's database cannot be read ({type(error).__name__}); look at RS_DATABASE_URL or RS_DB_HOST, RS_DB_NAME"
            " and RS_DB_USER, and that its migrations ran"
        ) from error


def day_of(when: datetime) -> datetime:
    """Midnight UTC of that day."""
    return when.astimezone(UTC).replace(hour=0, minute=0, second=0, microsecond=0)
