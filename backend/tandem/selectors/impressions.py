"""Joins shown lists with the events that followed. The database groups and counts them in one pass over an index.

An event counts if the user of the list did it with an item of the list. For a list without a user, every event that is
linked with it counts. Each list and item counts once, also after several clicks.
"""

from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from typing import Any

from django.db import connections, router
from django.db.models import Count, F, QuerySet, Value
from django.db.models.functions import TruncDate

from recommendation_service.errors import InvalidInput
from tandem.models import EventKey, Impression, ImpressionItem, ItemKey, UserInteraction
from tandem.selectors.quarantined import counted, counted_sql
from tandem.use_cases import load

MAX_DAYS = 400
GROUPS = {
    "all": Value(""),
    "day": TruncDate("time", tzinfo=UTC),
    "method": F("method_used"),
    "surface": F("surface"),
}


@dataclass(frozen=True, slots=True)
class Window:
    """A time from `since` up to, but not including, `until`, both with a time zone. Days are days in UTC."""

    since: datetime
    until: datetime

    def __post_init__(self) -> None:
        """Raise InvalidInput for a window without a time zone, an empty one, or one longer than 400 days."""
        if self.since.tzinfo is None or self.until.tzinfo is None:
            raise InvalidInput("a window's two moments need an offset such as +00:00")
        if not timedelta(0) < self.until - self.since <= timedelta(days=MAX_DAYS):
            raise InvalidInput(f"a window must end after it begins and be no longer than {MAX_DAYS} days")

    @classmethod
    def last(cls, days: int, *, until: datetime) -> "Window":
        """Return the last `days` days. The last one is the day of `until`, and ends at that time."""
        end = until.astimezone(UTC)
        return cls(end.replace(hour=0, minute=0, second=0, microsecond=0) - timedelta(days=days - 1), end)

    def days(self) -> list[date]:
        """Return every day of the window, the oldest first."""
        first, last = self.since.astimezone(UTC).date(), (self.until - timedelta(microseconds=1)).astimezone(UTC).date()
        return [first + timedelta(days=step) for step in range((last - first).days + 1)]


@dataclass(frozen=True, slots=True)
class ListQuery:
    """Which lists to count: the use case, and optionally the user and the surfaces. None: all users, all surfaces."""

    use_case: str
    window: Window
    user_id: str | None = None
    surface: str | None = None

    def lists(self) -> QuerySet[Impression]:
        """Return the shown lists as a queryset that can use an index."""
        surfaces = list(load(self.use_case).surfaces) if self.surface is None else [self.surface]
        lists = Impression.objects.filter(use_case=self.use_case, surface__in=surfaces)
        lists = lists.filter(time__gte=self.window.since, time__lt=self.window.until)
        if self.user_id is not None:
            return lists.filter(user__user_id=self.user_id)
        return counted(lists)


@dataclass(frozen=True, slots=True)
class Answered:
    """The events that followed the shown items of one group, or one item. `reached` is by step."""

    group: str
    reached: tuple[int, ...]
    value: float


def lists_and_items(query: ListQuery, group: str) -> dict[str, tuple[int, int]]:
    """Return the number of shown lists and of shown items, by group."""
    lists, parameters = _sql(query, group)
    table = ImpressionItem._meta.db_table
    rows = _rows(
        f"SELECT grp, COUNT(*), SUM(n) FROM (SELECT l.grp AS grp, (SELECT COUNT(*) FROM {table} s "  # noqa: S608 - our own tables
        f"WHERE s.impression_id = l.request_id) AS n FROM ({lists}) l) c GROUP BY grp",
        parameters,
    )
    return {str(name): (int(count), int(items)) for name, count, items in rows}


def answered(query: ListQuery, group: str, steps: Sequence[Collection[str]]) -> dict[str, Answered]:
    """Return by group how many shown items reached each step (a set of events), and the value of the last step's events.

    Only the largest value per list and item counts, and ratings do not count as amounts. Groups without events are left
    out.
    """
    return {entry.group: entry for entry in _answered(query, group, steps, "grp", "")}


def answered_items(query: ListQuery, steps: Sequence[Collection[str]], *, limit: int) -> list[Answered]:
    """Return the same as `answered` by item id, the items that reached the last step most often first."""
    order = ", ".join(f"SUM(s{index}) DESC" for index in reversed(range(len(steps))))
    return list(_answered(query, "all", steps, "item", f" ORDER BY {order}, item LIMIT {int(limit)}"))


def shown_among(query: ListQuery, item_ids: Collection[str]) -> dict[str, int]:
    """Return how often each of these items was shown."""
    lists = ImpressionItem.objects.filter(impression__in=query.lists().values("pk"), item__item_id__in=list(item_ids))
    return dict(lists.values_list("item__item_id").annotate(count=Count("pk")).order_by())


def _answered(query: ListQuery, group: str, steps: Sequence[Collection[str]], by: str, ending: str) -> Iterator[Answered]:
    kinds = dict(EventKey.objects.filter(name__in={name for step in steps for name in step}).values_list("name", "pk"))
    if not kinds or not steps:
        return
    lists, parameters = _sql(query, group)
    of_step = [_among(kinds[name] for name in step if name in kinds) for step in steps]
    flags = ", ".join(
        f"MAX(CASE WHEN x.kind_id IN ({keys}) THEN 1 ELSE 0 END) AS s{index}" for index, keys in enumerate(of_step)
    )
    sums = ", ".join(f"SUM(s{index})" for index in range(len(steps)))
    graded = {name for name, rule in load(query.use_case).events.items() if rule.neutral is not None}  # stars are no amount
    amounts = _among(kinds[name] for name in steps[-1] if name in kinds and name not in graded)
    items, events, keys = (model._meta.db_table for model in (ImpressionItem, UserInteraction, ItemKey))
    # the plus keeps SQLite off the index of an item, which holds every list that ever showed it
    rows = _rows(
        f"SELECT {by}, {sums}, SUM(worth) FROM (SELECT l.grp AS grp, l.request_id AS list, k.item_id AS item, {flags}, "  # noqa: S608 - our own tables and whole numbers
        f"COALESCE(MAX(CASE WHEN x.kind_id IN ({amounts}) THEN x.value END), 0) AS worth "
        f"FROM ({lists}) l JOIN {events} x ON x.request_id = l.request_id AND (l.user_id IS NULL OR x.user_id = l.user_id) "
        f"JOIN {items} s ON s.impression_id = l.request_id AND +s.item_id = x.item_id JOIN {keys} k ON k.id = x.item_id "
        f"WHERE x.kind_id IN ({_among(kinds.values())}) AND {_counted(query)} "
        f"GROUP BY l.grp, l.request_id, k.item_id) c GROUP BY {by}{ending}",
        parameters,
    )
    for name, *counts, value in rows:
        yield Answered(str(name), tuple(int(count) for count in counts), float(value))


def _sql(query: ListQuery, group: str) -> tuple[str, tuple[Any, ...]]:
    """Return the lists as a subquery with the columns request_id, user_id and grp, and its parameters."""
    wanted = query.lists().annotate(grp=GROUPS[group]).values("request_id", "user_id", "grp").order_by()
    sql, parameters = wanted.query.get_compiler(_database()).as_sql()
    return sql, tuple(parameters)


def _rows(sql: str, parameters: Sequence[Any]) -> list[tuple[Any, ...]]:
    with connections[_database()].cursor() as cursor:
        cursor.execute(sql, list(parameters))
        return list(cursor.fetchall())


def _counted(query: ListQuery) -> str:
    """Events of accounts in quarantine count only in the figures of one user; they may answer a list without a user."""
    return counted_sql("x.user_id") if query.user_id is None else "1 = 1"


def _among(keys: Any) -> str:
    return ", ".join(str(int(key)) for key in sorted(keys)) or "NULL"


def _database() -> str:
    return router.db_for_read(Impression) or "default"
