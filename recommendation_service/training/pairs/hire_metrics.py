"""How often the hired bidder is among the first k bidders of a score, measured on jobs that were posted later."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from recommendation_service.core.numeric import AnyArray, Bools, Floats, Ints
from recommendation_service.datasets.pair_outcomes import Matches
from recommendation_service.errors import DatasetError
from recommendation_service.training.evaluation.metrics import bootstrap

TOP_K = (1, 3, 5)
LEAST_JOBS = 30


@dataclass(frozen=True, slots=True, eq=False)
class Decided:
    """Bids of decided jobs with two or more bids and exactly one chosen, grouped by job."""

    rows: Ints  # (n,) of the matches
    starts: Ints  # (g + 1,) where a job begins
    chosen: Bools  # (n,)

    @classmethod
    def of(cls, matches: Matches, where: Bools) -> "Decided":
        """Build from the matches where `where` is True; jobs are taken completely or not at all."""
        usable = np.flatnonzero(where & matches.decided & (matches.groups >= 0))
        groups, group_of = np.unique(matches.groups[usable], return_inverse=True)
        bids = np.bincount(group_of, minlength=groups.size)
        hired = np.bincount(group_of, weights=matches.chosen[usable], minlength=groups.size)
        usable_bids = ((bids > 1) & (hired == 1))[group_of]
        order = np.argsort(group_of[usable_bids], kind="stable")
        rows = usable[usable_bids][order]
        _, starts = np.unique(matches.groups[rows], return_index=True)
        return cls(rows, np.append(np.sort(starts), rows.size).astype(np.int64), matches.chosen[rows])

    def __len__(self) -> int:
        return int(self.starts.size - 1)

    def hits(self, scores: Floats, k: int) -> AnyArray:
        """(g,) probability that the hired bidder is among the first k when a job's bids are ordered by (n,) scores.

        0 or 1, or between where equal scores share the last positions. Unknown scores rank below all others.
        """
        known = np.nan_to_num(scores.astype(np.float64), nan=-np.inf)
        of_hired = np.repeat(known[self.chosen], np.diff(self.starts))
        above = np.add.reduceat(known > of_hired, self.starts[:-1])
        beside = np.add.reduceat((known == of_hired) & ~self.chosen, self.starts[:-1])
        return np.asarray(np.clip((k - above) / (beside + 1), 0.0, 1.0))

    def chance(self, k: int) -> AnyArray:
        """(g,) probability that the hired bidder is among the first k in random order."""
        return np.minimum(k / np.diff(self.starts), 1.0)


@dataclass(frozen=True, slots=True)
class Accuracy:
    """One score's row: the share of jobs whose hired bidder was among the first k, with its 95 % interval."""

    name: str
    jobs: int
    top: Mapping[int, tuple[float, float, float]]


def by_time(matches: Matches, share: float) -> float:
    """The time at which the newest `share` of the decided jobs starts. Raises DatasetError for too few jobs."""
    decided = Decided.of(matches, np.ones(len(matches), dtype=np.bool_))
    if len(decided) < LEAST_JOBS:
        raise DatasetError(f"{len(decided)} jobs were decided among two bids or more; {LEAST_JOBS} are needed to measure")
    times = np.sort(matches.times[decided.rows[decided.starts[:-1]]])
    return float(times[min(round(times.size * (1 - share)), times.size - 1)])


def accuracies(decided: Decided, scores: Mapping[str, Floats]) -> Iterator[Accuracy]:
    """One row for a random order (computed exactly), then one row for every score (n,)."""
    yield Accuracy("random", len(decided), {k: _mean_and_interval(decided.chance(k)) for k in TOP_K})
    for name, values in scores.items():
        yield Accuracy(name, len(decided), {k: _mean_and_interval(decided.hits(values, k)) for k in TOP_K})


def difference(decided: Decided, first: Floats, second: Floats, k: int) -> tuple[float, float, float]:
    """How much more often `first` has the hired bidder in its first k than `second`, with the 95 % interval over jobs."""
    return _mean_and_interval(decided.hits(first, k) - decided.hits(second, k))


def lines(rows: Sequence[Accuracy]) -> Iterator[str]:
    """The table as text."""
    yield f"{'score':<22}" + "".join(f"{f'top {k}':>8}{'95 %':>16}" for k in TOP_K) + f"{'jobs':>8}"
    for row in rows:
        cells = "".join(f"{mean:>8.1%}{f'{low:.1%}-{high:.1%}':>16}" for mean, low, high in row.top.values())
        yield f"{row.name:<22}{cells}{row.jobs:>8,}"


def _mean_and_interval(per_job: AnyArray) -> tuple[float, float, float]:
    return (float(per_job.mean()), *bootstrap(per_job))
