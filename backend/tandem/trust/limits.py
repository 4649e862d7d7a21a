"""What one account may send: bounds of values, age of events, and how many per day. The use-case file sets the numbers."""

import time
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from enum import StrEnum

from django.db.models import Count
from django.db.models.functions import TruncDate
from django.utils import timezone

from recommendation_service.use_cases.schema import EventWeight, UseCase
from tandem.models import UserInteraction
from tandem.services.interaction_validation import Interaction
from tandem.sources import source_of, use_case_of
from tandem.use_cases import load, names

EARLY = timedelta(minutes=1)  # the clocks of two machines, and a list that is recorded after its response
NO_AMOUNT = "value was left out: amounts come from the site's own tables or from a service token, not from a browser"
NOT_AN_OUTCOME = "request_id was left out: the event is older than the list, or came after the window of [outcomes]"

Day = tuple[str, str, str, str, date]  # user, catalogue, item, event, day (UTC)


class Sender(StrEnum):
    """Who sends an event, which decides what is believed of it."""

    SITE = "site"  # the site's own code and tables
    SERVICE = "service"  # a token with the scope recs:any
    FILE = "file"  # an import
    BROWSER = "browser"  # a session or a user's own token


@dataclass(frozen=True, slots=True)
class Limited:
    """A row as it may be stored, with what was left out of it, or the problems that refuse it."""

    row: Interaction
    problems: list[dict[str, str]] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)


def limited(row: Interaction, sender: Sender, *, now: float | None = None) -> Limited:
    """Apply the use case's limits to one valid row; the site's own code and services are not limited. `now`: Unix seconds.

    What a browser sends at an unknown time happened now, so that no limit of times can be avoided.
    """
    use_case, moment = _use_case(row.catalogue), now or time.time()
    if sender == Sender.BROWSER and row.time is None:
        row = row.model_copy(update={"time": datetime.fromtimestamp(moment, UTC)})
    if use_case is None or sender in (Sender.SITE, Sender.SERVICE):
        return Limited(row)
    rule, problems, notes = use_case.events.get(row.event, EventWeight(weight=0)), list[dict[str, str]](), list[str]()
    least, most = rule.bounds
    if sender == Sender.BROWSER and rule.neutral is None and row.value is not None:
        row, notes = row.model_copy(update={"value": None}), [NO_AMOUNT]
    if row.value is not None and not least <= row.value <= most:
        detail = f"must lie between {least:g} and {most:g}: [events] {row.event} of {use_case.name} sets min_value, max_value"
        problems.append({"pointer": "/value", "detail": detail})
    hours = use_case.trust.back_date_hours
    oldest = moment - hours * 3600
    if sender == Sender.BROWSER and row.time is not None and row.time.timestamp() < oldest:
        problems.append({"pointer": "/time", "detail": f"lies more than {hours:g} hours ago: only a service token may send it"})
    return Limited(row, problems, notes)


def beyond_day(rows: Sequence[Interaction]) -> dict[int, str]:
    """Return index -> reason of the rows that exceed `per_day` of their event. One query; events stored already are not new."""
    if not rows:
        return {}
    counts = _stored_counts(rows)
    stored = None
    beyond: dict[int, str] = {}
    for index, row in enumerate(rows):
        use_case = _use_case(row.catalogue)
        most = use_case.events[row.event].per_day if use_case is not None and row.event in use_case.events else None
        day = _day(row)
        counts[day] += 1
        if most is None or counts[day] <= most:
            continue
        if stored is None:
            ids = [each.event_id for each in rows if each.event_id is not None]
            stored = set(UserInteraction.objects.filter(event_id__in=ids).values_list("event_id", flat=True))
        if row.event_id not in stored:
            beyond[index] = f"is the event number {most + 1} or later of this user and item on one day; at most {most} count"
    return beyond


def is_outcome(row: Interaction, shown: datetime) -> bool:
    """True if the event came after its list was shown and within the window of [outcomes]; unknown times are believed."""
    use_case = _use_case(row.catalogue)
    if use_case is None or row.time is None:
        return True
    after = row.time.astimezone(UTC) - shown.astimezone(UTC)
    return -EARLY <= after <= timedelta(days=use_case.outcomes.window_days)


def _use_case(catalogue: str) -> UseCase | None:
    source = source_of(catalogue)
    name = None if source is None else use_case_of(source)
    return load(name) if name is not None and name in names() else None


def _day(row: Interaction) -> Day:
    moment = row.time if row.time is not None else timezone.now()
    return row.user_id, row.catalogue, row.item_id, row.event, moment.astimezone(UTC).date()


def _stored_counts(rows: Sequence[Interaction]) -> Counter[Day]:
    first = min(day[-1] for day in map(_day, rows))
    events = UserInteraction.objects.filter(
        user__user_id__in={row.user_id for row in rows},
        item__item_id__in={row.item_id for row in rows},
        catalogue__name__in={row.catalogue for row in rows},
        time__gte=datetime(first.year, first.month, first.day, tzinfo=UTC),
    )
    columns = ("user__user_id", "catalogue__name", "item__item_id", "kind__name", "day")
    counted = events.annotate(day=TruncDate("time", tzinfo=UTC)).values_list(*columns).annotate(count=Count("pk")).order_by()
    return Counter({(user, catalogue, item, kind, day): count for user, catalogue, item, kind, day, count in counted})
