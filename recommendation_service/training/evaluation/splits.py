"""Split events into train, validation and test parts by time, so that no model is trained on later events."""

from dataclasses import dataclass

import numpy as np

from recommendation_service.datasets.reader import Events
from recommendation_service.errors import DatasetError

SHARES = (0.8, 0.1, 0.1)


@dataclass(frozen=True, slots=True, eq=False)
class Split:
    """Three consecutive periods; `valid_start` and `test_start` are their borders in epoch seconds."""

    train: Events
    valid: Events
    test: Events
    valid_start: float
    test_start: float

    def before_test(self) -> Events:
        """The train and validation parts together."""
        return joined(self.train, self.valid)


def time_split(events: Events, shares: tuple[float, float, float] = SHARES) -> Split:
    """Global split: the oldest share of the positive events trains, the next validates, the newest tests.

    A share of 0 for the test part gives an empty one. Events with the same time are in the same part. Raises DatasetError
    if there are no positive events.
    """
    times = np.sort(events.times[events.weights > 0])
    if times.size == 0:
        raise DatasetError("no positive interactions to split; record some, then export again")
    whole = sum(shares)
    valid_start = _border(times, shares[0] / whole)
    test_start = _border(times, (shares[0] + shares[1]) / whole)
    test_start = max(test_start, valid_start)
    early = events.times < valid_start
    late = events.times >= test_start
    middle = ~early & ~late
    return Split(take(events, early), take(events, middle), take(events, late), valid_start, test_start)


def _border(times: np.ndarray[tuple[int], np.dtype[np.float64]], share: float) -> float:
    index = round(times.size * share)
    return float(times[index]) if index < times.size else float(np.nextafter(times[-1], np.inf))


def take(events: Events, mask: np.ndarray[tuple[int], np.dtype[np.bool_]]) -> Events:
    """The events where `mask` is True, in the same order."""
    kinds = events.kinds[mask] if events.kinds.size else events.kinds
    return Events(events.users[mask], events.items[mask], events.weights[mask], events.times[mask], kinds, events.names)


def joined(first: Events, second: Events) -> Events:
    """Two consecutive parts of one export as one."""
    columns = ("users", "items", "weights", "times", "kinds")
    values = {name: np.concatenate([getattr(first, name), getattr(second, name)]) for name in columns}
    return Events(**values, names=first.names)
