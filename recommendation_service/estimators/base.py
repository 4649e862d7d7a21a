"""What every estimator promises."""

from abc import ABC, abstractmethod
from typing import ClassVar

from recommendation_service.domain.side import Side
from recommendation_service.numeric import Floats


class Estimator(ABC):
    """Says a number with a range for each pair, such as what to bid for a job."""

    label: ClassVar[str] = ""

    def __init__(self, name: str, version: str) -> None:
        """`name` is the estimator's word in the use-case file, `version` its artifact's."""
        self.name = name
        self.version = version

    @abstractmethod
    def estimate(self, first: Side, second: Side) -> Floats:
        """(n, 3) minimum, optimal and maximum of each pair, ascending; one thing of a side meets all of the other."""
