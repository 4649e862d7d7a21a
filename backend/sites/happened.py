"""Writes a whole past at once: seeded or imported interactions, through the integer key tables."""

from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import NamedTuple
from uuid import UUID

from recommendations.models import (
    CatalogueKey,
    EventKey,
    Feedback,
    Impression,
    ItemKey,
    UserInteraction,
    UserKey,
)

BATCH = 5_000


class Happened(NamedTuple):
    """One past event in outside words. `event_id` makes a second writing of the same event fail."""

    event_id: UUID
    user_id: str
    item_id: str
    event: str
    time: datetime
    value: float | None = None


def write_past(*, catalogue: str, events: Sequence[Happened]) -> int:
    """Add the events and whatever keys they need; gives how many. The caller holds the transaction.

    Raises IntegrityError when an event id is already there.
    """
    catalogue_key, _ = CatalogueKey.objects.get_or_create(name=catalogue)
    users = _user_keys({event.user_id for event in events})
    items = _item_keys(catalogue_key, {event.item_id for event in events})
    kinds = {name: EventKey.objects.get_or_create(name=name)[0].pk for name in sorted({event.event for event in events})}
    for start in range(0, len(events), BATCH):
        UserInteraction.objects.bulk_create(
            [
                UserInteraction(
                    event_id=event.event_id,
                    user_id=users[event.user_id],
                    item_id=items[event.item_id],
                    catalogue_id=catalogue_key.pk,
                    kind_id=kinds[event.event],
                    value=event.value,
                    time=event.time,
                )
                for event in events[start : start + BATCH]
            ]
        )
    return len(events)


def forget_past(*, catalogue: str) -> int:
    """Delete every interaction, shown list and verdict of one catalogue; gives how many interactions. Keys stay."""
    Feedback.objects.filter(item__catalogue__name=catalogue).delete()
    Impression.objects.filter(catalogue__name=catalogue).delete()
    gone = UserInteraction.objects.filter(catalogue__name=catalogue)
    count, _ = gone.delete()
    return count


def _user_keys(user_ids: Iterable[str]) -> dict[str, int]:
    wanted = set(user_ids)
    UserKey.objects.bulk_create([UserKey(user_id=name) for name in sorted(wanted)], ignore_conflicts=True, batch_size=BATCH)
    known = UserKey.objects.values_list("user_id", "pk").iterator(chunk_size=BATCH)
    return {name: key for name, key in known if name in wanted}


def _item_keys(catalogue: CatalogueKey, item_ids: Iterable[str]) -> dict[str, int]:
    fresh = [ItemKey(catalogue=catalogue, item_id=name) for name in sorted(set(item_ids))]
    ItemKey.objects.bulk_create(fresh, ignore_conflicts=True, batch_size=BATCH)
    return dict(ItemKey.objects.filter(catalogue=catalogue).values_list("item_id", "pk"))
