"""Makes the interactions of rows equal to the rows: inserted, changed or removed, whole rows compared."""

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

from tandem.event_sync.mirror import Mirror, all_mirrors
from tandem.event_sync.rows import ERASED, Refused, SourceRow, Tally, read
from tandem.models import EventOrigin, UserAlias, UserInteraction
from tandem.selectors.transactions import writing
from tandem.services.erased_users import erased_among
from tandem.services.interaction_validation import Interaction
from tandem.services.record_interactions import announce, insert_interactions, interactions_database

STORED = ("user__user_id", "item__item_id", "catalogue__name", "kind__name", "value", "time", "request_id", "origin_id")


@dataclass(slots=True)
class Changes:
    """What was done to the interactions of some rows."""

    added: int = 0
    changed: int = 0
    removed: int = 0
    tally: Tally = field(default_factory=Tally)


def refresh(mirror: Mirror, keys: Collection[Any], *, using: str | None = None, now: datetime | None = None) -> Changes:
    """Mirror the rows with these primary keys as they are now; rows that are gone lose their interactions.

    `using` is the database to read the rows from. `now` is when they changed: the time of new rows whose table has no time.
    Raises what the database raises.
    """
    changes, candidates = Changes(), {mirror.event_id(key) for key in keys}
    rows = mirror.live_rows(using).filter(pk__in=keys)
    wanted: dict[UUID, SourceRow] = {}
    for batch in read(mirror, rows, now=now or datetime.now(UTC)):
        wanted |= interactions_of(batch, changes.tally)
    replace_interactions(mirror, wanted, candidates, changes)
    return changes


def refresh_spooled(rows: Mapping[str, Any]) -> None:
    """Do `refresh` for rows of the spool. Raises KeyError for a declaration that was removed, and what the database raises."""
    mirrors = {mirror.origin: mirror for mirror in all_mirrors()}
    refresh(mirrors[rows["origin"]], rows["keys"], using=rows.get("using"), now=datetime.fromisoformat(rows["time"]))


def interactions_of(batch: Iterable[tuple[Any, SourceRow | Refused]], tally: Tally) -> dict[UUID, SourceRow]:
    """Return the interactions among what was read, and count the other rows."""
    wanted = {}
    for _, row in batch:
        if isinstance(row, SourceRow):
            wanted[row.event_id] = row
        else:
            tally.add(row)
    return _without_erased(wanted, tally)


def replace_interactions(
    mirror: Mirror, wanted: Mapping[UUID, SourceRow], candidates: Collection[UUID], changes: Changes
) -> None:
    """Make the stored interactions among `candidates` equal to `wanted`, in one transaction; add to `changes`."""
    with writing(interactions_database()):
        origin = origin_key(mirror)
        stored = {
            event_id: columns
            for event_id, *columns in UserInteraction.objects.filter(event_id__in=candidates).values_list("event_id", *STORED)
        }
        names = _merged_names(wanted)
        stale, unowned = set(stored) - set(wanted), set()
        for event_id in stored.keys() & wanted.keys():
            if not _is_equal(wanted[event_id], stored[event_id], names):
                stale.add(event_id)
            elif stored[event_id][-1] != origin:
                unowned.add(event_id)
        users = {stored[event_id][0] for event_id in stale}
        UserInteraction.objects.filter(event_id__in=stale).delete()
        UserInteraction.objects.filter(event_id__in=unowned).update(origin=origin)
        absent = [event_id for event_id in wanted if event_id in stale or event_id not in stored]
        fresh = [_dated(wanted[event_id], stored.get(event_id)) for event_id in absent]
        if fresh:
            insert_interactions(fresh, origin=origin)
    changes.added += len(fresh) - len(stale & wanted.keys())
    changes.changed += len(stale & wanted.keys())
    changes.removed += len(stale - wanted.keys())
    announce((user_id, mirror.source.catalogue) for user_id in users | {names.get(row.user_id, row.user_id) for row in fresh})


def origin_key(mirror: Mirror) -> int:
    """Return the key of the declaration."""
    origin, _ = EventOrigin.objects.get_or_create(name=mirror.origin)
    return int(origin.pk)


def _without_erased(wanted: dict[UUID, SourceRow], tally: Tally) -> dict[UUID, SourceRow]:
    erased = erased_among({row.interaction.user_id for row in wanted.values()}) if wanted else ()
    for event_id in [event_id for event_id, row in wanted.items() if row.interaction.user_id in erased]:
        tally.add(Refused(ERASED, f"the interaction {event_id}"))
        del wanted[event_id]
    return wanted


def _merged_names(wanted: Mapping[UUID, SourceRow]) -> dict[str, str]:
    """Return the user ids that were merged into others, and those others."""
    ids = {row.interaction.user_id for row in wanted.values()}
    return dict(UserAlias.objects.filter(merged_id__in=ids).values_list("merged_id", "user__user_id"))


def _is_equal(row: SourceRow, stored: list[Any], names: Mapping[str, str]) -> bool:
    """True if the stored interaction says what the row says.

    A row of a table without times keeps the time of its interaction, and one without a request id the list that a page linked
    it with. A request id that no list shown to the user has is not stored.
    """
    user_id, item_id, catalogue, event, value, time, request_id, _origin = stored
    wanted = row.interaction
    return (
        (names.get(wanted.user_id, wanted.user_id), wanted.item_id, wanted.catalogue, wanted.event, wanted.value)
        == (user_id, item_id, catalogue, event, value)
        and (time == wanted.time or not row.has_time)
        and (request_id in (None, wanted.request_id) or wanted.request_id is None)
    )


def _dated(row: SourceRow, stored: list[Any] | None) -> Interaction:
    if stored is None:
        return row.interaction
    kept = {} if row.has_time else {"time": stored[STORED.index("time")]}
    if row.interaction.request_id is None:
        kept["request_id"] = stored[STORED.index("request_id")]
    return row.interaction.model_copy(update=kept) if kept else row.interaction
