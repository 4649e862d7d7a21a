"""The same people answered in two ways: how much better the one is, and whether that may be chance."""

from dataclasses import dataclass

import numpy as np

from recommendation_service.core.numeric import AnyArray
from recommendation_service.training.evaluation import metrics

SHARE = 0.95
LEAST_PEOPLE = 20  # of fewer, drawing people anew says little about people who were not there


@dataclass(frozen=True, slots=True)
class Gain:
    """Mean difference of one figure a person, with the interval that drawing people again gives."""

    mean: float
    low: float
    high: float
    people: int
    people_with_difference: int  # people for whom there was a difference at all

    @property
    def sure(self) -> bool:
        """Better beyond chance."""
        return self.low > 0

    @property
    def surely_worse(self) -> bool:
        """Worse beyond chance."""
        return self.high < 0

    def summary(self) -> str:
        """Such as "+0.012, +0.003 to +0.021; 412 people"."""
        return f"{signed(self.mean)}, {signed(self.low)} to {signed(self.high)}; {self.people:,} people"


def gain_of(new: AnyArray, old: AnyArray, *, share: float = SHARE) -> Gain:
    """Of `one` over `other`, (p,) each; people are drawn, both of their figures together. Nobody: nothing gained."""
    if not new.size:
        return Gain(0.0, 0.0, 0.0, 0, 0)
    more = np.asarray(new - old, dtype=np.float64)
    low, high = metrics.bootstrap(more, share=share)
    return Gain(float(more.mean()), low, high, int(more.size), int(np.count_nonzero(more)))


def signed(value: float) -> str:
    """With its sign."""
    return f"{round(value, 4) + 0.0:+.4f}"  # adding 0 leaves no minus before a zero
