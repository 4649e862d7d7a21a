"""Writes interactions: each event once, valid rows even if others are invalid, and safe with many writers."""

import logging
import random
import time
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from operator import attrgetter
from typing import Any, NamedTuple
from uuid import UUID

from django.db import IntegrityError, OperationalError, connections, router, transaction
from django.db.backends.base.base import BaseDatabaseWrapper
from django.db.models import Model

from tandem.event_sync import spool
from tandem.models import Impression, UserInteraction
from tandem.selectors.items import existing_ids
from tandem.selectors.transactions import Pace, writing
from tandem.services.erased_users import erased_among
from tandem.services.id_mapping import catalogue_key, event_keys, item_keys, user_keys
from tandem.services.interaction_validation import Interaction, clean_row
from tandem.signals import interaction_recorded
from tandem.sources import source_of
from tandem.trust.limits import NOT_AN_OUTCOME, Sender, beyond_day, is_outcome, limited

BATCH = 1_000
TRIES = 8
PAUSE_S = 0.02  # at most, times the number of tries: MariaDB ends one of two writers that wait for each other
ACCEPTED, DUPLICATE, REJECTED = "accepted", "duplicate", "rejected"
UNKNOWN_REQUEST = "request_id names no list that this user was shown; it was left out"

log = logging.getLogger(__name__)
_pace = Pace(most=BATCH)


@dataclass(slots=True)
class RowResult:
    """The result of one row: its index in the input, and the problems if it was rejected."""

    index: int
    status: str  # accepted | duplicate | rejected
    event_id: str | None = None
    errors: list[dict[str, str]] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)


def record_interactions(
    rows: Iterable[Any],
    *,
    source: str,
    sender: Sender = Sender.SITE,
    known_items_only: bool = False,
    refuse_erased: bool = False,
    now: float | None = None,
    would_write: set[UUID] | None = None,
) -> list[RowResult]:
    """Write interactions; one result per row, in order. A row that is sent again is a duplicate and changes nothing.

    A row is a mapping of user_id, item_id, event, catalogue (or use_case), and if known time, value, event_id and
    request_id. A time of None is unknown; a row without the key happened now, and in a file at an unknown time. `source`
    says where they come from, for the log; `sender` decides which limits of the use case apply. With `known_items_only` an
    item must be one that its ItemSource shows now; with `refuse_erased` a user must not have been erased. Sends
    `interaction_recorded` once per user and catalogue, after commit. With `would_write`, nothing is written: the event ids
    that would be are added to that set, and those in it count as written. Raises only what the database raises.
    """
    results: list[RowResult] = []
    good: list[tuple[RowResult, Interaction]] = []
    for index, raw in enumerate(rows):
        row = clean_row(raw, now=now, unknown_times=sender == Sender.FILE)
        result = RowResult(index, REJECTED)
        results.append(result)
        if isinstance(row, Interaction):
            result.event_id = str(row.event_id)
            believed = limited(row, sender, now=now)
            result.errors, result.notes = believed.problems, believed.notes
            if not believed.problems:
                good.append((result, believed.row))
        else:
            result.errors = row
    if any(row.request_id is not None for _, row in good) and not connections[interactions_database()].in_atomic_block:
        spool.replay_for_lists()
    if known_items_only:
        good = _of_known_items(good)
    if refuse_erased:
        good = _without_erased(good)
    if sender == Sender.BROWSER:
        good = _within_day(good)
    if would_write is not None:
        _foresee(good, would_write)
        return results
    for part in _pace.parts(good, using=interactions_database()):
        _write(part)
    accepted = [row for result, row in good if result.status == ACCEPTED]
    announce((row.user_id, row.catalogue) for row in accepted)
    log.info("recorded %d of %d interactions from %s", len(accepted), len(results), source)
    return results


def record_answer(row: Mapping[str, Any], *, wait_s: float | None = None) -> bool:
    """Record one event that answers a list; False if it was refused. A second call with its event_id changes nothing.

    A signed token has proven that the user was shown the list `request_id`, which is kept even if the list is not written yet.
    """
    with writing(interactions_database(), wait_s=wait_s):
        (result,) = record_interactions([row], source="a list", known_items_only=True, refuse_erased=True)
        if UNKNOWN_REQUEST in result.notes:
            UserInteraction.objects.filter(event_id=str(result.event_id), request_id=None).update(request_id=row["request_id"])
    return result.status != REJECTED


def items_shown(catalogue: str, item_ids: Sequence[str]) -> set[str]:
    """Return those of the ids that the catalogue's ItemSource shows now."""
    source = source_of(catalogue)
    if source is None:
        return set()
    return existing_ids(source=source, item_ids=item_ids)


def _of_known_items(good: list[tuple[RowResult, Interaction]]) -> list[tuple[RowResult, Interaction]]:
    shown = {}
    for catalogue in {row.catalogue for _, row in good}:
        shown[catalogue] = items_shown(catalogue, sorted({row.item_id for _, row in good if row.catalogue == catalogue}))
    accepted = []
    for result, row in good:
        if row.item_id in shown[row.catalogue]:
            accepted.append((result, row))
        else:
            result.errors = [{"pointer": "/item_id", "detail": f"is not an item of {row.catalogue}"}]
    return accepted


def _without_erased(good: list[tuple[RowResult, Interaction]]) -> list[tuple[RowResult, Interaction]]:
    erased = erased_among({row.user_id for _, row in good})
    for result, row in good:
        if row.user_id in erased:
            result.errors = [{"pointer": "/user_id", "detail": "was erased"}]
    return [(result, row) for result, row in good if row.user_id not in erased]


def _within_day(good: list[tuple[RowResult, Interaction]]) -> list[tuple[RowResult, Interaction]]:
    beyond = beyond_day([row for _, row in good])
    for index, reason in beyond.items():
        good[index][0].errors = [{"pointer": "", "detail": reason}]
    return [pair for index, pair in enumerate(good) if index not in beyond]


def _foresee(good: Sequence[tuple[RowResult, Interaction]], would_write: set[UUID]) -> None:
    for start in range(0, len(good), BATCH):
        batch = good[start : start + BATCH]
        ids = [row.event_id for _, row in batch if row.event_id is not None]
        stored = set(UserInteraction.objects.filter(event_id__in=ids).values_list("event_id", flat=True))
        for result, row in batch:
            result.status = DUPLICATE if row.event_id in stored or row.event_id in would_write else ACCEPTED
            would_write.add(row.event_id)  # type: ignore[arg-type]  # a validator replaces None


def _write(batch: Sequence[tuple[RowResult, Interaction]]) -> None:
    """Write one batch; it is tried again if another writer's erasure or lock came between."""
    alone = not connections[interactions_database()].in_atomic_block
    for attempts_left in reversed(range(TRIES)):
        try:
            inserted = insert_interactions([row for _, row in batch])
            break
        except (IntegrityError, OperationalError):
            if not alone or not attempts_left:
                raise
            log.warning("writing interactions is tried again", exc_info=True)
            time.sleep(random.uniform(0, PAUSE_S * (TRIES - attempts_left)))  # noqa: S311 - spreads the writers, guards nothing
    for result, row in batch:
        result.status = ACCEPTED if row.event_id in inserted.event_ids else DUPLICATE
        inserted.event_ids.discard(row.event_id)  # the same event twice in one batch: the second is a duplicate
        note = _note(row, inserted.requests)
        result.notes += [note] if note else []


def _note(row: Interaction, requests: Mapping[str, Mapping[UUID, datetime]]) -> str | None:
    """Return why the row's request id was not stored, or None if it was, or if the row has none."""
    if row.request_id is None:
        return None
    shown = requests.get(row.user_id, {}).get(row.request_id)
    if shown is None:
        return UNKNOWN_REQUEST
    return None if is_outcome(row, shown) else NOT_AN_OUTCOME


class Inserted(NamedTuple):
    """What was written of some rows."""

    event_ids: set[UUID]  # events that were new
    requests: Mapping[str, Mapping[UUID, datetime]]  # per user, when the lists that the rows answer were shown to them


def insert_interactions(rows: Sequence[Interaction], *, origin: int | None = None) -> Inserted:
    """Insert the rows whose event id is new, in a transaction or savepoint of its own."""
    with writing(interactions_database()):
        users = user_keys({row.user_id for row in rows})
        kinds = event_keys({row.event for row in rows})
        catalogues = {name: catalogue_key(name) for name in sorted({row.catalogue for row in rows})}
        items = {
            name: item_keys(key, {row.item_id for row in rows if row.catalogue == name}) for name, key in catalogues.items()
        }
        requests = _own_requests(rows, users)
        unique: dict[UUID | None, Interaction] = {}
        for row in rows:
            unique.setdefault(row.event_id, row)
        interactions = [
            UserInteraction(
                event_id=row.event_id,  # type: ignore[misc]  # a validator replaces None
                user_id=users[row.user_id],
                item_id=items[row.catalogue][row.item_id],
                catalogue_id=catalogues[row.catalogue],
                kind_id=kinds[row.event],
                value=row.value,
                time=row.time,
                request_id=row.request_id if _note(row, requests) is None else None,
                origin_id=origin,
            )
            for row in unique.values()
        ]
        return Inserted(_insert_new(interactions), requests)


def _insert_new(interactions: Sequence[UserInteraction]) -> set[UUID]:
    """Insert the interactions that are not stored yet, with keys in the order of arrival; return their event ids."""
    connection = connections[interactions_database()]
    if not connection.features.can_return_rows_from_bulk_insert or connection.vendor == "mysql":
        return _insert_absent(interactions)
    if connection.vendor == "postgresql":  # several writers: in one order, so that they never wait for each other in a ring
        for interaction, key in zip(interactions, _next_keys(connection, len(interactions)), strict=True):
            interaction.pk = key
        interactions = sorted(interactions, key=attrgetter("event_id"))
    fields = [field for field in UserInteraction._meta.concrete_fields if interactions[0].pk or not field.primary_key]
    names = ", ".join(connection.ops.quote_name(str(field.column)) for field in fields)
    marks = ", ".join(["(" + ", ".join(["%s"] * len(fields)) + ")"] * len(interactions))
    table = connection.ops.quote_name(UserInteraction._meta.db_table)
    values = [
        field.get_db_prep_save(getattr(interaction, field.attname), connection)
        for interaction in interactions
        for field in fields
    ]
    with connection.cursor() as cursor:
        cursor.execute(
            f"INSERT INTO {table} ({names}) VALUES {marks} ON CONFLICT (event_id) DO NOTHING RETURNING event_id",  # noqa: S608 - the names are our own
            values,
        )
        return {value if isinstance(value, UUID) else UUID(value) for (value,) in cursor.fetchall()}


def _next_keys(connection: BaseDatabaseWrapper, count: int) -> list[int]:
    """Take the next `count` keys of the table in PostgreSQL, ascending."""
    meta = UserInteraction._meta
    query = "SELECT nextval(pg_get_serial_sequence(%s, %s)) FROM generate_series(1, %s)"
    with connection.cursor() as cursor:
        cursor.execute(query, [connection.ops.quote_name(meta.db_table), meta.pk.column, count])
        return sorted(key for (key,) in cursor.fetchall())


def _insert_absent(interactions: Sequence[UserInteraction]) -> set[UUID]:
    """`_insert_new` for databases without ON CONFLICT. Of two writers of one event, only one is told that it is new."""
    ids = [interaction.event_id for interaction in interactions]
    stored = set(UserInteraction.objects.filter(event_id__in=ids).values_list("event_id", flat=True))
    absent = [interaction for interaction in interactions if interaction.event_id not in stored]
    connection = connections[interactions_database()]
    if not absent:
        return set()
    try:
        with transaction.atomic(using=connection.alias):
            UserInteraction.objects.bulk_create(absent)
        return {interaction.event_id for interaction in absent}
    except IntegrityError:  # another writer was faster with one of them, which is found one by one
        return {interaction.event_id for interaction in absent if _is_new(interaction)}


def _is_new(interaction: UserInteraction) -> bool:
    """Insert one interaction; False if its event is stored already."""
    try:
        with transaction.atomic(using=interactions_database()):
            interaction.save(force_insert=True)
    except IntegrityError:
        if UserInteraction.objects.select_for_update().filter(event_id=interaction.event_id).exists():
            return False
        raise  # such as a user who is erased meanwhile
    return True


def _own_requests(rows: Sequence[Interaction], users: Mapping[str, int]) -> dict[str, dict[UUID, datetime]]:
    """Return, per user, when the lists that the rows answer were shown to them."""
    request_ids = {row.request_id for row in rows if row.request_id is not None}
    if not request_ids:
        return {}
    lists = Impression.objects.filter(request_id__in=request_ids).values_list("request_id", "user_id", "time")
    shown = {request_id: (user, time) for request_id, user, time in lists}
    shown_to: dict[str, dict[UUID, datetime]] = {}
    for row in rows:
        if row.request_id is not None and row.request_id in shown and shown[row.request_id][0] == users[row.user_id]:
            shown_to.setdefault(row.user_id, {})[row.request_id] = shown[row.request_id][1]
    return shown_to


def announce(changed: Iterable[tuple[str, str]]) -> None:
    """Send `interaction_recorded` after commit, once for each pair of user id and catalogue."""
    pairs = sorted(set(changed))

    def send() -> None:
        for user_id, catalogue in pairs:
            interaction_recorded.send(sender=UserInteraction, user_id=user_id, catalogue=catalogue)

    if pairs:
        transaction.on_commit(send, using=interactions_database())


def interactions_database() -> str:
    """Return the alias of the database that interactions are written to."""
    model: type[Model] = UserInteraction
    return router.db_for_write(model)
