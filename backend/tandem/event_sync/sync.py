"""Compares every row of every declared event table with its interaction, in batches."""

from collections.abc import Callable, Iterator
from uuid import UUID

import numpy as np
from django.db.models import Max

from tandem.event_sync import not_mirrored
from tandem.event_sync.mirror import Mirror, all_mirrors
from tandem.event_sync.refresh import Changes, interactions_of, origin_key, replace_interactions
from tandem.event_sync.rows import read
from tandem.models import UserInteraction
from tandem.selectors.transactions import Pace, writing
from tandem.services.record_interactions import announce, interactions_database

BATCH = 5_000


def sync_interactions(*, say: Callable[[str], object] = lambda _line: None) -> dict[str, int]:
    """Mirror every declared event table as it is now; return the number of added interactions per table.

    For rows that were written without Django's signals. Safe to run at any time, and to interrupt; a second run changes
    nothing.
    """
    added: dict[str, int] = {}
    mirrors = all_mirrors()
    for mirror in mirrors:
        changes = sync_table(mirror)
        added[mirror.origin] = changes.added
        others = {"changed": changes.changed, "removed": changes.removed, "refused": changes.tally.unexpected}
        say(f"{mirror.origin}: {changes.added:,} added" + "".join(f", {n:,} {name}" for name, n in others.items() if n))
        for line in changes.tally.lines():
            say(f"  {line}")
    not_mirrored.forget_others(mirrors)
    return added


def sync_table(mirror: Mirror) -> Changes:
    """Make the interactions of one table equal to its rows."""
    changes = Changes()
    using, pace = interactions_database(), Pace(most=BATCH)
    newest = UserInteraction.objects.aggregate(newest=Max("id"))["newest"]  # what is recorded meanwhile is left alone
    current: list[np.ndarray] = []
    for batch in read(mirror, mirror.live_rows(), now=None):  # nobody knows when these rows were written
        wanted = interactions_of(batch, changes.tally)
        for part in pace.parts([mirror.event_id(key) for key, _ in batch], using=using):
            replace_interactions(mirror, {each: wanted[each] for each in part if each in wanted}, part, changes)
        current.append(np.array([event_id.int & _LOW for event_id in wanted], dtype=np.uint64))
    if newest is not None:
        _remove_others(mirror, np.sort(np.concatenate(current)) if current else np.empty(0, np.uint64), newest, changes)
    not_mirrored.replace(mirror, changes.tally)
    return changes


_LOW = (1 << 64) - 1


def _remove_others(mirror: Mirror, current: np.ndarray, newest: int, changes: Changes) -> None:
    """Remove the table's interactions whose row is no interaction any more; `current` are halves of event ids, sorted."""
    using, pace = interactions_database(), Pace(most=BATCH)
    for batch in _stored(mirror, newest):
        halves = np.array([event_id.int & _LOW for event_id, _ in batch], dtype=np.uint64)
        rows = np.minimum(np.searchsorted(current, halves), max(current.size - 1, 0))
        known = current[rows] == halves if current.size else np.zeros(halves.size, dtype=np.bool_)
        stale = [columns for columns, is_known in zip(batch, known, strict=True) if not is_known]
        for part in pace.parts(stale, using=using):
            with writing(using):
                UserInteraction.objects.filter(event_id__in=[event_id for event_id, _ in part]).delete()
                announce((user_id, mirror.source.catalogue) for _, user_id in part)
            changes.removed += len(part)


def _stored(mirror: Mirror, newest: int) -> Iterator[list[tuple[UUID, str]]]:
    """Yield event ids and user ids of the table's interactions up to the key `newest`, in batches."""
    last = 0
    rows = UserInteraction.objects.filter(origin=origin_key(mirror), id__lte=newest).order_by("id")
    while batch := list(rows.filter(id__gt=last).values_list("id", "event_id", "user__user_id")[:BATCH]):
        last = batch[-1][0]
        yield [(event_id, user_id) for _, event_id, user_id in batch]
