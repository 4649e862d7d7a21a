"""The interface of every estimator."""

from abc import ABC, abstractmethod
from typing import ClassVar

from recommendation_service.core.numeric import AnyArray
from recommendation_service.domain.side import PairSide


class Estimator(ABC):
    """Predicts a number with a range for each pair, such as a bid for a job.

    If there is no prediction for a pair, its row is NaN. Predicted numbers are finite, above 0 and in ascending order.
    """

    label: ClassVar[str] = ""
    needs: tuple[str, ...] = ()  # columns that must be known and above 0, or there is nothing to say

    def __init__(self, name: str, version: str) -> None:
        """Store `name`, the name in the use-case file, and `version`, the version of the model."""
        self.name = name
        self.version = version

    @abstractmethod
    def estimate(self, first: PairSide, second: PairSide) -> AnyArray:
        """Return (n, 3) float64: minimum, optimal and maximum of each pair, ascending.

        A side with one row is paired with all rows of the other side.
        """
