"""A hand-made log of shown lists, and the same figures counted the slow and obvious way."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from uuid import UUID

from tandem.models import Impression, ImpressionItem, UserInteraction
from tandem.services.id_mapping import catalogue_key, event_keys, item_keys, user_keys

START = datetime(2026, 3, 1, tzinfo=UTC)
USE_CASE = "courses"


@dataclass(frozen=True)
class One:
    """A shown list: who saw what, when (hours after START), by which method."""

    number: int
    user: str | None
    items: tuple[str, ...]
    hour: float = 1.0
    method: str = "hybrid"
    surface: str = "home"

    @property
    def request_id(self) -> UUID:
        return UUID(int=self.number + 1)

    @property
    def time(self) -> datetime:
        return START + timedelta(hours=self.hour)


@dataclass(frozen=True)
class Act:
    """What somebody did, and the list it says it answers."""

    user: str
    item: str
    event: str
    answers: int | None
    value: float | None = None


@dataclass(frozen=True)
class Log:
    """Lists and acts, together."""

    lists: tuple[One, ...] = ()
    acts: tuple[Act, ...] = ()
    words: dict[str, object] = field(default_factory=dict)

    def write(self) -> None:
        """Put the log into the database as it stands, also what the front door would not let in."""
        users = user_keys({act.user for act in self.acts} | {one.user for one in self.lists if one.user})
        catalogue = catalogue_key(USE_CASE)
        items = item_keys(catalogue, {act.item for act in self.acts} | {item for one in self.lists for item in one.items})
        kinds = event_keys({act.event for act in self.acts})
        for one in self.lists:
            Impression.objects.create(
                request_id=one.request_id,
                user_id=users[one.user] if one.user else None,
                catalogue_id=catalogue,
                use_case=USE_CASE,
                surface=one.surface,
                method_used=one.method,
                time=one.time,
            )
            ImpressionItem.objects.bulk_create(
                ImpressionItem(impression_id=one.request_id, item_id=items[item], position=place, score=1.0)
                for place, item in enumerate(one.items, start=1)
            )
        UserInteraction.objects.bulk_create(
            UserInteraction(
                user_id=users[act.user],
                item_id=items[act.item],
                catalogue_id=catalogue,
                kind_id=kinds[act.event],
                value=act.value,
                time=START + timedelta(days=90),
                request_id=None if act.answers is None else UUID(int=act.answers + 1),
            )
            for act in self.acts
        )


def naive(log: Log, *, clicks: Sequence[str], conversions: Sequence[str], lists: Sequence[One]) -> dict[str, float]:
    """Figures of these lists by a loop over everything."""
    clicked, converted, revenue = 0, 0, 0.0
    for one in lists:
        for item in one.items:
            own = [act for act in log.acts if (act.item, act.answers) == (item, one.number) and one.user in (None, act.user)]
            clicked += any(act.event in clicks for act in own)
            sold = [act.value or 0.0 for act in own if act.event in conversions]
            converted += bool(sold)
            valued = [act.value for act in own if act.event in conversions and act.value is not None]
            revenue += max(valued, default=0.0)
    shown = sum(len(one.items) for one in lists)
    return {"lists": len(lists), "shown": shown, "clicks": clicked, "conversions": converted, "revenue": revenue}
