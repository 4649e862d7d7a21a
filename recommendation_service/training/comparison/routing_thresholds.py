"""From how many interactions on another engine should go first: what a site's own people prefer over the file's numbers.

Every engine is asked once. Whom it goes first for is then a choice among figures that are there, so that every pair of
thresholds costs a selection and no training. Chosen on the validation part; believed only if the test part, on which
nothing was chosen, shows the gain too.
"""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from recommendation_service.core.numeric import AnyArray, Ints
from recommendation_service.training.evaluation.paired_bootstrap import LEAST_PEOPLE, Gain, gain_of

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
        """Which engine goes first for whom, such as "content below 5, als below 20, then ensemble"."""
        ways = [(cold, self.cold_below)] if self.cold_below else []
        ways += [(warm, self.warm_below)] if self.warm_below > self.cold_below else []
        below = [f"{name} below {limit}" for name, limit in ways]
        return ", ".join([*below, f"then {hot}"]) if below else f"{hot} for everybody"


@dataclass(frozen=True, slots=True, eq=False)
class Routes:
    """What each person of one part would get from each of a router's three ways; (p,) each."""

    counts: Ints
    cold: AnyArray  # NDCG of what the chain shows that begins with the router's cold engine
    warm: AnyArray
    hot: AnyArray

    def under(self, pair: Thresholds) -> AnyArray:
        """(p,) NDCG when these thresholds route."""
        below = np.where(self.counts < pair.warm_below, self.warm, self.hot)
        return np.asarray(np.where(self.counts < pair.cold_below, self.cold, below))

    def gain(self, pair: Thresholds, over: Thresholds) -> Gain:
        """Of one pair over another, everybody counted."""
        return gain_of(self.under(pair), self.under(over))


@dataclass(frozen=True, slots=True)
class Preference:
    """What validation prefers over the stated pair, and what the test part says to it."""

    stated: Thresholds
    preferred: Thresholds
    chosen_on: Gain  # on validation, so flattered: the best of many
    confirmed_on: Gain  # on the test part
    reached: float  # NDCG on the test part with the stated pair

    @property
    def change(self) -> bool:
        """Whether to change the file: the gain is there on the part it was not chosen on, among enough people."""
        return (
            self.preferred != self.stated
            and self.confirmed_on.sure
            and min(self.chosen_on.people_with_difference, self.confirmed_on.people_with_difference) >= LEAST_PEOPLE
        )

    def summary(self) -> str:
        """One line in plain words."""
        stated, preferred = self.stated.summary(), self.preferred.summary()
        if self.preferred == self.stated:
            return f"keep {stated}: validation prefers no other pair ({self.chosen_on.people:,} people)"
        found = (
            f"validation prefers {preferred} ({self.chosen_on.summary()}), and the test part says {self.confirmed_on.summary()}"
        )
        if self.change:
            return f"change {stated} to {preferred}: {found}"
        few = min(self.chosen_on.people_with_difference, self.confirmed_on.people_with_difference)
        if self.confirmed_on.sure:
            return f"keep {stated}: {found}, but only {few} people would see a difference"
        return f"keep {stated}: {found}; the difference may be chance"


def pairs(stated: Thresholds) -> Iterator[Thresholds]:
    """All pairs that are tried, those nearest to the stated one first, so that of equals the nearest is taken."""
    values = sorted({*GRID, stated.cold_below, stated.warm_below})
    every = [Thresholds(cold, warm) for cold in values for warm in values if cold <= warm]
    places = {value: place for place, value in enumerate(values)}

    def apart(pair: Thresholds) -> int:
        cold = places[pair.cold_below] - places[stated.cold_below]
        return abs(cold) + abs(places[pair.warm_below] - places[stated.warm_below])

    return iter(sorted(every, key=lambda pair: (apart(pair), pair)))


def prefer(valid: Routes, test: Routes, stated: Thresholds) -> Preference:
    """The pair with the best mean on validation, and its gain over the stated one on both parts."""
    best, reached = stated, _mean(valid, stated)
    for pair in pairs(stated):
        found = _mean(valid, pair)
        if found > reached + LEAST_GAIN:
            best, reached = pair, found
    return Preference(stated, best, valid.gain(best, stated), test.gain(best, stated), _mean(test, stated))


def _mean(routes: Routes, pair: Thresholds) -> float:
    return float(routes.under(pair).mean()) if routes.counts.size else 0.0
