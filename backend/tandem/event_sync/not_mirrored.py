"""Remembers which rows of the site's event tables are no interactions, and why, for the admin and for `check_events`."""

import logging
from collections.abc import Collection

from django.db import DatabaseError
from django.db.models import F
from django.utils import timezone

from tandem.event_sync.mirror import Mirror
from tandem.event_sync.refresh import origin_key
from tandem.event_sync.rows import EXPECTED, Refused, Tally
from tandem.models import NotMirrored
from tandem.selectors.transactions import writing
from tandem.services.record_interactions import interactions_database

MOST_REASONS = 20  # of one table; further reasons are counted as one
OTHER = "another reason"
LOCK_S = 1.0
REASON_LENGTH, EXAMPLE_LENGTH = 200, 300  # of the columns
log = logging.getLogger(__name__)


def failure(mirror: Mirror, keys: Collection[object], error: Exception) -> Tally:
    """Return the tally of rows that could not be read because of an error."""
    tally = Tally()
    example = f"{mirror.model.__name__} {next(iter(keys), '')}: {error}"
    for _ in keys:
        tally.add(Refused(f"an error, {type(error).__name__}", example))
    return tally


def add(mirror: Mirror, tally: Tally) -> None:
    """Count rows that should be interactions and are not, beside those that are counted already. Never raises."""
    unexpected = {reason: count for reason, count in tally.reasons.items() if reason not in EXPECTED}
    if not unexpected:
        return
    try:
        with writing(interactions_database(), wait_s=LOCK_S):
            origin, now = origin_key(mirror), timezone.now()
            for reason, count in unexpected.items():
                name, example = reason[:REASON_LENGTH], tally.examples[reason][:EXAMPLE_LENGTH]
                rows = NotMirrored.objects.filter(origin=origin)
                changed = {"rows": F("rows") + count, "example": example, "time": now}
                if rows.filter(reason=name).update(**changed):
                    continue
                name = name if rows.count() < MOST_REASONS else OTHER
                if not rows.filter(reason=name).update(**changed):
                    rows.create(origin_id=origin, reason=name, rows=count, example=example, time=now)
    except DatabaseError:
        log.exception("%s: rows that are not mirrored cannot be counted", mirror.origin)


def replace(mirror: Mirror, tally: Tally) -> None:
    """Replace the counts of a table, after all of its rows were read. Never raises."""
    try:
        with writing(interactions_database()):
            origin, now, counts = origin_key(mirror), timezone.now(), dict[str, NotMirrored]()
            for reason, count in tally.reasons.most_common():
                name = reason[:REASON_LENGTH] if len(counts) < MOST_REASONS else OTHER
                example = tally.examples[reason][:EXAMPLE_LENGTH]
                entry = counts.setdefault(name, NotMirrored(origin_id=origin, reason=name, rows=0, example=example, time=now))
                entry.rows += count
            NotMirrored.objects.filter(origin=origin).delete()
            NotMirrored.objects.bulk_create(counts.values())
    except DatabaseError:
        log.exception("%s: rows that are not mirrored cannot be counted", mirror.origin)


def forget_others(mirrors: Collection[Mirror]) -> None:
    """Delete the counts of tables that no source declares any more. Never raises."""
    try:
        with writing(interactions_database()):
            NotMirrored.objects.exclude(origin__name__in=[mirror.origin for mirror in mirrors]).delete()
    except DatabaseError:
        log.exception("counts of tables that are not declared any more cannot be deleted")


def counted(mirror: Mirror) -> list[NotMirrored]:
    """Return what was counted for a table, the largest count first; nothing before `migrate`."""
    try:
        return list(NotMirrored.objects.filter(origin__name=mirror.origin).order_by("-rows", "reason"))
    except DatabaseError:
        return []
