"""Reads rows of a site's event table as interactions, or says why a row is none."""

from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from datetime import datetime
from itertools import islice
from typing import Any, NamedTuple
from uuid import UUID

from django.db.models import Model, QuerySet

from recommendation_service.domain.ids import public_id
from tandem.event_sync.convert import Unusable, id_text, time_of, uuid_of, value_of
from tandem.event_sync.mirror import Mirror
from tandem.services.interaction_validation import Interaction, clean_row
from tandem.sources import values_of

BATCH = 2_000
PREFIX = "tandem_column_"
NO_USER, NO_ITEM, OTHER_EVENT, ERASED = "no user", "no item", "no event for this value", "an erased user"
EXPECTED = (NO_USER, NO_ITEM, OTHER_EVENT, ERASED)


class SourceRow(NamedTuple):
    """A row that is an interaction.

    Its time is None where its column has none. A row of a table without a time, or with a future time, has the time of
    reading, if that is known.
    """

    event_id: UUID
    interaction: Interaction
    has_time: bool  # False: the time is that of reading, and not a property of the row


class Refused(NamedTuple):
    """A row that is not an interaction."""

    reason: str
    example: str


@dataclass(slots=True)
class Tally:
    """How many rows were no interactions, by reason, with the first example of each."""

    reasons: Counter[str] = field(default_factory=Counter)
    examples: dict[str, str] = field(default_factory=dict)

    def add(self, refused: Refused) -> None:
        """Count one row."""
        self.reasons[refused.reason] += 1
        self.examples.setdefault(refused.reason, refused.example)

    @property
    def unexpected(self) -> int:
        """Rows that cannot be mirrored for another reason than that they are no interactions of a user with an item."""
        return sum(count for reason, count in self.reasons.items() if reason not in EXPECTED)

    def lines(self, *, unexpected_only: bool = False) -> list[str]:
        """Return one line per reason, the most frequent first."""
        return [
            f"{count:,} with {reason} (such as {self.examples[reason]})"
            for reason, count in self.reasons.most_common()
            if not unexpected_only or reason not in EXPECTED
        ]


def read(mirror: Mirror, rows: QuerySet[Any], *, now: datetime | None) -> Iterator[list[tuple[Any, SourceRow | Refused]]]:
    """Yield batches of primary keys with what each row is; a row that a join repeats is read once.

    `now` is when the rows became interactions, the time of those whose table has no time; None: that is unknown.
    """
    functions = mirror.functions()
    annotated = rows.annotate(**{PREFIX + part: expression for part, expression in mirror.expressions().items()})
    if functions:
        values: Iterable[tuple[Any, dict[str, Any]]] = (
            (row.pk, {part: getattr(row, PREFIX + part) for part in mirror.expressions()} | _called(mirror, functions, row))
            for row in annotated.iterator(chunk_size=BATCH)
        )
    else:
        names = [PREFIX + part for part in mirror.expressions()]
        tuples = annotated.values_list("pk", *names).iterator(chunk_size=BATCH)
        values = ((key, dict(zip(mirror.expressions(), columns, strict=True))) for key, *columns in tuples)
    values = iter(values)
    while batch := dict(islice(values, BATCH)):
        if mirror.item_is_key:
            _replace_keys(mirror, batch)
        yield [(key, _as_row(mirror, key, columns, now)) for key, columns in batch.items()]


def _called(mirror: Mirror, functions: dict[str, Any], row: Any) -> dict[str, Any]:
    """Return the values of the functions; an item or a user may be given as a row of its model."""
    called = {}
    for part, function in functions.items():
        try:
            value = function(row)
            if isinstance(value, Model):
                value = _key_of(mirror, part, value)
            called[part] = value
        except Exception as error:  # the site's own code; one bad row must not stop the others
            called[part] = Unusable(f"`{part}` raises {type(error).__name__}: {error}")
    return called


def _key_of(mirror: Mirror, part: str, row: Model) -> Any:
    """Return the key of a user or an item before it is made a public id, which happens once for all rows."""
    if part == "user":
        return f"{mirror.source.id_prefixes.get(row._meta.label, '')}{row.pk}"
    (key,) = values_of(row, mirror.source.part_of(row).item_id)[:1] or (None,)
    return None if key is None else mirror.source.key_of(row)


def _replace_keys(mirror: Mirror, batch: dict[Any, dict[str, Any]]) -> None:
    """Replace primary keys of items by the ids of the catalogue; a key of no item stays."""
    keys = {columns["item"] for columns in batch.values() if columns["item"] is not None}
    items = mirror.source.item_model()._base_manager.filter(pk__in=keys)
    ids = {str(key): item_id for key, item_id in items.values_list("pk", mirror.source.item_id)}
    for columns in batch.values():
        columns["item"] = ids.get(str(columns["item"]), columns["item"])


def _as_row(mirror: Mirror, key: Any, columns: dict[str, Any], now: datetime | None) -> SourceRow | Refused:
    example = f"{mirror.model.__name__} {key}"
    try:
        user = id_text(_usable(columns["user"]))
        item = id_text(_usable(columns["item"]), None if mirror.item_is_key else mirror.item_field)
        if not user or not item:
            return Refused(NO_ITEM if user else NO_USER, example)
        event = _event(mirror, columns)
        if event is None:
            return Refused(OTHER_EVENT, f"{example}, {columns['event']!r}")
        has_column = "time" in mirror.columns
        time = time_of(_usable(columns.get("time"))) if has_column else now
        row = clean_row(
            {
                "event_id": mirror.event_id(key),
                "user_id": public_id(mirror.user_prefix + user),
                "item_id": public_id(mirror.source.item_prefix + item),
                "event": event,
                "catalogue": mirror.source.catalogue,
                "time": time,
                "value": value_of(_usable(columns.get("value"))),
                "request_id": uuid_of(columns.get("request_id")),
            }
        )
    except Unusable as error:
        return Refused("a value that cannot be used", f"{example}: {error}")
    if isinstance(row, Interaction):
        return SourceRow(mirror.event_id(key), row, has_column and row.time == time)  # else it lay in the future
    return Refused("; ".join(f"{problem['pointer'][1:]} that {problem['detail']}" for problem in row), example)


def _usable(value: Any) -> Any:
    if isinstance(value, Unusable):
        raise value
    return value


def _event(mirror: Mirror, columns: dict[str, Any]) -> str | None:
    if "event" not in mirror.columns:
        return str(mirror.event.event)
    value = _usable(columns["event"])
    if not mirror.event.event_map:
        return None if value is None else str(value)
    return mirror.event.event_map.get(value)
