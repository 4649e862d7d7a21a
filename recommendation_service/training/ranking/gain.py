"""The gain of another order of held-out lists, measured by clicks that favour the order that was shown.

Each click is weighted by the inverse of how often users look at its position (inverse propensity: Joachims, Swaminathan &
Schnabel, 2017, "Unbiased Learning-to-Rank with Biased Feedback"). Without the weights, the order that was shown always
appears to be the best.
"""

from dataclasses import dataclass

import numpy as np

from recommendation_service.core.numeric import AnyArray, Floats
from recommendation_service.domain.features import STANDING
from recommendation_service.training.evaluation import metrics
from recommendation_service.training.ranking.training_data import ShownLists

K = 10
SHARE = 0.99  # with 95 %, one training in 25 on noise was published, and training runs often
RESAMPLES = 2000
LEAST_LOOKED = 0.1  # with a smaller value, single clicks would decide


@dataclass(frozen=True, slots=True)
class Gain:
    """NDCG@10 over all held-out lists; `low` and `high` are the bootstrap interval (SHARE, over users) of the difference."""

    engine: float
    learned: float
    low: float
    high: float
    lists: int
    people: int

    @property
    def sure(self) -> bool:
        """True if the whole interval is above 0."""
        return self.low > 0

    def summary(self) -> str:
        """One line for the report."""
        change = f"{self.learned / self.engine - 1:+.1%}, " if self.engine else ""
        return (
            f"NDCG@{K} {self.learned:.4f} against {self.engine:.4f} in the engine's own order"
            f" ({change}{SHARE:.0%} {self.low:+.4f} to {self.high:+.4f}; {self.lists:,} lists of {self.people:,} people)"
        )


def gain_of(lists: ShownLists, scores: AnyArray, examination: AnyArray) -> Gain:
    """The gain of ordering the lists by (n,) `scores` instead of the engine's order.

    `examination` (positions,) is how often users look at each position, relative to the top; ones weight all clicks
    equally. Each anonymous list counts as one user. The gain of an item is the weight of its best event.
    """
    gains = lists.weights / _at(examination, lists)
    engine_scores = lists.features[:, lists.names.index(STANDING)]
    engine_dcg, learned_dcg = dcg_of(lists, gains, engine_scores), dcg_of(lists, gains, scores)
    ideal = dcg_of(lists, gains, gains)
    unknown = -1 - np.arange(len(lists))
    _, person = np.unique(np.where(lists.people >= 0, lists.people, unknown), return_inverse=True)
    differences = np.bincount(person, weights=learned_dcg - engine_dcg)
    mean_ideal = float(ideal.sum()) / differences.size
    low, high = metrics.bootstrap((differences / mean_ideal).astype(np.float32), share=SHARE, resamples=RESAMPLES)
    ideal_total = float(ideal.sum())
    return Gain(
        float(engine_dcg.sum()) / ideal_total,
        float(learned_dcg.sum()) / ideal_total,
        low,
        high,
        len(lists),
        int(differences.size),
    )


def dcg_of(lists: ShownLists, gains: AnyArray, scores: AnyArray) -> Floats:
    """(n_lists,) discounted gain at 10 of each list in the order of (n,) scores; equal ones keep the order shown."""
    numbers = np.repeat(np.arange(len(lists)), np.diff(lists.indptr))
    gain_scores = np.nan_to_num(np.asarray(scores, dtype=np.float64), nan=-np.inf)
    order = np.lexsort((lists.positions, -gain_scores, numbers))
    ranks = np.empty(numbers.size, dtype=np.int64)
    ranks[order] = np.arange(numbers.size) - lists.indptr[:-1][numbers]
    discounted = np.where(ranks < K, gains / np.log2(ranks + 2.0), 0.0)
    return np.bincount(numbers, weights=discounted, minlength=len(lists)).astype(np.float32)


def _at(examination: AnyArray, lists: ShownLists) -> AnyArray:
    return np.asarray(np.maximum(examination[np.minimum(lists.positions, examination.size) - 1], LEAST_LOOKED))
