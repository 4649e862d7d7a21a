"""How a site declares one of its event tables, such as order lines, likes or ratings.

    events = {
        "like": Like,
        "purchase": Event(OrderLine, user="order__user", time="order__date_placed", gone=Q(order__status="cancelled")),
        "shelf": Event(
            ShelfBook, item="edition__parent_work", event="shelf__identifier", event_map={"to-read": "want", "read": "finish"}
        ),
        "save": Event(Member.saved_jobs.through),
    }

docs/guides/events.md has one example per kind of table.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from django.db.models import Manager, Model, Q, QuerySet
from django.db.models.expressions import Combinable

Table = type[Model] | QuerySet[Any] | Manager[Any] | Callable[[], QuerySet[Any]]
Column = str | Combinable | Callable[[Any], Any]  # a path such as "order__user", an expression, or a function of the row


@dataclass(frozen=True, slots=True, eq=False)
class Event:
    """One table of the site and what its rows mean. "" for a column: it is chosen by its model or name, if there is one."""

    queryset: Table  # a model, or the rows that count
    item: Column = ""  # default: the foreign key to the items' model
    user: Column = ""  # default: the foreign key to a model of `profiles`, else `user` or `person`; empty: not an interaction
    time: Column = ""  # default: `created_at` or `time`; else when the row is saved, unknown for older rows
    value: Column = ""  # default: `value`
    request_id: Column = ""  # the shown list that the row answers; default: `request_id`
    when: Q | None = None  # a row is an interaction only while this holds
    gone: Q | None = None  # and only while this does not hold, such as Q(deleted=True)
    event: Column = ""  # the name of the event, or with `event_map` the column that decides it; default: the key in `events`
    event_map: Mapping[Any, str] = field(default_factory=dict)  # value of the column -> event; other values are no interaction
    name: str = ""  # distinguishes declarations of the same table and event; default: the key in `events`, else the event
