"""Catches up with the sites' own event tables: rows that were written past Django's signals."""

from collections.abc import Callable
from itertools import islice

from tandem.event_sync import Mirror, all_mirrors
from tandem.services.record_interactions import ACCEPTED, REJECTED, record_interactions

BATCH = 5_000


def sync_interactions(*, say: Callable[[str], None] = lambda _line: None) -> dict[str, int]:
    """Mirror every row of every declared event table that is not mirrored yet; rows added per table.

    Safe to run at any time and to break off. A row that was deleted by SQL, past Django, keeps its mirror.
    """
    added: dict[str, int] = {}
    for mirror in all_mirrors():
        name = f"{mirror.source.catalogue}.{mirror.event}"
        added[name], refused = _sync(mirror)
        say(f"{name}: {added[name]:,} added" + (f", {refused:,} refused" if refused else ""))
    return added


def _sync(mirror: Mirror) -> tuple[int, int]:
    rows = iter(mirror.model._default_manager.iterator(chunk_size=BATCH))
    added = refused = 0
    while batch := [mirror.row(thing) for thing in islice(rows, BATCH)]:
        results = record_interactions(batch, source="sync")
        added += sum(result.status == ACCEPTED for result in results)
        refused += sum(result.status == REJECTED for result in results)
    return added, refused
