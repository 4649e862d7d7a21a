"""Records that a site gives an export."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from recommendation_service.core.numeric import AnyArray, Ints

FORMAT = 1


@dataclass(frozen=True, slots=True)
class ItemRecord:
    """One recommendable item as the site knows it.

    Lists can be filtered by `attributes`; pairs with the item are scored by `numbers` and `text_columns`.
    """

    item_id: str
    title: str
    text: str = ""
    category: str | None = None
    tags: tuple[str, ...] = ()
    created_at: float | None = None  # seconds since 1970-01-01 UTC
    attributes: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    available: bool = True  # False: not available now
    numbers: Mapping[str, float] = field(default_factory=dict)
    text_columns: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, eq=False)
class EventBatch:
    """Interactions as arrays of one length, with integer keys of the database."""

    users: Ints
    items: Ints
    events: Ints  # indices into the exporter's event names
    values: AnyArray  # float32, NaN where the event carries none
    times: AnyArray  # float64 seconds since 1970-01-01 UTC, UNKNOWN_TIME (-inf) where it is unknown
