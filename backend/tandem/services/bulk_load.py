"""Writes a whole past at once: seeded or imported interactions, through the integer key tables."""

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from typing import NamedTuple
from uuid import UUID

from tandem.models import CatalogueKey, EventKey, Feedback, Impression, ImpressionItem, ItemKey, UserInteraction, UserKey

BATCH = 5_000


class Happened(NamedTuple):
    """One past event in outside words. `event_id` makes a second writing of the same event fail."""

    event_id: UUID
    user_id: str
    item_id: str
    event: str
    time: datetime
    value: float | None = None
    request_id: UUID | None = None  # of the shown list that it answers


class Shown(NamedTuple):
    """One list that was shown in the past, in outside words. `parts` are by place, like `items`."""

    request_id: UUID
    user_id: str | None
    surface: str
    method: str
    time: datetime
    items: Sequence[tuple[str, float]]  # item id and score, the top first
    parts: Sequence[Mapping[str, float]] = ()
    probabilities: Mapping[str, float] = {}


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
                    request_id=event.request_id,
                )
                for event in events[start : start + BATCH]
            ]
        )
    return len(events)


def write_shown(*, catalogue: str, use_case: str, lists: Sequence[Shown]) -> int:
    """Add lists that were shown, with their items; gives how many lists. The caller holds the transaction."""
    catalogue_key, _ = CatalogueKey.objects.get_or_create(name=catalogue)
    users = _user_keys({one.user_id for one in lists if one.user_id is not None})
    items = _item_keys(catalogue_key, {item_id for one in lists for item_id, _ in one.items})
    for start in range(0, len(lists), BATCH):
        some = lists[start : start + BATCH]
        Impression.objects.bulk_create(
            Impression(
                request_id=one.request_id,
                user_id=None if one.user_id is None else users[one.user_id],
                catalogue_id=catalogue_key.pk,
                use_case=use_case,
                surface=one.surface,
                method_used=one.method,
                probabilities=dict(one.probabilities),
                time=one.time,
            )
            for one in some
        )
        ImpressionItem.objects.bulk_create(
            (
                ImpressionItem(
                    impression_id=one.request_id,
                    item_id=items[item_id],
                    position=place + 1,
                    score=score,
                    parts=dict(one.parts[place]) if one.parts else {},
                )
                for one in some
                for place, (item_id, score) in enumerate(one.items)
            ),
            batch_size=BATCH,
        )
    return len(lists)


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
