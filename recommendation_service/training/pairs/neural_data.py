"""Training data of the neural pair model: pairs with targets, and the split of jobs into training and validation."""

from dataclasses import dataclass

import numpy as np

from recommendation_service.core.numeric import Bools, Floats, Ints
from recommendation_service.datasets.pair_features import PairTable, derive
from recommendation_service.datasets.pair_outcomes import BID, Matches
from recommendation_service.training.data import NotEnough
from recommendation_service.training.parameters import HIRED, NeuralParameters
from recommendation_service.use_cases.schema import PairConfig

LEAST = 100  # jobs with a review or a decision; with fewer, a network only memorises them
RECOMMENDED = 1_000
BID_SALT = 1  # so that the jobs with hidden bids do not depend on which jobs are held out


@dataclass(frozen=True, slots=True, eq=False)
class TrainingExamples:
    """Pairs of one part, those of a job next to each other."""

    pairs: PairTable
    targets: Floats  # (n,) 0 to 1
    weights: Floats  # (n,)
    ranked: Bools  # (n,) True: the target says who was chosen for the job; False: it is a rating of this pair alone
    groups: Ints  # (n,) 0, 0, 1, 2, 2, ... the job

    def __len__(self) -> int:
        return int(self.targets.size)

    @property
    def starts(self) -> Ints:
        """(g + 1,) the rows where a job begins, and the end."""
        return np.searchsorted(self.groups, np.arange(int(self.groups[-1]) + 2)) if len(self) else np.zeros(1, dtype=np.int64)

    def usual_target(self) -> float:
        """The score that predicts without knowing the pair: the mean rating, or even odds for choices."""
        decided = self.weights == 1  # reviews and decisions, without verdicts on recommendations
        return 0.5 if self.ranked.any() else float(self.targets[decided].mean())


@dataclass(frozen=True, slots=True, eq=False)
class PairSplit:
    """The two parts of an export; all pairs of a job are in one part."""

    training: TrainingExamples
    validation: TrainingExamples  # bids as they were placed
    open_validation: TrainingExamples  # the same pairs with unknown bids, as for jobs that are still open
    jobs: int  # with a known target, in both parts together
    border: float  # of `shuffle_positions`: jobs up to it are in the validation part


def split_pairs(matches: Matches, pair_config: PairConfig, parameters: NeuralParameters) -> PairSplit:
    """Split the jobs into training and validation. Raises NotEnough, with the numbers, if there are too few.

    A job's side depends on its number and the seed only, so it stays the same while the export grows: the validation jobs of
    the published network were not in its training part.
    """
    usable = _usable(matches, parameters.target)
    jobs = np.unique(matches.groups[usable])
    if jobs.size < LEAST:
        required = "decided jobs with two bids" if parameters.target == HIRED else "reviewed jobs"
        raise NotEnough(f"neural needs {LEAST} {required}; this export has {jobs.size}")
    order = np.sort(shuffle_positions(jobs, parameters.seed))
    border = float(order[max(1, round(jobs.size * parameters.valid_share)) - 1])
    validates = usable & (shuffle_positions(matches.groups, parameters.seed) <= border)
    trains = (usable | ~np.isnan(matches.verdicts)) & ~validates
    rows, held = np.flatnonzero(trains), np.flatnonzero(validates)
    hidden = shuffle_positions(matches.groups, parameters.seed + BID_SALT) < parameters.without_bid
    return PairSplit(
        examples_of(_without_bids(matches, hidden).take(rows), pair_config, parameters),
        examples_of(matches.take(held), pair_config, parameters),
        examples_of(_without_bids(matches, np.ones(len(matches), dtype=np.bool_)).take(held), pair_config, parameters),
        int(jobs.size),
        border,
    )


def held_out(matches: Matches, target: str, seed: int, border: float) -> Bools:
    """(n,) True for the validation pairs of a training with this seed and border."""
    return _usable(matches, target) & (shuffle_positions(matches.groups, seed) <= border)


def shuffle_positions(groups: Ints, seed: int) -> Floats:
    """(n,) float64 in [0, 1): a shuffle of the jobs that depends on their numbers and the seed only.

    The finaliser of SplitMix64: Steele, Lea & Flood (2014), "Fast Splittable Pseudorandom Number Generators".
    """
    x = groups.astype(np.uint64) + np.uint64((seed + 1) * 0x9E3779B97F4A7C15 % 2**64)
    x = (x ^ (x >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    x = (x ^ (x >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    return np.asarray((x ^ (x >> np.uint64(31))) / 2.0**64)


def _usable(matches: Matches, target: str) -> Bools:
    """(n,) True for pairs with a known target."""
    return decided_bids(matches) if target == HIRED else ~np.isnan(matches.ratings)


def decided_bids(matches: Matches, where: Bools | None = None) -> Bools:
    """(n,) True for the bids of decided jobs with two or more bids, exactly one of them chosen; only rows in `where` count."""
    decided = matches.decided & (matches.groups >= 0) & (True if where is None else where)
    jobs, numbers = np.unique(matches.groups, return_inverse=True)
    bids, chosen = (np.bincount(numbers, weights=rows, minlength=jobs.size) for rows in (decided, decided & matches.chosen))
    return np.asarray(decided & ((bids > 1) & (chosen == 1))[numbers])


def _without_bids(matches: Matches, rows: Bools) -> Matches:
    return matches.without(BID, rows) if BID in matches.names else matches


def examples_of(matches: Matches, pair_config: PairConfig, parameters: NeuralParameters) -> TrainingExamples:
    """These pairs with their targets. A verdict on a recommendation counts less than a review or a decision."""
    order = np.argsort(matches.groups, kind="stable")
    matches = matches.take(order)
    usable = _usable(matches, parameters.target)
    ranked = usable if parameters.target == HIRED else np.zeros(len(matches), dtype=np.bool_)
    known = matches.chosen if parameters.target == HIRED else matches.ratings
    targets = np.where(usable, known, matches.verdicts).astype(np.float32)
    weights = np.where(usable, 1, parameters.verdict_weight).astype(np.float32)
    groups = np.unique(matches.groups, return_inverse=True)[1].astype(np.int64)
    return TrainingExamples(derive(pair_config, matches.pairs()), targets, weights, ranked, groups)
