"""What one user did, read from the tables at the moment of asking."""

from functools import cache

import numpy as np
from django.db import connections, router
from django.db.models import Q, QuerySet
from django.db.models.functions import TruncDate

from recommendation_service.datasets.weighting import event_weights, history_of_rows
from recommendation_service.domain.history import HISTORY_LIMIT, SEEN_LIMIT, History, PastEvent
from recommendation_service.use_cases.schema import UseCase
from tandem.models import CatalogueKey, Feedback, UserInteraction, UserKey

HIDDEN_LIMIT = 1000
OLDER_LIMIT = 3000  # with HIDDEN_LIMIT and 500 events, what one question to the service can hold
NOBODY = "nobody"


def history_of(*, user_id: str, catalogue: str, use_case: UseCase | None = None) -> tuple[tuple[PastEvent, ...], int | None]:
    """The newest 500 events, newest first, and the count that routing uses.

    The count is None when the events are all there are, so that the service counts them by its own rule; else, given
    the use case, it comes from a second query over everything the user did.
    """
    events = _past_events(_events(user_id, catalogue).order_by("-time", "-id")[: HISTORY_LIMIT + 1])
    if len(events) <= HISTORY_LIMIT or use_case is None:
        return events[:HISTORY_LIMIT], None
    return events[:HISTORY_LIMIT], _count_all(user_id, catalogue, use_case)


def count_of(events: tuple[PastEvent, ...], use_case: UseCase) -> int:
    """Positive events, repeats of the same item and event on a day counted once: what 5 and 20 are compared with."""
    return _weighed(events, use_case)[1].count


def disliked_of(events: tuple[PastEvent, ...], use_case: UseCase) -> set[str]:
    """Items whose events weigh less than nothing together, as the service weighs them; of at most 500 items."""
    items, past = _weighed(events, use_case)
    return {items[row] for row in past.disliked().tolist()}


def disliked_among(*, user_id: str, catalogue: str, item_ids: list[str], use_case: UseCase) -> set[str]:
    """Which of these items, at most 500, the user's events say no to."""
    found = _events(user_id, catalogue).filter(item__item_id__in=item_ids)
    return disliked_of(_past_events(found), use_case)


def _weighed(events: tuple[PastEvent, ...], use_case: UseCase) -> tuple[list[str], History]:
    """Item ids, and the past in places among them, as of the newest event: no sign and no count depends on the moment."""
    if not events:
        return [], History.empty()
    item_of = {item_id: place for place, item_id in enumerate(dict.fromkeys(event.item_id for event in events))}
    names = sorted({event.event for event in events})
    code = {name: place for place, name in enumerate(names)}
    items = np.array([item_of[event.item_id] for event in events], dtype=np.int64)
    codes = np.array([code[event.event] for event in events], dtype=np.int64)
    values = np.array([np.nan if event.value is None else event.value for event in events], dtype=np.float32)
    times = np.array([event.time for event in events], dtype=np.float64)
    weights = event_weights(use_case, codes, values, names)
    return list(item_of), history_of_rows(items, codes, weights, times, float(times.max()), use_case.weighting)


def history_version(*, user_id: str, catalogue: str) -> str:
    """Version of the user's history, "<user key>:...": it changes with every event and verdict, added or removed.

    NOBODY for a user without history. One query. A list that was made for one version must not be shown for another;
    so an action in one process makes the cached lists of all processes stale.
    """
    with connections[router.db_for_read(UserKey)].cursor() as cursor:
        cursor.execute(_version_query(), [catalogue, user_id])
        row = cursor.fetchone()
    if row is None or row[1:] == (None, None):
        return NOBODY
    return ":".join(str(part) for part in row)


def seen_among(*, user_id: str, catalogue: str, item_ids: list[str]) -> set[str]:
    """Which of these items the user has any event with."""
    found = _events(user_id, catalogue).filter(item__item_id__in=item_ids)
    return set(found.values_list("item__item_id", flat=True).distinct())


def seen_before(events: tuple[PastEvent, ...], *, user_id: str, catalogue: str) -> list[str]:
    """Items of the events older than `events`, the newest events there are; each once, the newest 3,000."""
    newer = {event.item_id for event in events}
    older = _events(user_id, catalogue).order_by("-time", "-id").values_list("item__item_id", flat=True)
    found = dict.fromkeys(item_id for item_id in older[len(events) : len(events) + SEEN_LIMIT] if item_id not in newer)
    return list(found)[:OLDER_LIMIT]


def hidden_of(*, user_id: str, catalogue: str) -> list[str]:
    """Items the user said to hide, the newest 1,000."""
    found = Feedback.objects.filter(
        user__user_id=user_id, item__catalogue__name=catalogue, verdict=Feedback.Verdict.HIDE
    ).order_by("-time")
    return list(found.values_list("item__item_id", flat=True)[:HIDDEN_LIMIT])


def positive(use_case: UseCase) -> Q:
    """Events that say something good of an item, by the use case's weights."""
    chosen = Q(pk__in=[])
    for name, rule in use_case.events.items():
        if rule.neutral is None:
            chosen |= Q(kind__name=name) if rule.weight > 0 else Q(pk__in=[])
        elif rule.weight > 0:
            chosen |= Q(kind__name=name, value__gt=rule.neutral)
        elif rule.weight < 0:
            chosen |= Q(kind__name=name, value__lt=rule.neutral)
    return chosen


def _events(user_id: str, catalogue: str) -> QuerySet[UserInteraction]:
    return UserInteraction.objects.filter(user__user_id=user_id, catalogue__name=catalogue)


def _past_events(found: QuerySet[UserInteraction]) -> tuple[PastEvent, ...]:
    rows = found.values_list("item__item_id", "kind__name", "time", "value")
    return tuple(PastEvent(item_id, event, time.timestamp(), value) for item_id, event, time, value in rows)


@cache
def _version_query() -> str:
    """One row: the user's key, then "number:newest" of the interactions and of the verdicts.

    A new row has the highest id and a removed row changes the number, so no change keeps both. In SQL, because every
    cached answer needs it.
    """
    users, events, catalogues, verdicts = (model._meta.db_table for model in (UserKey, UserInteraction, CatalogueKey, Feedback))
    return (
        f"SELECT u.id, (SELECT COUNT(*) || ':' || MAX(i.id) FROM {events} i WHERE i.user_id = u.id AND i.catalogue_id = "  # noqa: S608 - our own tables
        f"(SELECT c.id FROM {catalogues} c WHERE c.name = %s)), "
        f"(SELECT COUNT(*) || ':' || MAX(f.time) FROM {verdicts} f WHERE f.user_id = u.id) FROM {users} u WHERE u.user_id = %s"
    )


def _count_all(user_id: str, catalogue: str, use_case: UseCase) -> int:
    days = _events(user_id, catalogue).filter(positive(use_case)).annotate(day=TruncDate("time"))
    return int(days.values("item_id", "kind_id", "day").distinct().count())
