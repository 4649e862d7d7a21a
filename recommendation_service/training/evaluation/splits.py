"""Split events into train, validation and test parts: by time, so that no model is trained on later events, where times allow.

Where times are unknown, or only days are known, the order of events is not known well enough. Such events are split at
random, and `Split.reason` says why.
"""

from dataclasses import dataclass

import numpy as np

from recommendation_service.core.numeric import AnyArray, Bools, Ints
from recommendation_service.datasets.reader import Events
from recommendation_service.datasets.weighting import DAY_S, newest_time
from recommendation_service.domain.history import UNKNOWN_TIME
from recommendation_service.errors import DatasetError

SHARES = (0.8, 0.1, 0.1)
MOST_UNKNOWN = 0.1  # with a larger share of unknown times, a border in time would divide only the rest
ZONE_S = 900.0  # midnight is a multiple of a quarter of an hour in every time zone
MOST_MIDNIGHTS = 2  # midnight in a zone with and without daylight saving time
SEED = 0


@dataclass(frozen=True, slots=True, eq=False)
class Split:
    """Three consecutive periods, or three random parts.

    `valid_start` and `test_start` are the borders in epoch seconds; of random parts both are the newest known time, 0
    if no time is known. `reason` says why the parts are random; it is empty if they are periods.
    """

    train: Events
    valid: Events
    test: Events
    valid_start: float
    test_start: float
    events: Events  # of all parts
    late: Bools  # (k,) True for those of the test part
    reason: str = ""

    @property
    def method(self) -> str:
        """Return "by time", or "at random" with the reason."""
        return f"at random, because {self.reason}" if self.reason else "by time"

    def before_test(self) -> Events:
        """The train and validation parts together, in the order of the export."""
        return take(self.events, ~self.late)


def time_split(events: Events, shares: tuple[float, float, float] = SHARES) -> Split:
    """Global split: the oldest share of the positive events trains, the next validates, the newest tests.

    A share of 0 for the test part gives an empty one. Events with the same time are in the same part; those whose time is
    unknown train. Where `why_random` gives a reason, the parts are random instead: all events of a user with an item are in
    one part, and the parts are the same for the same events in the same order, however users and items are named. Raises
    DatasetError if there are no positive events.
    """
    times = events.times[events.weights > 0]
    if times.size == 0:
        raise DatasetError("no positive interactions to split; record some, then export again")
    whole = sum(shares)
    reason = why_random(times)
    if reason:
        return _random_split(events, (shares[0] / whole, (shares[0] + shares[1]) / whole), reason)
    known = np.sort(times[times != UNKNOWN_TIME])
    valid_start = _border(known, shares[0] / whole)
    test_start = _border(known, (shares[0] + shares[1]) / whole)
    test_start = max(test_start, valid_start)
    early = events.times < valid_start
    late = events.times >= test_start
    middle = ~early & ~late
    return Split(take(events, early), take(events, middle), take(events, late), valid_start, test_start, events, late)


def why_random(times: AnyArray) -> str:
    """Return why events with these times cannot be split by time; "" if they can."""
    known = times[times != UNKNOWN_TIME]
    _, counts = np.unique(known, return_counts=True)
    return reason_of(int(times.size), int(known.size), int(counts.max(initial=0)), np.unique(known % DAY_S))


def reason_of(count: int, known: int, equal: int, day_times: AnyArray) -> str:
    """As `why_random`, from the numbers of events, known times and events at the most frequent time, and times of day (s)."""
    if known < count * (1 - MOST_UNKNOWN):
        return f"the time of {count - known:,} of {count:,} positive events is unknown"
    if count > 1 and equal > known / 2:
        return f"{equal:,} of {count:,} positive events have the same time"
    if count > 1 and day_times.size <= MOST_MIDNIGHTS and not (day_times % ZONE_S).any():
        return "only the days of events are known"
    return ""


def _random_split(events: Events, ends: tuple[float, float], reason: str) -> Split:
    _, first, pair = np.unique(_pairs(events), return_index=True, return_inverse=True)
    number = np.empty(first.size, dtype=np.int64)  # of the pair, in the order of the first events
    number[np.argsort(first)] = np.arange(first.size)
    positive = np.zeros(first.size, dtype=np.bool_)
    positive[number[pair[events.weights > 0]]] = True
    part = _parts_of(positive, ends)[number[pair]]
    newest = newest_time(events.times)
    train, valid, test = (take(events, part == index) for index in range(3))
    return Split(train, valid, test, newest, newest, events, part == 2, reason)


def _pairs(events: Events) -> Ints:
    return events.users * (int(events.items.max()) + 1) + events.items


def _parts_of(positive: Bools, ends: tuple[float, float]) -> Ints:
    """(k,) part 0, 1 or 2 of each pair: the positive ones in the exact shares, the others with the same chances."""
    rng = np.random.default_rng(SEED)
    part = np.searchsorted(ends, rng.random(positive.size), side="right")
    count = int(np.count_nonzero(positive))
    borders = [round(count * end) for end in ends]
    part[positive] = rng.permutation(np.searchsorted(borders, np.arange(count), side="right"))
    return part.astype(np.int64)


def _border(times: AnyArray, share: float) -> float:
    index = round(times.size * share)
    return float(times[index]) if index < times.size else float(np.nextafter(times[-1], np.inf))


def take(events: Events, mask: np.ndarray[tuple[int], np.dtype[np.bool_]]) -> Events:
    """The events where `mask` is True, in the same order."""
    kinds = events.kinds[mask] if events.kinds.size else events.kinds
    return Events(events.users[mask], events.items[mask], events.weights[mask], events.times[mask], kinds, events.names)
