"""The rows of a source sorted by time, so that a sum up to any time is two binary searches."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from itertools import islice
from typing import Any

import numpy as np
from django.db.models import F, QuerySet
from numpy.typing import NDArray

from recommendation_service.core.numeric import Ints
from sites.cleaning.scoring.aggregates import SOURCES, Counts, Scanned, Source, Tallies, number_of
from tandem.exports.interactions import TUPLES, seconds

Moments = NDArray[np.float64]  # seconds since 1970
DAY_S = 86_400.0


class Moment(Scanned):
    """A time in the form that is fastest to read: seconds from PostgreSQL, text from SQLite."""

    def as_postgresql(self, compiler: Any, connection: Any, **more: Any) -> Any:
        """Seconds since 1970."""
        return self.as_sql(compiler, connection, template="extract(epoch FROM %(expressions)s)::float8", **more)


class Amount(Scanned):
    """A number as a float, because a Decimal object per row is slow."""

    def as_postgresql(self, compiler: Any, connection: Any, **more: Any) -> Any:
        """Cast to float8."""
        return self.as_sql(compiler, connection, template="(%(expressions)s)::float8", **more)


@dataclass(frozen=True, slots=True, eq=False)
class Timeline:
    """Amounts of e rows, sorted by owner and time, with their running sums."""

    times: Moments  # (e,) sorted
    keys: Ints  # (e,) owner * (e + 1) + index in `times`, sorted: one search finds an owner's rows before a time
    sums: Counts  # (e + 1, k) running over `keys`
    starts: Ints  # (owners + 1,) where each owner's rows begin

    @classmethod
    def of(cls, owners: Ints, times: Moments, amounts: Counts, n_owners: int) -> "Timeline":
        """Return the timeline of rows in any order; owners are 0 to n_owners - 1, `amounts` is (e, k)."""
        ordered = np.sort(times)
        keys = owners * (times.size + 1) + np.searchsorted(ordered, times, side="left")
        order = np.argsort(keys, kind="stable")
        sums = np.zeros((times.size + 1, amounts.shape[1]))
        np.cumsum(amounts[order], axis=0, out=sums[1:])
        return cls(ordered, keys[order], sums, np.searchsorted(owners[order], np.arange(n_owners + 1)).astype(np.int64))

    def before(self, owners: Ints, moments: Moments) -> Counts:
        """Return (n, k) sums of each owner's rows strictly before each time."""
        wanted = owners * (self.times.size + 1) + np.searchsorted(self.times, moments, side="left")
        return np.asarray(self.sums[np.searchsorted(self.keys, wanted, side="left")] - self.sums[self.starts[owners]])


def columns(rows: QuerySet[Any], owner: str, known_from: str, adds: Mapping[str, Any]) -> tuple[Ints, Moments, Counts]:
    """Return owner, time and amounts of every row, (e,), (e,), (e, k); one query, no object per row."""
    names = [f"of_{name}" for name in adds]
    amounts_of = {name: Amount(number_of(raw_times)) for name, raw_times in zip(names, adds.values(), strict=True)}
    chosen = rows.annotate(of_owner=Scanned(F(owner)), of_moment=Moment(F(known_from)), **amounts_of).filter(
        of_owner__isnull=False
    )
    blocks = list(_blocks(chosen.values_list("of_owner", "of_moment", *names).iterator(chunk_size=TUPLES)))
    if not blocks:
        return np.empty(0, dtype=np.int64), np.empty(0), np.empty((0, len(names)))
    owners, times, amounts = (np.concatenate(part) for part in zip(*blocks, strict=True))
    return owners, times, amounts


def _blocks(rows: Iterator[Any]) -> Iterator[tuple[Ints, Moments, Counts]]:
    while block := list(islice(rows, TUPLES)):
        owners, raw_times, *amounts = zip(*block, strict=True)
        times = seconds(raw_times) if isinstance(raw_times[0], str) else np.array(raw_times, dtype=np.float64)
        yield np.array(owners, dtype=np.int64), times, np.array(amounts, dtype=np.float64).T


@dataclass(frozen=True, slots=True, eq=False)
class Page:
    """One source as timelines: by owner, and of all owners together."""

    source: Source
    owned: Timeline
    all: Timeline

    def tallies(self, line: Timeline, owners: Ints, moments: Moments) -> dict[str, Counts]:
        """Return the sums of `line` before the times, and over the last days before them."""
        index_of = {name: column for column, name in enumerate(self.source.adds)}
        whole = line.before(owners, moments)
        sums = {name: whole[:, column] for name, column in index_of.items()}
        for name, (of, days) in self.source.recent.items():
            older = line.before(owners, moments - days * DAY_S)
            sums[name] = whole[:, index_of[of]] - older[:, index_of[of]]
        return sums


class Ledger:
    """Every source as timelines, read once: tallies of cleaners and of the market at any time."""

    def __init__(self, cleaner_ids: Ints) -> None:
        """Read the tables, one query each. `own` works for these cleaners only; `market` covers all cleaners."""
        self.cleaner_ids = np.unique(cleaner_ids)
        self.pages = [self._page(source) for source in SOURCES]

    def _page(self, source: Source) -> Page:
        owners, times, amounts = columns(source.rows.filter(source.possible), source.owner, source.known_from, source.adds)
        known = np.isin(owners, self.cleaner_ids)
        rows = np.searchsorted(self.cleaner_ids, owners[known]).astype(np.int64)
        owned = Timeline.of(rows, times[known], amounts[known], self.cleaner_ids.size)
        return Page(source, owned, Timeline.of(np.zeros_like(owners), times, amounts, 1))

    def own(self, cleaner_ids: Ints, moments: Moments) -> Tallies:
        """Return the tallies of each cleaner strictly before each time."""
        rows = np.searchsorted(self.cleaner_ids, cleaner_ids).astype(np.int64)
        return self._tallies(moments, rows, [page.owned for page in self.pages])

    def market(self, moments: Moments) -> Tallies:
        """Return the tallies of all cleaners together strictly before each time."""
        return self._tallies(moments, np.zeros(moments.size, dtype=np.int64), [page.all for page in self.pages])

    def _tallies(self, moments: Moments, owners: Ints, lines: list[Timeline]) -> Tallies:
        sums: dict[str, Counts] = {}
        for page, line in zip(self.pages, lines, strict=True):
            sums |= page.tallies(line, owners, moments)
        return Tallies(moments.size, sums)
