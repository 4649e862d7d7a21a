"""What the neural pair model learns from: which pairs, what is to be foretold of each, and which of them only measure."""

from dataclasses import dataclass

import numpy as np

from recommendation_service.core.numeric import Bools, Floats, Ints
from recommendation_service.datasets.pair_features import PairTable, derive
from recommendation_service.datasets.pair_outcomes import BID, Matches
from recommendation_service.training.data import NotEnough
from recommendation_service.training.pairs.neural_parameters import HIRED, NeuralParameters
from recommendation_service.use_cases.schema import PairConfig

LEAST = 100  # jobs with a review or a decision: below, a network learns these by heart and nothing else
RECOMMENDED = 1_000
BID_SALT = 1  # so that the jobs without bids are others than those held out


@dataclass(frozen=True, slots=True, eq=False)
class Lessons:
    """Pairs of one part, the offers of a job beside each other."""

    pairs: PairTable
    targets: Floats  # (n,) 0 to 1
    weights: Floats  # (n,)
    ranked: Bools  # (n,) the target says who of the job was chosen; else it is a mark of this pair alone
    groups: Ints  # (n,) 0, 0, 1, 2, 2, ... the job

    def __len__(self) -> int:
        return int(self.targets.size)

    @property
    def starts(self) -> Ints:
        """(g + 1,) the rows where a job begins, and the end."""
        return np.searchsorted(self.groups, np.arange(int(self.groups[-1]) + 2)) if len(self) else np.zeros(1, dtype=np.int64)


@dataclass(frozen=True, slots=True, eq=False)
class Cut:
    """The two parts of an export, jobs whole."""

    training: Lessons
    validation: Lessons  # bids as they were placed
    open_validation: Lessons  # the same, of jobs that are still open: no bid is known
    jobs: int  # that can be learned from, both parts together
    border: float  # of `places`: jobs up to it are in the validation part


def cut(matches: Matches, pair_config: PairConfig, parameters: NeuralParameters) -> Cut:
    """Which jobs teach and which measure. Raises NotEnough, with the numbers, when there are too few.

    A job's side of the cut depends on its number and the seed alone, so it keeps it while the export grows: what measured
    yesterday's network has not taught it.
    """
    usable = _usable(matches, parameters.target)
    jobs = np.unique(matches.groups[usable])
    if jobs.size < LEAST:
        told = "decided jobs with two bids" if parameters.target == HIRED else "reviewed jobs"
        raise NotEnough(f"neural needs {LEAST} {told}; this export has {jobs.size}")
    order = np.sort(places(jobs, parameters.seed))
    border = float(order[max(1, round(jobs.size * parameters.valid_share)) - 1])
    measures = usable & (places(matches.groups, parameters.seed) <= border)
    teaches = (usable | ~np.isnan(matches.verdicts)) & ~measures
    rows, held = np.flatnonzero(teaches), np.flatnonzero(measures)
    blind = places(matches.groups, parameters.seed + BID_SALT) < parameters.without_bid
    return Cut(
        lessons_of(_without_bids(matches, blind).take(rows), pair_config, parameters),
        lessons_of(matches.take(held), pair_config, parameters),
        lessons_of(_without_bids(matches, np.ones(len(matches), dtype=np.bool_)).take(held), pair_config, parameters),
        int(jobs.size),
        border,
    )


def held_out(matches: Matches, target: str, seed: int, border: float) -> Bools:
    """(n,), True for the pairs that a training of that seed and border measured on, and did not learn from."""
    return _usable(matches, target) & (places(matches.groups, seed) <= border)


def places(groups: Ints, seed: int) -> Floats:
    """(n,) float64 in [0, 1): a shuffle of the jobs that depends on their numbers and the seed only.

    The finaliser of SplitMix64: Steele, Lea & Flood (2014), "Fast Splittable Pseudorandom Number Generators".
    """
    x = groups.astype(np.uint64) + np.uint64((seed + 1) * 0x9E3779B97F4A7C15 % 2**64)
    x = (x ^ (x >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    x = (x ^ (x >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    return np.asarray((x ^ (x >> np.uint64(31))) / 2.0**64)


def _usable(matches: Matches, target: str) -> Bools:
    """(n,) pairs of which the target is known."""
    if target != HIRED:
        return ~np.isnan(matches.ratings)
    decided = matches.decided & (matches.groups >= 0)
    jobs, numbers = np.unique(matches.groups, return_inverse=True)
    bids, chosen = (np.bincount(numbers, weights=one, minlength=jobs.size) for one in (decided, decided & matches.chosen))
    return np.asarray(decided & ((bids > 1) & (chosen == 1))[numbers])


def _without_bids(matches: Matches, rows: Bools) -> Matches:
    return matches.without(BID, rows) if BID in matches.names else matches


def lessons_of(matches: Matches, pair_config: PairConfig, parameters: NeuralParameters) -> Lessons:
    """The targets of these rows: what was said of a recommendation counts less than a review or a decision."""
    order = np.argsort(matches.groups, kind="stable")
    matches = matches.take(order)
    told = _usable(matches, parameters.target)
    ranked = told if parameters.target == HIRED else np.zeros(len(matches), dtype=np.bool_)
    known = matches.chosen if parameters.target == HIRED else matches.ratings
    targets = np.where(told, known, matches.verdicts).astype(np.float32)
    weights = np.where(told, 1, parameters.verdict_weight).astype(np.float32)
    groups = np.unique(matches.groups, return_inverse=True)[1].astype(np.int64)
    return Lessons(derive(pair_config, matches.pairs()), targets, weights, ranked, groups)
