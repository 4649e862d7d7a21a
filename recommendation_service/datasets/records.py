"""What one item, one profile and one batch of events are on their way into an export."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from recommendation_service.core.numeric import AnyArray, Ints

FORMAT = 1


@dataclass(frozen=True, slots=True)
class ItemRecord:
    """One recommendable item as the site knows it.

    `attributes` are what answers can be filtered by; `numbers` and `text_columns`, one each, what pairs with it are scored by.
    """

    item_id: str
    title: str
    text: str = ""
    category: str | None = None
    tags: tuple[str, ...] = ()
    created_at: float | None = None  # seconds since 1970-01-01 UTC
    attributes: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    available: bool = True  # False: known, but not to be had now
    numbers: Mapping[str, float] = field(default_factory=dict)
    text_columns: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, eq=False)
class EventBatch:
    """Some interactions as arrays of one length, in the database's own integer keys."""

    users: Ints
    items: Ints
    events: Ints  # places in the use case's own order of event names, as the exporter was told
    values: AnyArray  # float32, NaN where the event carries none
    times: AnyArray  # float64 seconds since 1970-01-01 UTC
