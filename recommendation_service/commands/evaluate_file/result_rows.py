"""The rows of the table of `tandem evaluate FILE`."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from recommendation_service.core.numeric import AnyArray, Ints
from recommendation_service.training.evaluation import metrics

Measures = Mapping[str, tuple[float, float, float]]  # name -> mean, and the 95 % interval of the mean


@dataclass(frozen=True, slots=True)
class Inside:
    """The measures of one model for the users of one segment."""

    people: int
    measures: Measures


@dataclass(frozen=True, slots=True)
class TimedScore:
    """One trial of a search: the seconds at which it ended, and its validation score."""

    at_s: float
    score: float


@dataclass(frozen=True, slots=True)
class Row:
    """The measures and costs of one model. The cost of a blend is the total cost of its members."""

    model: str
    measures: Measures
    people: int
    fit_s: float = 0.0
    search_s: float = 0.0
    megabytes: float = 0.0  # of the model's arrays
    request_ms: float = 0.0  # median of one person's scores by the serving engine, on one thread
    settings: Mapping[str, Any] = field(default_factory=dict)  # those that differ from the stated ones; a blend's weights
    note: str = ""
    segments: Mapping[str, Inside] = field(default_factory=dict)  # by how much a person had done before
    tried: Sequence[TimedScore] = ()  # of its search, in the order of time


def summed(figures: Mapping[str, AnyArray]) -> Measures:
    """Return mean, lower and upper end of the 95 % interval of each measure. The inputs are (p,), one value per user."""
    return {name: (float(own.mean()), *metrics.bootstrap(own)) for name, own in figures.items()}


def inside(figures: Mapping[str, AnyArray], segments: Mapping[str, Ints]) -> dict[str, Inside]:
    """Return the same for each segment. A segment is an array of indices of users."""
    return {
        name: Inside(people.size, summed({measure: own[people] for measure, own in figures.items()}))
        for name, people in segments.items()
    }


def best_so_far(tried: Sequence[TimedScore]) -> tuple[list[float], list[float]]:
    """Return the seconds of the trials, and the best validation score up to each of them."""
    return [one.at_s for one in tried], np.maximum.accumulate([one.score for one in tried]).tolist()
