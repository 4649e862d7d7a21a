"""Counts and sums per cleaner: one declaration of which rows count from which time, summed by SQL or row by row.

A source declares the rows of a table that count, their owner, the time from which each is known, and its amounts. SQL
sums them by cleaner here; `point_in_time` reads the same rows and sums them up to any time, so both have one meaning.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

import numpy as np
from django.db.models import Case, DateTimeField, F, Field, FloatField, Func, Q, QuerySet, Sum, Value, When
from django.db.models.expressions import Combinable
from django.db.models.functions import Cast
from numpy.typing import ArrayLike, NDArray

from recommendation_service.core.numeric import Ints
from sites.cleaning.models import CleaningJob, JobBid, Payment, PropertyType, Review

Counts = NDArray[np.float64]

RECENT_DAYS = (30, 90)
MARKS = ("overall", "quality", "communication", "professionalism", "timeliness")
MOST_EUROS, MOST_HOURS = 1_000_000, 1_000  # more than the columns hold, so that only damage exceeds them
MANY = 5_000  # ids; from this number on, reading all rows is faster than listing ids


@dataclass(frozen=True, slots=True, eq=False)
class Tallies:
    """Sums of n cleaners (or of the market at n times), (n,) float64 each; 0 without rows."""

    n: int
    sums: Mapping[str, Counts] = field(default_factory=dict)

    def __getitem__(self, name: str) -> Counts:
        result = self.sums.get(name)
        return np.zeros(self.n) if result is None else result

    @classmethod
    def of(cls, n: int = 1, **sums: ArrayLike) -> "Tallies":
        """Return tallies of numbers or of lists of n numbers."""
        return cls(n, {name: np.broadcast_to(np.asarray(value, dtype=np.float64), (n,)) for name, value in sums.items()})

    def total(self) -> "Tallies":
        """Return the sum over all cleaners, as one row."""
        return Tallies(1, {name: column.sum(keepdims=True) for name, column in self.sums.items()})


class Scanned(Func):
    """A column that SQLite must not look up in an index, so that it scans the table.

    For two million bids, the index by cleaner is five times slower than a scan. Without an output field, Django converts
    no value row by row.
    """

    template = "(+%(expressions)s)"
    output_field: "Field[Any, Any]" = Field()

    def as_postgresql(self, compiler: Any, connection: Any, **more: Any) -> Any:
        """PostgreSQL plans this without help."""
        return self.as_sql(compiler, connection, template="%(expressions)s", **more)


@dataclass(frozen=True, slots=True, eq=False)
class Source:
    """Rows that count, and what each adds to the tallies of its owner from a time on."""

    rows: QuerySet[Any]
    owner: str
    known_from: str
    adds: Mapping[str, Combinable | str]
    possible: Q = field(default_factory=Q)  # other rows are damaged: left out of all sums, and their owners are reported
    recent: Mapping[str, tuple[str, int]] = field(default_factory=dict)  # name -> what is summed, and over how many days
    damage: Sequence[tuple[QuerySet[Any], str]] = ()  # faster queries for the damaged rows and their owners

    def sums(self, now: datetime) -> dict[str, Any]:
        """Return the sums up to `now`, by name."""
        whole = {f"of_{name}": Sum(number_of(value), default=0.0) for name, value in self.adds.items()}
        for name, (of, days) in self.recent.items():
            since = Q(**{f"{self.known_from}__gte": now - timedelta(days=days)})
            whole[f"of_{name}"] = Sum(number_of(self.adds[of]), filter=since, default=0.0)
        return whole

    def before(self, now: datetime) -> QuerySet[Any]:
        """Return the undamaged rows known strictly before `now`; `of_owner` is their owner."""
        rows: QuerySet[Any] = self.rows.filter(self.possible).annotate(of_owner=F(self.owner))
        return rows.filter(**{f"{self.known_from}__lt": now, "of_owner__isnull": False})

    def all_before(self, now: datetime) -> QuerySet[Any]:
        """Return the same rows by a table scan, which is faster if all cleaners are wanted."""
        known_from = Scanned(F(self.known_from), output_field=DateTimeField())
        rows: QuerySet[Any] = self.rows.filter(self.possible).annotate(of_owner=Scanned(F(self.owner)))
        rows = rows.alias(of_moment=known_from)
        return rows.filter(of_moment__lt=now, of_owner__isnull=False)

    def damaged(self) -> Iterator[int]:
        """Yield the owners of damaged rows, with repetitions."""
        for rows, owner in self.damage or ((self.rows.exclude(self.possible), self.owner),):
            yield from rows.filter(**{f"{owner}__isnull": False}).values_list(owner, flat=True)


def _is(**conditions: Any) -> Case:
    """Return 1 for rows that match the conditions, else 0."""
    return Case(When(then=Value(1.0), **conditions), default=Value(0.0), output_field=FloatField())


def number_of(value: Combinable | str) -> Any:
    """Return the amount as a float."""
    return Cast(F(value), FloatField()) if isinstance(value, str) else value


ONE = Value(1.0, output_field=FloatField())
_DONE = CleaningJob.Status.COMPLETED
_OVER = Q(status__in=CleaningJob.OVER, ended_at__isnull=False)

ENDED = Source(
    rows=CleaningJob.objects.filter(_OVER).order_by(),
    owner="cleaner_id",
    known_from="ended_at",
    adds={
        "completed": _is(status=_DONE),
        "cancelled": _is(status=CleaningJob.Status.CANCELLED, cancelled_by_cleaner=True),
        "failed": _is(status=CleaningJob.Status.FAILED),
        "timed": _is(was_on_time__isnull=False),
        "on_time": _is(was_on_time=True),
        "with_photos": _is(status=_DONE, photos__gt=0),
        "eco": _is(status=_DONE, eco_friendly=True),
        "over": _is(accepted_at__isnull=False),
        **{f"kind_{kind}": _is(status=_DONE, place__kind=kind) for kind in PropertyType.values},
    },
    recent={f"jobs_{days}": ("completed", days) for days in RECENT_DAYS},
)
TAKEN = Source(
    rows=CleaningJob.objects.filter(_OVER | Q(status__in=CleaningJob.AGREED), accepted_at__isnull=False).order_by(),
    owner="cleaner_id",
    known_from="accepted_at",
    adds={"taken": ONE},
)
REVIEWED = Source(
    rows=Review.objects.order_by(),
    owner="cleaner_id",
    known_from="time",
    adds={"reviews": ONE, **{f"marks_{mark}": mark for mark in MARKS}},
    possible=Q(**{f"{mark}__gte": 1 for mark in MARKS}, **{f"{mark}__lte": 10 for mark in MARKS}),
)
OFFERED = Source(
    rows=JobBid.objects.order_by(),
    owner="cleaner_id",
    known_from="time",
    adds={"bids": ONE, "amounts": "amount", "hours": "job__hours"},
    possible=Q(amount__gt=0, amount__lt=MOST_EUROS, job__hours__gt=0, job__hours__lt=MOST_HOURS),
    recent={"bids_90": ("bids", 90)},
    damage=(
        (JobBid.objects.exclude(amount__gt=0, amount__lt=MOST_EUROS).order_by(), "cleaner_id"),
        (
            CleaningJob.objects.exclude(hours__gt=0, hours__lt=MOST_HOURS).filter(bids__isnull=False).order_by(),
            "bids__cleaner_id",
        ),
    ),
)
DECIDED = Source(  # a bid is decided when the client accepts one of those placed by then; withdrawn bids do not count
    rows=JobBid.objects.filter(job__accepted_at__isnull=False, time__lte=F("job__accepted_at"))
    .exclude(status=JobBid.Status.WITHDRAWN)
    .order_by(),
    owner="cleaner_id",
    known_from="job__accepted_at",
    adds={"decided": ONE, "won": _is(status=JobBid.Status.ACCEPTED)},
)
PAID = Source(
    rows=Payment.objects.filter(status=Payment.Status.SUCCEEDED).order_by(),
    owner="job__cleaner_id",
    known_from="time",
    adds={"earned": "payout"},
    possible=Q(payout__gte=0, payout__lt=MOST_EUROS),
)
SOURCES = (ENDED, TAKEN, REVIEWED, OFFERED, DECIDED, PAID)


def tallies_now(cleaner_ids: Ints, now: datetime, *, everybody: bool = False) -> Tallies:
    """Return the tallies of these cleaners, (n,) in their order, from rows known strictly before `now`; one query per source.

    With `everybody`, all tables are scanned without listing the cleaners, which is faster for all or most of them.
    """
    index_of = {int(key): at for at, key in enumerate(cleaner_ids.tolist())}
    sums: dict[str, Counts] = {}
    for source in SOURCES:
        chosen = source.all_before(now) if everybody else source.before(now).filter(**{f"{source.owner}__in": list(index_of)})
        expressions = source.sums(now)
        result = [row for row in chosen.values_list("of_owner").annotate(**expressions) if row[0] in index_of]
        table = np.array([row[1:] for row in result], dtype=np.float64).reshape(len(result), len(expressions))
        rows = np.array([index_of[row[0]] for row in result], dtype=np.int64)
        for at, name in enumerate(expressions):
            column = np.zeros(len(index_of))
            column[rows] = table[:, at]
            sums[name.removeprefix("of_")] = column
    return Tallies(len(index_of), sums)


def market_tallies(now: datetime) -> Tallies:
    """Return the tallies of all cleaners together, as one row; one query per source."""
    sums: dict[str, Counts] = {}
    for source in SOURCES:
        result = source.all_before(now).aggregate(**source.sums(now))
        sums |= {name.removeprefix("of_"): np.array([value], dtype=np.float64) for name, value in result.items()}
    return Tallies(1, sums)


def damaged_cleaners(sources: Sequence[Source] = SOURCES) -> dict[int, str]:
    """Return cleaners with damaged rows, such as a mark of 11, and the first table that has one."""
    result: dict[int, str] = {}
    for source in sources:
        if source.possible:
            for key in source.damaged():
                result.setdefault(key, source.rows.model._meta.verbose_name_plural or "")
    return result
