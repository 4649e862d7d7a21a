"""Writes whole histories: seeded or imported interactions and impressions."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import NamedTuple
from uuid import UUID

from django.db import transaction

from tandem.models import Feedback, Impression, ImpressionItem, UserInteraction
from tandem.services.id_mapping import catalogue_key, event_keys, item_keys, user_keys

BATCH = 5_000


class Happened(NamedTuple):
    """One past event. Writing the same `event_id` a second time fails."""

    event_id: UUID
    user_id: str
    item_id: str
    event: str
    time: datetime
    value: float | None = None
    request_id: UUID | None = None  # of the shown list that it answers


class Shown(NamedTuple):
    """One list that was shown in the past. `parts` are by position, like `items`."""

    request_id: UUID
    user_id: str | None
    surface: str
    method: str
    time: datetime
    items: Sequence[tuple[str, float]]  # item id and score, the top first
    parts: Sequence[Mapping[str, float]] = ()
    probabilities: Mapping[str, float] = {}


def write_past(*, catalogue: str, events: Sequence[Happened]) -> int:
    """Add the events and the keys that they need; return their number. The caller opens the transaction.

    Raises IntegrityError if an event id exists.
    """
    catalogue_id = catalogue_key(catalogue)
    users = user_keys({event.user_id for event in events})
    items = item_keys(catalogue_id, {event.item_id for event in events})
    kinds = event_keys({event.event for event in events})
    for start in range(0, len(events), BATCH):
        UserInteraction.objects.bulk_create(
            [
                UserInteraction(
                    event_id=event.event_id,
                    user_id=users[event.user_id],
                    item_id=items[event.item_id],
                    catalogue_id=catalogue_id,
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
    """Add shown lists with their items; return the number of lists. The caller opens the transaction."""
    catalogue_id = catalogue_key(catalogue)
    users = user_keys({shown.user_id for shown in lists if shown.user_id is not None})
    items = item_keys(catalogue_id, {item_id for shown in lists for item_id, _ in shown.items})
    for start in range(0, len(lists), BATCH):
        batch = lists[start : start + BATCH]
        Impression.objects.bulk_create(
            Impression(
                request_id=shown.request_id,
                user_id=None if shown.user_id is None else users[shown.user_id],
                catalogue_id=catalogue_id,
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


@transaction.atomic
def forget_past(*, catalogue: str) -> int:
    """Delete every interaction, shown list and verdict of one catalogue; return the number of interactions. Keys stay."""
    Feedback.objects.filter(item__catalogue__name=catalogue).delete()
    Impression.objects.filter(catalogue__name=catalogue).delete()
    interactions = UserInteraction.objects.filter(catalogue__name=catalogue)
    count, _ = interactions.delete()
    return count
