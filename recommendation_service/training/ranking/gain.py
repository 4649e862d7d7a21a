"""What another order of held-out lists would have been worth, judged by clicks that favour the order that was shown.

Each click counts as many times as its place was looked at less often than the top (inverse propensity: Joachims,
Swaminathan & Schnabel, 2017, "Unbiased Learning-to-Rank with Biased Feedback"). Counted as they are, clicks call the
order that was shown the best there is, whatever people like.
"""

from dataclasses import dataclass

import numpy as np

from recommendation_service.core.numeric import AnyArray, Floats
from recommendation_service.domain.features import STANDING
from recommendation_service.training.evaluation import metrics
from recommendation_service.training.ranking.training_data import ShownLists

K = 10
SHARE = 0.99  # with 95 % one try in 25 on noise was published, and training is tried again and again
RESAMPLES = 2000
LEAST_LOOKED = 0.1  # a rarer look would make single clicks decide


@dataclass(frozen=True, slots=True)
class Gain:
    """NDCG@10 over all held-out lists together; `low` and `high` bound the difference with SHARE, by drawing people."""

    engine: float
    learned: float
    low: float
    high: float
    lists: int
    people: int

    @property
    def sure(self) -> bool:
        """The whole interval is above 0."""
        return self.low > 0

    def summary(self) -> str:
        """One line for the report."""
        change = f"{self.learned / self.engine - 1:+.1%}, " if self.engine else ""
        return (
            f"NDCG@{K} {self.learned:.4f} against {self.engine:.4f} in the engine's own order"
            f" ({change}{SHARE:.0%} {self.low:+.4f} to {self.high:+.4f}; {self.lists:,} lists of {self.people:,} people)"
        )


def gain_of(lists: ShownLists, scores: AnyArray, looked: AnyArray) -> Gain:
    """What ordering the lists by (n,) `scores` brings against the engine's order.

    `looked` is (places,) how often each place is looked at, against the top's 1; ones count every click alike. An
    anonymous list is a person of its own. The gain of an item is the weight of its best event.
    """
    gains = lists.weights / _at(looked, lists)
    standing = lists.features[:, lists.names.index(STANDING)]
    own, other = dcg_of(lists, gains, standing), dcg_of(lists, gains, scores)
    ideal = dcg_of(lists, gains, gains)
    unknown = -1 - np.arange(len(lists))
    _, person = np.unique(np.where(lists.people >= 0, lists.people, unknown), return_inverse=True)
    more = np.bincount(person, weights=other - own)
    usual = float(ideal.sum()) / more.size
    low, high = metrics.bootstrap((more / usual).astype(np.float32), share=SHARE, resamples=RESAMPLES)
    whole = float(ideal.sum())
    return Gain(float(own.sum()) / whole, float(other.sum()) / whole, low, high, len(lists), int(more.size))


def dcg_of(lists: ShownLists, gains: AnyArray, scores: AnyArray) -> Floats:
    """(n_lists,) discounted gain at 10 of each list in the order of (n,) scores; equal ones keep the order shown."""
    numbers = np.repeat(np.arange(len(lists)), np.diff(lists.indptr))
    worth = np.nan_to_num(np.asarray(scores, dtype=np.float64), nan=-np.inf)
    order = np.lexsort((lists.positions, -worth, numbers))
    place = np.empty(numbers.size, dtype=np.int64)
    place[order] = np.arange(numbers.size) - lists.indptr[:-1][numbers]
    discounted = np.where(place < K, gains / np.log2(place + 2.0), 0.0)
    return np.bincount(numbers, weights=discounted, minlength=len(lists)).astype(np.float32)


def _at(looked: AnyArray, lists: ShownLists) -> AnyArray:
    return np.asarray(np.maximum(looked[np.minimum(lists.positions, looked.size) - 1], LEAST_LOOKED))
