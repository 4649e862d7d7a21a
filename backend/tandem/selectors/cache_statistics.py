"""How often cached lists were shown again, compared with how often one had to be made."""

from collections import Counter
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta

from django.db.models import Count
from django.db.models.functions import TruncDate
from django.utils import timezone

from tandem import cache
from tandem.models import Impression


@dataclass(frozen=True, slots=True)
class Reuse:
    """Lists of one day (UTC): `made` came from the service, `hits` from the cache.

    `hits` is None if the cache has no count of that day; it may have lost it.
    """

    day: date
    made: int
    hits: int | None

    @property
    def rate(self) -> float | None:
        """Share of the lists that came from the cache, or None if that was not counted."""
        return None if not self.hits else self.hits / (self.made + self.hits)


def reuse_by_day(*, use_case: str, surface: str, days: int) -> list[Reuse]:
    """Return the last `days` days, today first. Hits are known for surfaces with `track_cache_hits`, for two weeks."""
    today = timezone.now().astimezone(UTC).date()
    dates = [today - timedelta(days=ago) for ago in range(days)]
    hits = cache.hits_by_day(f"{use_case}:{surface}", dates)
    lists = Impression.objects.filter(
        use_case=use_case, surface=surface, time__gte=datetime.combine(dates[-1], time(), tzinfo=UTC)
    )
    per_day = lists.annotate(day=TruncDate("time", tzinfo=UTC)).values_list("day").annotate(lists=Count("pk")).order_by()
    made = Counter(dict(per_day))
    return [Reuse(day, made[day], hits.get(day)) for day in dates]
