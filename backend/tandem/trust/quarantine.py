"""Puts accounts that act like bots into quarantine, and releases them."""

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta

from django.db.models import Count
from django.db.models.functions import TruncHour
from django.utils import timezone

from recommendation_service.errors import NotFound
from tandem.models import Quarantine, UserInteraction, UserKey
from tandem.selectors.popular import forget_ranking
from tandem.services.erase_user import announce_everywhere
from tandem.sources import all_sources, use_case_of
from tandem.use_cases import load, names

DAYS = 7  # looked at by the velocity check: older events, such as those of an import, are left alone
BY_STAFF = "by staff"


def check_velocity(*, now: datetime | None = None, catalogues: Sequence[str] | None = None) -> list[Quarantine]:
    """Put accounts into quarantine that had more events in one hour than `[trust] events_per_hour`; return the new ones.

    Looks at the last seven days of each catalogue. An account that was released before stays released.
    """
    moment, known = now or timezone.now(), set(Quarantine.objects.values_list("user_id", flat=True))
    found: dict[int, Quarantine] = {}
    for source in all_sources():
        name = use_case_of(source)
        if name not in names() or (catalogues is not None and source.catalogue not in catalogues):
            continue
        most = load(name).trust.events_per_hour
        recent = UserInteraction.objects.filter(
            catalogue__name=source.catalogue, time__gte=moment - timedelta(days=DAYS), time__lte=moment
        )
        hours = (
            recent.annotate(hour=TruncHour("time", tzinfo=UTC)).values("user_id", "hour").annotate(count=Count("pk")).order_by()
        )
        for row in hours.filter(count__gt=most):
            reason = f"{row['count']} events in one hour of {source.catalogue}; at most {most}"
            found.setdefault(row["user_id"], Quarantine(user_id=row["user_id"], reason=reason, time=moment))
    new = [entry for user, entry in sorted(found.items()) if user not in known]
    Quarantine.objects.bulk_create(new, ignore_conflicts=True)
    if new:
        forget_ranking()
    return new


def quarantine(user_id: str, *, reason: str = BY_STAFF) -> None:
    """Put one account into quarantine, also one that was released. Raises NotFound for an unknown id."""
    Quarantine.objects.update_or_create(
        user=_key(user_id), defaults={"reason": reason[:200], "time": timezone.now(), "released": None}
    )
    forget_ranking()
    announce_everywhere(user_id)


def release(user_id: str) -> bool:
    """Let an account's events count again; False if it is not in quarantine. Raises NotFound for an unknown id."""
    released = Quarantine.objects.filter(user=_key(user_id), released=None).update(released=timezone.now())
    forget_ranking()
    announce_everywhere(user_id)
    return bool(released)


def _key(user_id: str) -> UserKey:
    user = UserKey.objects.filter(user_id=user_id).first()
    if user is None:
        raise NotFound(f"no interaction of a user '{user_id}' is recorded")
    return user
