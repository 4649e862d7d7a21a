"""Who was hired among those who bid: how often a score had them among its first few, by jobs that were posted later."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from recommendation_service.core.numeric import AnyArray, Bools, Floats, Ints
from recommendation_service.datasets.pair_outcomes import Matches
from recommendation_service.errors import DatasetError
from recommendation_service.training.evaluation.metrics import bootstrap

PLACES = (1, 3, 5)
LEAST_JOBS = 30


@dataclass(frozen=True, slots=True, eq=False)
class Decided:
    """Bids of jobs that were decided on with exactly one of two bids or more chosen, a job's beside each other."""

    rows: Ints  # (n,) of the matches
    starts: Ints  # (g + 1,) where a job begins
    chosen: Bools  # (n,)

    @classmethod
    def of(cls, matches: Matches, where: Bools) -> "Decided":
        """Of the matches where `where` is True; jobs are taken whole or not at all."""
        usable = np.flatnonzero(where & matches.decided & (matches.groups >= 0))
        groups, own = np.unique(matches.groups[usable], return_inverse=True)
        bids = np.bincount(own, minlength=groups.size)
        hired = np.bincount(own, weights=matches.chosen[usable], minlength=groups.size)
        kept = ((bids > 1) & (hired == 1))[own]
        order = np.argsort(own[kept], kind="stable")
        rows = usable[kept][order]
        _, starts = np.unique(matches.groups[rows], return_index=True)
        return cls(rows, np.append(np.sort(starts), rows.size).astype(np.int64), matches.chosen[rows])

    def __len__(self) -> int:
        return int(self.starts.size - 1)

    def hits(self, scores: Floats, k: int) -> AnyArray:
        """(g,) how surely the one who was hired is among the first k when a job's bids are ordered by (n,) scores.

        0 or 1, and between where those of one score share the last places. Unknown scores stand below all others.
        """
        known = np.nan_to_num(scores.astype(np.float64), nan=-np.inf)
        of_hired = np.repeat(known[self.chosen], np.diff(self.starts))
        above = np.add.reduceat(known > of_hired, self.starts[:-1])
        beside = np.add.reduceat((known == of_hired) & ~self.chosen, self.starts[:-1])
        return np.asarray(np.clip((k - above) / (beside + 1), 0.0, 1.0))

    def chance(self, k: int) -> AnyArray:
        """(g,) how likely the hired one is among the first k of a random order."""
        return np.minimum(k / np.diff(self.starts), 1.0)


@dataclass(frozen=True, slots=True)
class Accuracy:
    """One score's row: the share of jobs whose hired bidder was among the first k, with its 95 % interval."""

    name: str
    jobs: int
    top: Mapping[int, tuple[float, float, float]]


def by_time(matches: Matches, share: float) -> float:
    """The moment from which the newest `share` of the decided jobs was posted. Raises DatasetError for too few jobs."""
    decided = Decided.of(matches, np.ones(len(matches), dtype=np.bool_))
    if len(decided) < LEAST_JOBS:
        raise DatasetError(f"{len(decided)} jobs were decided among two bids or more; {LEAST_JOBS} are needed to measure")
    times = np.sort(matches.times[decided.rows[decided.starts[:-1]]])
    return float(times[min(round(times.size * (1 - share)), times.size - 1)])


def accuracies(decided: Decided, scores: Mapping[str, Floats]) -> Iterator[Accuracy]:
    """A row for drawing lots, worked out, then one for every score (n,)."""
    yield Accuracy("random", len(decided), {k: _told(decided.chance(k)) for k in PLACES})
    for name, own in scores.items():
        yield Accuracy(name, len(decided), {k: _told(decided.hits(own, k)) for k in PLACES})


def difference(decided: Decided, one: Floats, other: Floats, k: int) -> tuple[float, float, float]:
    """How much more often `one` has the hired bidder among its first k than `other`, with the 95 % interval, job by job."""
    return _told(decided.hits(one, k) - decided.hits(other, k))


def lines(rows: Sequence[Accuracy]) -> Iterator[str]:
    """The table for people."""
    yield f"{'score':<22}" + "".join(f"{f'top {k}':>8}{'95 %':>16}" for k in PLACES) + f"{'jobs':>8}"
    for row in rows:
        cells = "".join(f"{mean:>8.1%}{f'{low:.1%}-{high:.1%}':>16}" for mean, low, high in row.top.values())
        yield f"{row.name:<22}{cells}{row.jobs:>8,}"


def _told(per_job: AnyArray) -> tuple[float, float, float]:
    return (float(per_job.mean()), *bootstrap(per_job))
