"""Outcomes of the lists that a bandit chose: shown lists joined with the events that answer them, by request id.

The site's database counts them, in one snapshot.
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
from recommendation_service.histories.quarantined import counted
from recommendation_service.histories.tables import CATALOGUES, EVENTS, INTERACTIONS, LISTS

NOTHING = ""  # the outcome of a list that no rewarded event answers
STATEMENT_TIMEOUT_MS = 120_000


@dataclass(frozen=True, slots=True)
class Played:
    """Lists of one chosen arm with the same probability and outcome."""

    arm: str
    probability: float  # of the choice, as recorded with the list
    outcome: str  # the best rewarded event that answers the list; NOTHING if there is none
    lists: int = 1


@dataclass(frozen=True, slots=True)
class Scope:
    """The lists that a policy learns from: those of a catalogue's surfaces that were shown in [since, until)."""

    use_case: str
    surfaces: tuple[str, ...]
    catalogue: str
    since: datetime
    until: datetime


def played(database: Engine, scope: Scope, rewards: Mapping[str, float]) -> list[Played]:
    """Return the lists of `scope` that show the outcome of a choice, equal ones counted together, in any order.

    A list counts if probabilities were recorded with it and the chosen arm made it. A list of a fallback engine, or of Django's
    cache while the service was unavailable, is not an outcome of the arm. An event counts if it names the list, is of the same
    user, is one of `rewards` and happened before `until` or at an unknown time. Lists and events of accounts in quarantine do
    not count. Raises Unavailable if the database cannot be read.
    """
    ranked = sorted(rewards, key=lambda event: (rewards[event], event))
    with _reading(database) as connection:
        rows = connection.execute(_counted(scope, _keys(connection, ranked))).all()
    outcomes = []
    for method, probabilities, skipped, rank, lists in rows:
        chances = json.loads(probabilities) or {}
        if _was_chosen(method, chances, json.loads(skipped) or ()):
            outcomes.append(Played(method, float(chances[method]), NOTHING if rank is None else ranked[rank], lists))
    return outcomes


def answers_since(database: Engine, scope: Scope, events: Sequence[str], since: datetime) -> int:
    """Return how many of these events, not older than `since`, answer lists of `scope`. Raises Unavailable."""
    with _reading(database) as connection:
        keys = _keys(connection, events)
        answered = INTERACTIONS.join(LISTS, _answers())
        query = select(func.count()).select_from(answered)
        query = query.where(_within(scope), _rewarded(scope, keys), INTERACTIONS.c.time >= since)
        return int(connection.execute(query).scalar_one())


def _counted(scope: Scope, keys: Mapping[int, int]) -> Select[Any]:
    """Return the query for method, probabilities, skips, rank of the outcome, and the number of lists with the same values."""
    chances, skips = cast(LISTS.c.probabilities, Text), cast(LISTS.c.degradation, Text)
    each = select(LISTS.c.method_used, chances.label("chances"), skips.label("skips"), _best(scope, keys).label("rank"))
    rows = each.where(_within(scope)).subquery()
    return select(*rows.c, func.count()).group_by(*rows.c)


def _best(scope: Scope, keys: Mapping[int, int]) -> ScalarSelect[Any]:
    """Return the highest rank of the events that answer one list, as a subquery by request id."""
    rank = case(keys, value=INTERACTIONS.c.kind_id) if keys else cast(null(), SmallInteger)
    query = select(func.max(rank)).where(_answers(), _rewarded(scope, keys))
    return query.correlate(LISTS).scalar_subquery()


def _keys(connection: Connection, events: Sequence[str]) -> dict[int, int]:
    """Return the database's key of each recorded event -> the index of the event in `events`."""
    rows = connection.execute(select(EVENTS.c.id, EVENTS.c.name).where(EVENTS.c.name.in_(events))).all()
    return {key: events.index(name) for key, name in rows}


def _answers() -> ColumnElement[bool]:
    same_person = or_(LISTS.c.user_id.is_(None), LISTS.c.user_id == INTERACTIONS.c.user_id)
    same_catalogue = INTERACTIONS.c.catalogue_id == LISTS.c.catalogue_id
    return and_(INTERACTIONS.c.request_id == LISTS.c.request_id, same_person, same_catalogue)


def _rewarded(scope: Scope, keys: Mapping[int, int]) -> ColumnElement[bool]:
    known = or_(INTERACTIONS.c.time.is_(None), INTERACTIONS.c.time < scope.until)  # an unknown time is no later one
    return and_(INTERACTIONS.c.kind_id.in_(list(keys)), known, counted(INTERACTIONS.c.user_id))


def _within(scope: Scope) -> ColumnElement[bool]:
    catalogue = select(CATALOGUES.c.id).where(CATALOGUES.c.name == scope.catalogue).scalar_subquery()
    return and_(
        LISTS.c.use_case == scope.use_case,
        LISTS.c.surface.in_(scope.surfaces),
        LISTS.c.catalogue_id == catalogue,
        LISTS.c.time >= scope.since,
        LISTS.c.time < scope.until,
        counted(LISTS.c.user_id),
    )


def _was_chosen(method: str, probabilities: Mapping[str, float], degradation: Sequence[Mapping[str, Any]]) -> bool:
    if not probabilities.get(method, 0) > 0:
        return False
    passed = {str(skip.get("engine")) for skip in degradation if skip.get("code") != "partial"}
    return not passed & {*probabilities, "service"}


@contextmanager
def _reading(database: Engine) -> Iterator[Connection]:
    """Yield a connection with one snapshot; any failure of it is Unavailable."""
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
    """Return midnight UTC of that day."""
    return when.astimezone(UTC).replace(hour=0, minute=0, second=0, microsecond=0)
