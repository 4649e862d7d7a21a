"""The routing thresholds that a site's own data prefers over the thresholds in its file.

Every engine answers once; each pair of thresholds then only selects among these answers. The pair is chosen on validation
and recommended only if the test part, on which nothing was chosen, shows the gain, too.
"""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from recommendation_service.core.numeric import AnyArray, Ints
from recommendation_service.training.evaluation.metrics import LEAST_PEOPLE, Gain, gain_of

GRID = (0, 1, 2, 3, 4, 5, 7, 10, 15, 20, 30, 50, 100)
LEAST_GAIN = 1e-9  # sums of the same figures in another order differ by less


@dataclass(frozen=True, slots=True, order=True)
class Thresholds:
    """Fewer interactions than `cold_below`: cold; fewer than `warm_below`: warm; else hot."""

    cold_below: int
    warm_below: int

    def summary(self) -> str:
        """Such as "5 and 20"."""
        return f"{self.cold_below} and {self.warm_below}"

    def means(self, cold: str, warm: str, hot: str) -> str:
        """Which engine answers first for which users, such as "content below 5, als below 20, then ensemble"."""
        limits = [(cold, self.cold_below)] if self.cold_below else []
        limits += [(warm, self.warm_below)] if self.warm_below > self.cold_below else []
        below = [f"{name} below {limit}" for name, limit in limits]
        return ", ".join([*below, f"then {hot}"]) if below else f"{hot} for all users"


@dataclass(frozen=True, slots=True, eq=False)
class Routes:
    """(p,) NDCG of what each user of one part would get from each of a router's three engines."""

    counts: Ints
    cold: AnyArray  # NDCG of the fallback chain that starts with the cold engine
    warm: AnyArray
    hot: AnyArray

    def under(self, pair: Thresholds) -> AnyArray:
        """(p,) NDCG under these thresholds."""
        below = np.where(self.counts < pair.warm_below, self.warm, self.hot)
        return np.asarray(np.where(self.counts < pair.cold_below, self.cold, below))

    def gain(self, pair: Thresholds, over: Thresholds) -> Gain:
        """Gain of one pair over another, over all users."""
        return gain_of(self.under(pair), self.under(over))


@dataclass(frozen=True, slots=True)
class Preference:
    """The pair that validation prefers over the configured one, and the gain on the test part."""

    configured: Thresholds
    preferred: Thresholds
    chosen_on: Gain  # on validation: too optimistic, because it is the best of many
    confirmed_on: Gain  # on the test part
    reached: float  # NDCG on the test part with the configured pair

    @property
    def change(self) -> bool:
        """True if the file should change: the test part confirms the gain, for enough users."""
        return (
            self.preferred != self.configured
            and self.confirmed_on.sure
            and min(self.chosen_on.people_with_difference, self.confirmed_on.people_with_difference) >= LEAST_PEOPLE
        )

    def summary(self) -> str:
        """The result as one line of text."""
        configured, preferred = self.configured.summary(), self.preferred.summary()
        if self.preferred == self.configured:
            return f"keep {configured}: validation prefers no other pair ({self.chosen_on.people:,} people)"
        evidence = f"validation prefers {preferred} ({self.chosen_on.summary()})"
        evidence += f", and the test part shows {self.confirmed_on.summary()}"
        if self.change:
            return f"change {configured} to {preferred}: {evidence}"
        few = min(self.chosen_on.people_with_difference, self.confirmed_on.people_with_difference)
        if self.confirmed_on.sure:
            return f"keep {configured}: {evidence}, but only {few} users would see a difference"
        return f"keep {configured}: {evidence}; the difference may be chance"


def pairs(configured: Thresholds) -> Iterator[Thresholds]:
    """All pairs to try, those nearest to the configured one first, so that the nearest of equal pairs is chosen."""
    values = sorted({*GRID, configured.cold_below, configured.warm_below})
    every = [Thresholds(cold, warm) for cold in values for warm in values if cold <= warm]
    index_of = {value: index for index, value in enumerate(values)}

    def distance(pair: Thresholds) -> int:
        cold = index_of[pair.cold_below] - index_of[configured.cold_below]
        return abs(cold) + abs(index_of[pair.warm_below] - index_of[configured.warm_below])

    return iter(sorted(every, key=lambda pair: (distance(pair), pair)))


def prefer(valid: Routes, test: Routes, configured: Thresholds) -> Preference:
    """Return the pair with the best mean on validation, with its gain over the configured one on both parts."""
    best, reached = configured, _mean(valid, configured)
    for pair in pairs(configured):
        score = _mean(valid, pair)
        if score > reached + LEAST_GAIN:
            best, reached = pair, score
    return Preference(configured, best, valid.gain(best, configured), test.gain(best, configured), _mean(test, configured))


def _mean(routes: Routes, pair: Thresholds) -> float:
    return float(routes.under(pair).mean()) if routes.counts.size else 0.0
