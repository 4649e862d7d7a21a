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
    users = _user_keys({shown.user_id for shown in lists if shown.user_id is not None})
    items = _item_keys(catalogue_key, {item_id for shown in lists for item_id, _ in shown.items})
    for start in range(0, len(lists), BATCH):
        batch = lists[start : start + BATCH]
        Impression.objects.bulk_create(
            Impression(
                request_id=shown.request_id,
                user_id=None if shown.user_id is None else users[shown.user_id],
                catalogue_id=catalogue_key.pk,
                use_case=use_case,
                surface=shown.surface,
                method_used=shown.method,
                probabilities=dict(shown.probabilities),
                time=shown.time,
            )
            for shown in batch
        )
        ImpressionItem.objects.bulk_create(
            (
                ImpressionItem(
                    impression_id=shown.request_id,
                    item_id=items[item_id],
                    position=index + 1,
                    score=score,
                    parts=dict(shown.parts[index]) if shown.parts else {},
                )
                for shown in batch
                for index, (item_id, score) in enumerate(shown.items)
            ),
            batch_size=BATCH,
        )
    return len(lists)


def forget_past(*, catalogue: str) -> int:
    """Delete every interaction, shown list and verdict of one catalogue; gives how many interactions. Keys stay."""
    Feedback.objects.filter(item__catalogue__name=catalogue).delete()
    Impression.objects.filter(catalogue__name=catalogue).delete()
    interactions = UserInteraction.objects.filter(catalogue__name=catalogue)
    count, _ = interactions.delete()
    return count


def _user_keys(user_ids: Iterable[str]) -> dict[str, int]:
    ids = set(user_ids)
    UserKey.objects.bulk_create([UserKey(user_id=name) for name in sorted(ids)], ignore_conflicts=True, batch_size=BATCH)
    known = UserKey.objects.values_list("user_id", "pk").iterator(chunk_size=BATCH)
    return {name: key for name, key in known if name in ids}


def _item_keys(catalogue: CatalogueKey, item_ids: Iterable[str]) -> dict[str, int]:
    fresh = [ItemKey(catalogue=catalogue, item_id=name) for name in sorted(set(item_ids))]
    ItemKey.objects.bulk_create(fresh, ignore_conflicts=True, batch_size=BATCH)
    return dict(ItemKey.objects.filter(catalogue=catalogue).values_list("item_id", "pk"))
