"""What each viewer may see of jobs and cleaners: addresses and coordinates are exact only for those who need them.

Other viewers see coordinates rounded to about a kilometre, distances in whole kilometres, and parts of a score in whole
points, because exact values would reveal where a person lives.
"""

import re
from collections.abc import Iterable
from dataclasses import dataclass
from decimal import Decimal

from django.db.models import Count, Min

from sites.cleaning.api.permissions import Role, Visitor
from sites.cleaning.models import Cleaner, CleanerScore, CleaningJob, Client, JobBid, Payment, Property

CENT = Decimal("0.01")
KM_AWAY = re.compile(r"([0-9]+(?:\.[0-9]+)?) km away")
COARSE_DIGITS, EXACT_DIGITS = (
    2,
    6,
)  # decimals of a degree; two are 1.1 km from north to south, 0.9 km from east to west in Athens


@dataclass(frozen=True, slots=True)
class Competition:
    """The number of a job's bids, and the lowest amount."""

    count: int = 0
    lowest: Decimal | None = None


NO_COMPETITION = Competition()


def competition_of(jobs: Iterable[CleaningJob]) -> dict[int, Competition]:
    """Return the competition of each job that has bids, without withdrawn ones; one query."""
    bids = JobBid.objects.filter(job__in=[job.pk for job in jobs]).exclude(status=JobBid.Status.WITHDRAWN)
    rows = bids.order_by().values("job").annotate(count=Count("pk"), lowest=Min("amount"))
    return {row["job"]: Competition(row["count"], row["lowest"].quantize(CENT)) for row in rows}  # SQLite adds digits


@dataclass(frozen=True, slots=True)
class VisibleJob:
    """A job as a viewer in this role may see it."""

    job: CleaningJob
    role: Role
    competition: Competition = NO_COMPETITION
    own_bid: JobBid | None = None  # of the cleaner who looks
    bids: tuple[JobBid, ...] | None = None  # None: not shown

    @property
    def hidden(self) -> frozenset[str]:
        """Names of the fields that the viewer must not see."""
        names = {"own_bid"} if self.role not in (Role.CLEANER, Role.HIRED) else set()
        if not self.sees_agreement:
            names |= {"client", "cleaner", "accepted_at", "confirmed_at", "ended_at", "was_on_time", "photos", "payment"}
        return frozenset(names if self.bids is not None else names | {"bids"})

    @property
    def sees_agreement(self) -> bool:
        """True for everyone but a cleaner who only may bid."""
        return self.role is not Role.CLEANER

    @property
    def place(self) -> Property:
        """The property to be cleaned."""
        return self.job.place

    @property
    def is_exact(self) -> bool:
        """True if the coordinates are exact."""
        return sees_address(self.job, self.role)

    @property
    def latitude(self) -> float:
        """Exact or rounded, as `is_exact` says."""
        return round(self.place.latitude, EXACT_DIGITS if self.is_exact else COARSE_DIGITS)

    @property
    def longitude(self) -> float:
        """Exact or rounded, as `is_exact` says."""
        return round(self.place.longitude, EXACT_DIGITS if self.is_exact else COARSE_DIGITS)

    @property
    def client(self) -> Client | None:
        """The job's client, if the viewer may see them."""
        return self.job.client if self.sees_agreement else None

    @property
    def cleaner(self) -> Cleaner | None:
        """The hired cleaner, if there is one and the viewer may see them."""
        return self.job.cleaner if self.sees_agreement else None

    @property
    def payment(self) -> Payment | None:
        """The job's payment, if there is one and the viewer may see it."""
        return payment_of(self.job) if self.sees_agreement else None


def visible_job(visitor: Visitor, job: CleaningJob, role: Role) -> VisibleJob:
    """Return the job with what this visitor may see of its bids."""
    own = None if visitor.cleaner is None else JobBid.objects.filter(job=job, cleaner=visitor.cleaner).first()
    sees_bids = role in (Role.CLIENT, Role.EVERYTHING)
    bids = tuple(job.bids.order_by("amount", "pk")) if sees_bids else None
    return VisibleJob(job, role, competition_of([job]).get(job.pk, NO_COMPETITION), own, bids)


def sees_address(job: CleaningJob, role: Role) -> bool:
    """Return True if a viewer in this role sees the exact location of the job."""
    agreed = job.status in (*CleaningJob.AGREED, CleaningJob.Status.COMPLETED)
    return role in (Role.CLIENT, Role.EVERYTHING) or (role is Role.HIRED and agreed)


def standing_of(cleaner: Cleaner) -> CleanerScore | None:
    """Return the cleaner's score, or None before the first update."""
    score: CleanerScore | None = getattr(cleaner, "standing", None)
    return score


def payment_of(job: CleaningJob) -> Payment | None:
    """Return the job's payment, or None before a cleaner is hired."""
    payment: Payment | None = getattr(job, "payment", None)
    return payment


def rounded(value: float | None, digits: int) -> float | None:
    """Return the rounded number; None and NaN become None, a whole number stays one."""
    if value is None or isinstance(value, int):
        return value
    return None if value != value else round(float(value), digits)


def coarse(reason: str) -> str:
    """Return the reason with its distance in whole kilometres: several exact distances would reveal an address."""
    return KM_AWAY.sub(_whole_kilometres, reason)


def _whole_kilometres(match: re.Match[str]) -> str:
    km = float(match[1])
    return "under 1 km away" if km < 1 else f"about {km:.0f} km away"
