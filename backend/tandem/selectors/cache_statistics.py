"""How often kept lists were shown again, beside how often one had to be made."""

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, timedelta

from django.db.models import Count
from django.db.models.functions import TruncDate
from django.utils import timezone

from tandem import cache
from tandem.models import Impression


@dataclass(frozen=True, slots=True)
class Reuse:
    """Lists of one day (UTC): `made` ones were asked of the service, `hits` came from the cache.

    `hits` is None where the cache has no count of that day: it may have lost it.
    """

    day: date
    made: int
    hits: int | None

    @property
    def rate(self) -> float | None:
        """Share of the lists that came from the cache; None where that was not counted."""
        return None if not self.hits else self.hits / (self.made + self.hits)


def reuse_by_day(*, use_case: str, surface: str, days: int) -> list[Reuse]:
    """The last `days` days, today first. Hits are known for surfaces with `track_cache_hits`, and for two weeks."""
    wanted = list(_days(days))
    hits = cache.hits_by_day(f"{use_case}:{surface}", wanted)
    lists = Impression.objects.filter(use_case=use_case, surface=surface, time__date__gte=wanted[-1])
    per_day = lists.annotate(day=TruncDate("time")).values_list("day").annotate(lists=Count("pk")).order_by()
    made = Counter(dict(per_day))
    return [Reuse(day, made[day], hits.get(day)) for day in wanted]


def _days(count: int) -> Iterator[date]:
    today = timezone.now().date()
    return (today - timedelta(days=ago) for ago in range(count))
