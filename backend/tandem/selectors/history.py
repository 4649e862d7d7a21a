"""One user's interactions, read from the tables at each request, and the count that routing, pages and statistics use."""

from collections import Counter
from collections.abc import Collection, Iterable
from dataclasses import dataclass
from datetime import datetime
from functools import cache
from itertools import groupby, islice
from operator import itemgetter

import numpy as np
from django.db import Error, connections, router
from django.db.models import Q, QuerySet

from recommendation_service.datasets.weighting import event_weights, history_of_rows, newest_time
from recommendation_service.domain.history import HISTORY_LIMIT, SEEN_LIMIT, UNKNOWN_TIME, History, PastEvent
from recommendation_service.domain.query import Profile
from recommendation_service.domain.request import MAX_NAMES, MAX_VALUE_LENGTH, MAX_VALUES
from recommendation_service.use_cases.schema import UseCase
from tandem.fields import NewestFirst
from tandem.models import CatalogueKey, Feedback, UserInteraction, UserKey
from tandem.selectors.items import existing_ids, invisible_ids
from tandem.selectors.transactions import contained
from tandem.sources import ItemSource, source_of, use_case_of
from tandem.surfaces import BoundSurface
from tandem.use_cases import load

HIDDEN_LIMIT = 1000
OLDER_LIMIT = 3000  # with HIDDEN_LIMIT and 500 events, what one request to the service can hold
NOBODY, UNKNOWN = "nobody", "unknown"  # versions without a history, and of one that the database did not answer


@dataclass(frozen=True, slots=True)
class UserHistory:
    """One user's history in the database; `known` is False if the database did not answer."""

    events: tuple[PastEvent, ...] = ()
    count: int | None = None  # set only if the database has more events than `events`
    hidden: tuple[str, ...] = ()
    older: tuple[str, ...] = ()  # items seen before those of `events`
    profile: Profile | None = None
    known: bool = True

    @property
    def seen(self) -> set[str]:
        """Items of `events`; not all seen items if `count` is set."""
        return {event.item_id for event in self.events}


def user_history(bound: BoundSurface, user_id: str | None) -> UserHistory:
    """Return what the database has about the user; an empty history for None."""
    if user_id is None and not bound.source.limits_visibility():
        return UserHistory(profile={})
    try:
        with contained():
            invisible = invisible_ids(source=bound.source, user_id=user_id, at_most=HIDDEN_LIMIT)
            if user_id is None:
                return UserHistory(hidden=tuple(invisible), profile={})
            events, count = history_of(user_id=user_id, catalogue=bound.catalogue, use_case=bound.use_case)
            older = seen_before(events, user_id=user_id, catalogue=bound.catalogue) if count is not None else ()
            hidden = [*hidden_of(user_id=user_id, catalogue=bound.catalogue), *invisible][:HIDDEN_LIMIT]
            person = bound.source.person(user_id)
            profile = {} if person is None else bound.source.profile(person)
    except Error:
        return UserHistory(known=False)
    return UserHistory(events, count, tuple(hidden), tuple(older), _shortened(profile))


def history_of(*, user_id: str, catalogue: str, use_case: UseCase | None = None) -> tuple[tuple[PastEvent, ...], int | None]:
    """Return the newest 500 events, newest first, and the count that routing uses.

    Of equal times the event that arrived last is the newest; events at unknown times are older than all others.

    The count is None if these are all events, because the service then counts them by the same rule, and without
    `use_case`.
    """
    events = _past_events(_newest_first(_events(user_id, catalogue))[: HISTORY_LIMIT + 1])
    source = source_of(catalogue) if use_case is not None and len(events) > HISTORY_LIMIT else None
    if source is None:
        return events[:HISTORY_LIMIT], None
    return events[:HISTORY_LIMIT], counts_of(source, [user_id])[user_id]


def count_of(events: Iterable[PastEvent], use_case: UseCase, source: type[ItemSource] | None = None) -> int:
    """Count one user's events for routing, by the rule of `weighting.history_of_rows`.

    That is: events with a positive weight, of which repeats with the same item and event on one day (UTC) count once.
    With `source`, only events of items that the catalogue has now count, as in the service, whose exports hold no others.
    """
    events = tuple(events)
    if source is not None:
        events = _of_existing(events, _existing(source, {event.item_id for event in events}))
    return _weighed(events, use_case)[1].count


def counts_of(source: type[ItemSource], user_ids: Iterable[str]) -> Counter[str]:
    """Return `count_of` for several users, by user id, with two queries; the newest 5,000 events of each are counted."""
    use_case = load(use_case_of(source))
    events = UserInteraction.objects.filter(catalogue__name=source.catalogue, user__user_id__in=list(user_ids))
    rows = events.order_by("user", NewestFirst("time"), "-id").values_list("user__user_id", *_EVENT_COLUMNS)
    by_user = {
        user_id: [_past_event(*row) for _, *row in islice(group, SEEN_LIMIT)]
        for user_id, group in groupby(rows.iterator(chunk_size=SEEN_LIMIT), key=itemgetter(0))
    }
    existing = _existing(source, {event.item_id for past in by_user.values() for event in past})
    return Counter({user_id: count_of(_of_existing(past, existing), use_case) for user_id, past in by_user.items()})


def disliked_of(events: tuple[PastEvent, ...], use_case: UseCase) -> set[str]:
    """Return the items with a negative weight, by the service's weights; for events of at most 500 items."""
    items, history = _weighed(events, use_case)
    return {items[row] for row in history.disliked().tolist()}


def disliked_among(*, user_id: str, catalogue: str, item_ids: list[str], use_case: UseCase) -> set[str]:
    """Return those of these items, at most 500, that the user dislikes."""
    events = _newest_first(_events(user_id, catalogue).filter(item__item_id__in=item_ids))
    return disliked_of(_past_events(events), use_case)


def history_version(*, user_id: str, catalogue: str) -> str:
    """Version of the user's history, "<user key>:...": it changes with every event and verdict, added or removed.

    NOBODY for a user without history. One query. A list that was made for one version must not be shown for another;
    so an action in one process makes the cached lists of all processes stale.
    """
    connection = connections[router.db_for_read(UserKey)]
    with connection.cursor() as cursor:
        cursor.execute(_version_query(connection.vendor), [catalogue, user_id])
        row = cursor.fetchone()
    if row is None or row[1:] == (None, None):
        return NOBODY
    return ":".join(str(part) for part in row)


def version_if_known(bound: BoundSurface, user_id: str | None) -> str:
    """Return `history_version` for a surface's catalogue: NOBODY without a user, UNKNOWN if the database does not answer."""
    if user_id is None:
        return NOBODY
    try:
        with contained():
            return history_version(user_id=user_id, catalogue=bound.catalogue)
    except Error:
        return UNKNOWN


def seen_among(*, user_id: str, catalogue: str, item_ids: list[str]) -> set[str]:
    """Return those of these items that the user has any event with."""
    events = _events(user_id, catalogue).filter(item__item_id__in=item_ids)
    return set(events.values_list("item__item_id", flat=True).distinct())


def seen_before(events: tuple[PastEvent, ...], *, user_id: str, catalogue: str) -> list[str]:
    """Return the items of the events older than `events`, the newest events: each once, the newest 3,000."""
    newer = {event.item_id for event in events}
    older = _newest_first(_events(user_id, catalogue)).values_list("item__item_id", flat=True)
    items = dict.fromkeys(item_id for item_id in older[len(events) : len(events) + SEEN_LIMIT] if item_id not in newer)
    return list(items)[:OLDER_LIMIT]


def hidden_of(*, user_id: str, catalogue: str) -> list[str]:
    """Return the items that the user hides, the newest 1,000."""
    verdicts = Feedback.objects.filter(
        user__user_id=user_id, item__catalogue__name=catalogue, verdict=Feedback.Verdict.HIDE
    ).order_by("-time")
    return list(verdicts.values_list("item__item_id", flat=True)[:HIDDEN_LIMIT])


def positive(use_case: UseCase) -> Q:
    """Return a filter for interactions with a positive weight in the use case."""
    chosen = Q(pk__in=[])
    for name, rule in use_case.events.items():
        if rule.neutral is None:
            chosen |= Q(kind__name=name) if rule.weight > 0 else Q(pk__in=[])
        elif rule.weight > 0:
            chosen |= Q(kind__name=name, value__gt=rule.neutral)
        elif rule.weight < 0:
            chosen |= Q(kind__name=name, value__lt=rule.neutral)
    return chosen


def _shortened(profile: Profile) -> Profile:
    """Return as much of a profile as the service accepts, so that a long profile is not refused."""
    names = list(profile)[:MAX_NAMES]
    return {name: tuple(value[:MAX_VALUE_LENGTH] for value in profile[name][:MAX_VALUES] if value) for name in names}


def _weighed(events: Collection[PastEvent], use_case: UseCase) -> tuple[list[str], History]:
    """Return item ids and the history in indexes of them, at the time of the newest event: decay changes no sign or count."""
    if not events:
        return [], History.empty()
    events = tuple(events)[::-1]  # they come newest first
    index_of = {item_id: index for index, item_id in enumerate(dict.fromkeys(event.item_id for event in events))}
    names = sorted({event.event for event in events})
    code_of = {name: code for code, name in enumerate(names)}
    items = np.array([index_of[event.item_id] for event in events], dtype=np.int64)
    codes = np.array([code_of[event.event] for event in events], dtype=np.int64)
    values = np.array([np.nan if event.value is None else event.value for event in events], dtype=np.float32)
    times = np.array([event.time for event in events], dtype=np.float64)
    weights = event_weights(use_case, codes, values, names)
    return list(index_of), history_of_rows(items, codes, weights, times, newest_time(times), use_case.weighting)


def _existing(source: type[ItemSource], item_ids: set[str]) -> set[str]:
    """Return those of the items that the catalogue has now; all of them if the database does not answer."""
    try:
        with contained():
            return existing_ids(source=source, item_ids=item_ids)
    except Error:
        return item_ids


def _of_existing(events: Iterable[PastEvent], existing: set[str]) -> tuple[PastEvent, ...]:
    return tuple(event for event in events if event.item_id in existing)


def _events(user_id: str, catalogue: str) -> QuerySet[UserInteraction]:
    return UserInteraction.objects.filter(user__user_id=user_id, catalogue__name=catalogue)


def _newest_first(events: QuerySet[UserInteraction]) -> QuerySet[UserInteraction]:
    return events.order_by(NewestFirst("time"), "-id")


_EVENT_COLUMNS = ("item__item_id", "kind__name", "time", "value")


def _past_event(item_id: str, event: str, time: datetime | None, value: float | None) -> PastEvent:
    return PastEvent(item_id, event, UNKNOWN_TIME if time is None else time.timestamp(), value)


def _past_events(rows: QuerySet[UserInteraction]) -> tuple[PastEvent, ...]:
    return tuple(_past_event(*row) for row in rows.values_list(*_EVENT_COLUMNS))


@cache
def _version_query(vendor: str) -> str:
    """One row: the user's key, then "number:newest" of the interactions and of the verdicts.

    A new row has the highest id and a removed row changes the number, so no change keeps both. In SQL, because every
    cached answer needs it.
    """
    users, events, catalogues, verdicts = (model._meta.db_table for model in (UserKey, UserInteraction, CatalogueKey, Feedback))
    pair = "CONCAT(COUNT(*), ':', MAX({}))" if vendor == "mysql" else "COUNT(*) || ':' || MAX({})"  # there || is OR
    return (
        f"SELECT u.id, (SELECT {pair.format('i.id')} FROM {events} i WHERE i.user_id = u.id AND i.catalogue_id = "  # noqa: S608 - our own tables
        f"(SELECT c.id FROM {catalogues} c WHERE c.name = %s)), "
        f"(SELECT {pair.format('f.time')} FROM {verdicts} f WHERE f.user_id = u.id) FROM {users} u WHERE u.user_id = %s"
    )
