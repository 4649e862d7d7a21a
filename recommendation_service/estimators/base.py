"""What every estimator promises."""

from abc import ABC, abstractmethod
from typing import ClassVar

from recommendation_service.core.numeric import AnyArray
from recommendation_service.domain.side import PairSide


class Estimator(ABC):
    """Says a number with a range for each pair, such as what to bid for a job.

    "Cannot say" is a value, a row of NaN; what is said is finite, above 0 and in order, whatever it was asked about.
    """

    label: ClassVar[str] = ""
    needs: tuple[str, ...] = ()  # columns that must be known and above 0, or there is nothing to say

    def __init__(self, name: str, version: str) -> None:
        """`name` is the estimator's word in the use-case file, `version` its artifact's."""
        self.name = name
        self.version = version

    @abstractmethod
    def estimate(self, first: PairSide, second: PairSide) -> AnyArray:
        """(n, 3) float64 minimum, optimal and maximum of each pair, ascending; one thing of a side meets all of the other."""
