"""What cleaners did, counted: one declaration of what counts from when on, summed by SQL or row by row.

A source says which rows of a table count, whose they are, the moment from which each is known, and its amounts. SQL sums
them by cleaner here; `ledger` reads the same rows and sums them up to any moment. So both always mean the same.
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
MANY = 5_000  # things from which on reading them all is quicker than naming them


@dataclass(frozen=True, slots=True, eq=False)
class Tallies:
    """Sums of `n` cleaners (or of the market at `n` moments), (n,) float64 each. What was never counted is 0."""

    n: int
    sums: Mapping[str, Counts] = field(default_factory=dict)

    def __getitem__(self, name: str) -> Counts:
        result = self.sums.get(name)
        return np.zeros(self.n) if result is None else result

    @classmethod
    def of(cls, n: int = 1, **sums: ArrayLike) -> "Tallies":
        """From numbers or lists of `n` numbers."""
        return cls(n, {name: np.broadcast_to(np.asarray(value, dtype=np.float64), (n,)) for name, value in sums.items()})

    def total(self) -> "Tallies":
        """All of them together, as one."""
        return Tallies(1, {name: column.sum(keepdims=True) for name, column in self.sums.items()})


class Scanned(Func):
    """A column as SQLite may not look it up in an index, so that a whole table is read from one end to the other.

    For all of two million bids, the index by cleaner makes it jump from row to row, which takes five times as long. Of no
    type unless told, so that nothing is converted row by row.
    """

    template = "(+%(expressions)s)"
    output_field: "Field[Any, Any]" = Field()

    def as_postgresql(self, compiler: Any, connection: Any, **more: Any) -> Any:
        """The column itself: PostgreSQL knows what it reads."""
        return self.as_sql(compiler, connection, template="%(expressions)s", **more)


@dataclass(frozen=True, slots=True, eq=False)
class Source:
    """Rows that count, and what each adds to the tallies of its owner from its moment on."""

    rows: QuerySet[Any]
    owner: str
    known_from: str
    adds: Mapping[str, Combinable | str]
    possible: Q = field(default_factory=Q)  # a row that is not is damage: left out of all sums, and its owner is named
    recent: Mapping[str, tuple[str, int]] = field(default_factory=dict)  # name -> what is summed, over the last so many days
    damage: Sequence[tuple[QuerySet[Any], str]] = ()  # rows that are not possible, and their owner, where more quickly found

    def sums(self, now: datetime) -> dict[str, Any]:
        """The expressions that sum what was added before `now`, one a name."""
        whole = {f"of_{name}": Sum(number_of(value), default=0.0) for name, value in self.adds.items()}
        for name, (of, days) in self.recent.items():
            since = Q(**{f"{self.known_from}__gte": now - timedelta(days=days)})
            whole[f"of_{name}"] = Sum(number_of(self.adds[of]), filter=since, default=0.0)
        return whole

    def before(self, now: datetime) -> QuerySet[Any]:
        """The possible rows known strictly before `now`, whose owner is `of_owner`."""
        rows: QuerySet[Any] = self.rows.filter(self.possible).annotate(of_owner=F(self.owner))
        return rows.filter(**{f"{self.known_from}__lt": now, "of_owner__isnull": False})

    def all_before(self, now: datetime) -> QuerySet[Any]:
        """The same, read quickest where all are wanted."""
        known_from = Scanned(F(self.known_from), output_field=DateTimeField())
        rows: QuerySet[Any] = self.rows.filter(self.possible).annotate(of_owner=Scanned(F(self.owner)))
        rows = rows.alias(of_moment=known_from)
        return rows.filter(of_moment__lt=now, of_owner__isnull=False)

    def damaged(self) -> Iterator[int]:
        """Owners of rows that cannot be, some of them again and again."""
        for rows, owner in self.damage or ((self.rows.exclude(self.possible), self.owner),):
            yield from rows.filter(**{f"{owner}__isnull": False}).values_list(owner, flat=True)


def _is(**conditions: Any) -> Case:
    """1 for a row of which this is so, else 0."""
    return Case(When(then=Value(1.0), **conditions), default=Value(0.0), output_field=FloatField())


def number_of(value: Combinable | str) -> Any:
    """The amount as a float, whatever the column's type."""
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
DECIDED = Source(  # a bid is decided when the client takes one of those placed by then; one taken back was none
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
    """Of these cleaners, (n,) in their order, from what is known strictly before `now`; one query a source.

    `everybody` says that they are all or most there are, so that naming them would only slow the database down.
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
    """Of all cleaners together, as one row: a query a source."""
    sums: dict[str, Counts] = {}
    for source in SOURCES:
        result = source.all_before(now).aggregate(**source.sums(now))
        sums |= {name.removeprefix("of_"): np.array([value], dtype=np.float64) for name, value in result.items()}
    return Tallies(1, sums)


def damaged_cleaners(sources: Sequence[Source] = SOURCES) -> dict[int, str]:
    """Cleaners with rows that cannot be, such as a mark of 11, and the first table that has one."""
    result: dict[int, str] = {}
    for source in sources:
        if source.possible:
            for key in source.damaged():
                result.setdefault(key, source.rows.model._meta.verbose_name_plural or "")
    return result
