"""Items bought together, counted from order history and corrected for popularity."""

from collections.abc import Iterator
from dataclasses import asdict, dataclass

import numpy as np
from scipy import sparse

from recommendation_service.core.numeric import AnyArray, Floats, Ints
from recommendation_service.datasets.reader import Events
from recommendation_service.domain.catalogue import Facet
from recommendation_service.domain.history import UNKNOWN_TIME
from recommendation_service.training.data import NotEnough, Trained, TrainingData
from recommendation_service.training.report import Progress

PAIRS_AT_ONCE = 4_000_000  # pairs expanded at a time; bounds memory
HOUR_MS = 3_600_000


@dataclass(frozen=True, slots=True)
class CoOccurrenceParameters:
    """The definition of a basket, and the selection of pairs.

    `events` names the events that count; empty: every positive one. `neighbours` is the number of pairs per item,
    `least_people` the distinct users a pair needs, `basket_items` the items of one basket that count, `baskets_per_person`
    the baskets of an item or a pair that count per user, so that no single user makes a pair, `shrinkage` the number of
    users at which a score is halved.
    """

    events: tuple[str, ...] = ()
    window_hours: float = 24.0
    neighbours: int = 50
    least_people: int = 2
    basket_items: int = 50
    baskets_per_person: int = 1
    shrinkage: float = 5.0


@dataclass(frozen=True, slots=True, eq=False)
class Baskets:
    """Baskets grouped by user: basket b has items[indptr[b]:indptr[b + 1]]."""

    indptr: Ints  # (b + 1,)
    items: Ints  # item rows, unique and ascending in a basket
    users: Ints  # (b,) ascending

    def __len__(self) -> int:
        return int(self.users.size)


@dataclass(frozen=True, slots=True, eq=False)
class Pairs:
    """Every pair of items with a common basket, once, first < second."""

    first: Ints
    second: Ints
    baskets: Ints  # number of baskets
    people: Ints  # number of distinct users


def train_co_occurrence(
    material: TrainingData, parameters: CoOccurrenceParameters, progress: Progress | None = None
) -> Trained:
    """The best pairs of every item as CSR: `values` are scores, `people` the numbers of distinct users.

    The score is the phi coefficient of the two items over all baskets (0 if they meet as often as at random, so popularity
    alone gives no score), times people / (people + shrinkage), the shrinkage of Bell & Koren (2007),
    "Scalable Collaborative Filtering with Jointly Derived Neighborhood Interpolation Weights". Raises NotEnough if no
    pair is left.
    """
    baskets = baskets_of(material.events, parameters)
    pairs = count_pairs(baskets, len(material.catalogue), progress)
    counts, n_baskets = _voices(baskets, len(material.catalogue), parameters.baskets_per_person)
    scores = _scores(pairs, counts, n_baskets, parameters)
    selected = np.flatnonzero((scores > 0) & (pairs.people >= parameters.least_people))
    if not selected.size:
        names = " or ".join(parameters.events) or "positive"
        raise NotEnough(f"no two items were in the baskets of {parameters.least_people} people; it needs more {names} events")
    arrays = _arrays(pairs, scores, selected, counts.size, parameters.neighbours)
    arrays |= {"item_ids": material.catalogue.ids.array, "item_counts": counts.astype(np.int32)}
    arrays |= _categories(baskets, material.catalogue.facets.get("category"))
    return Trained("co_occurrence", arrays, {**asdict(parameters), "n_baskets": len(baskets)})


def baskets_of(events: Events, parameters: CoOccurrenceParameters) -> Baskets:
    """A basket starts with a user's event and contains all that follow within the window; the next one starts after it."""
    return _parted(*_chosen(events, parameters), parameters)


def _chosen(events: Events, parameters: CoOccurrenceParameters) -> tuple[Ints, Ints, Ints]:
    """Users, items and times in milliseconds of the events that count, by user and then time."""
    selected = events.of_kinds(parameters.events) if parameters.events else events.weights > 0
    positions = np.flatnonzero(selected)
    positions = positions[np.argsort(events.users[positions], kind="stable")]  # events ascend in time already
    return events.users[positions], events.items[positions], _milliseconds(events.times[positions], parameters)


def _milliseconds(times: AnyArray, parameters: CoOccurrenceParameters) -> Ints:
    """Whole milliseconds. Unknown times become one that is older than all others by more than a window: one basket per user."""
    known = times[times != UNKNOWN_TIME]
    before = (float(known.min()) if known.size else 0.0) - (parameters.window_hours + 1) * HOUR_MS / 1000
    known_or_before = np.where(times == UNKNOWN_TIME, before, times)
    milliseconds: Ints = np.rint(known_or_before * 1000).astype(np.int64)
    return milliseconds


def _parted(users: Ints, items: Ints, times: Ints, parameters: CoOccurrenceParameters) -> Baskets:
    if not users.size:
        return Baskets(np.zeros(1, dtype=np.int64), items, users)
    begins = _beginnings(users, times, round(parameters.window_hours * HOUR_MS))
    number = np.cumsum(begins) - 1
    unique = np.unique(number * (int(items.max()) + 1) + items, return_index=True)[1]  # ascending basket, then item
    early = unique[
        _rank(number[unique], unique) < parameters.basket_items
    ]  # the first items only, in case a robot fills the basket
    basket = number[early]
    indptr = np.searchsorted(basket, np.arange(number[-1] + 2))
    return Baskets(indptr.astype(np.int64), items[early], users[begins])


def _beginnings(users: Ints, times: Ints, window_ms: int) -> np.ndarray[tuple[int], np.dtype[np.bool_]]:
    """(k,), True where a basket starts. One basket of every user is found per round."""
    span = int(times.max() - times.min()) + window_ms + 1
    clock = users.astype(np.int64) * span + (times - times.min())
    following = np.searchsorted(clock, clock + window_ms, side="right")
    begins = np.zeros(users.size, dtype=np.bool_)
    current = np.flatnonzero(np.concatenate([[True], users[1:] != users[:-1]]))
    while current.size:
        begins[current] = True
        later = following[current]
        inside = later < users.size
        current, later = current[inside], later[inside]
        current = later[users[later] == users[current]]
    return begins


def _rank(groups: Ints, order: Ints) -> Ints:
    """(k,) rank of each element within its group by ascending `order`; `groups` ascend."""
    by_order = np.lexsort((order, groups))
    starts = np.searchsorted(groups, groups)
    rank = np.empty(groups.size, dtype=np.int64)
    rank[by_order] = np.arange(groups.size) - starts
    return rank


def count_pairs(baskets: Baskets, n_items: int, progress: Progress | None = None) -> Pairs:
    """Count the baskets and the distinct users of every pair of items."""
    shape = (n_items, n_items)
    baskets_together: sparse.csr_array = sparse.csr_array(shape, dtype=np.int64)
    people: sparse.csr_array = sparse.csr_array(shape, dtype=np.int64)
    blocks = list(_blocks(baskets))
    for done, (start, stop) in enumerate(blocks, start=1):
        users, first, second = _expanded_pairs(baskets, start, stop)
        ones = np.ones(first.size, dtype=np.int64)
        baskets_together = baskets_together + sparse.coo_array((ones, (first, second)), shape=shape).tocsr()
        _, unique = np.unique(np.stack([users, first * n_items + second]), axis=1, return_index=True)
        people = people + sparse.coo_array((ones[: unique.size], (first[unique], second[unique])), shape=shape).tocsr()
        if progress is not None:
            progress(done, len(blocks), "pairs")
    baskets_together.sort_indices()
    people.sort_indices()
    pairs_table = baskets_together.tocoo()
    return Pairs(pairs_table.row.astype(np.int64), pairs_table.col.astype(np.int64), pairs_table.data, people.data)


def _voices(baskets: Baskets, n_items: int, most: int) -> tuple[Ints, int]:
    """(n_items,) baskets of each item, of which at most `most` of one user count, and the number of baskets.

    Of one user, no more baskets are counted than the items in them can have such voices.
    """
    users = np.repeat(baskets.users.astype(np.int64), np.diff(baskets.indptr))
    own, number = np.unique(users * n_items + baskets.items, return_counts=True)
    counts = np.bincount(own % n_items, weights=np.minimum(number, most), minlength=n_items).astype(np.int64)
    of_user, items_of_user = np.bincount(baskets.users), np.bincount(own // n_items)
    return counts, int(np.minimum(of_user, most * items_of_user).sum())


def _categories(baskets: Baskets, facet: Facet | None) -> dict[str, AnyArray]:
    """(c, c) distinct users with two items of these categories in one basket, and the categories' names.

    Pairs of categories have enough users for a reason text where pairs of items have few. Empty without categories.
    """
    if facet is None or not facet.values:
        return {}
    carried = facet.matrix.tocoo()
    code = np.full(facet.matrix.shape[0], -1, dtype=np.int64)
    code[carried.row[::-1]] = carried.col[::-1]  # the first category of an item that has several
    people = np.zeros((len(facet.values), len(facet.values)), dtype=np.int32)
    for start, stop in _blocks(baskets):
        users, first, second = _expanded_pairs(baskets, start, stop)
        pairs = np.sort(np.stack([code[first], code[second]]), axis=0)
        known = pairs[0] >= 0
        unique = np.unique(np.vstack([users[known], pairs[:, known]]), axis=1)
        np.add.at(people, (unique[1], unique[2]), 1)
    names = np.array([value.encode() for value in facet.values], dtype=np.bytes_)
    return {"categories": names, "category_people": np.maximum(people, people.T)}


def _blocks(baskets: Baskets) -> Iterator[tuple[int, int]]:
    """Ranges of baskets with about PAIRS_AT_ONCE pairs each; one user's baskets are never divided."""
    sizes = np.diff(baskets.indptr)
    total = np.cumsum(sizes * (sizes - 1) // 2)
    start = 0
    while start < len(baskets):
        before = int(total[start - 1]) if start else 0
        last = min(int(np.searchsorted(total, before + PAIRS_AT_ONCE)), len(baskets) - 1)
        stop = int(np.searchsorted(baskets.users, baskets.users[last], side="right"))
        yield start, stop
        start = stop


def _expanded_pairs(baskets: Baskets, start: int, stop: int) -> tuple[Ints, Ints, Ints]:
    """User, first item and second item of every pair in these baskets."""
    positions = np.arange(baskets.indptr[start], baskets.indptr[stop])
    sizes = np.diff(baskets.indptr[start : stop + 1])
    ends = np.repeat(baskets.indptr[start + 1 : stop + 1], sizes)
    later = ends - positions - 1
    first = np.repeat(positions, later)
    ramp = np.arange(first.size) - np.repeat(np.cumsum(later) - later, later)
    users = np.repeat(np.repeat(baskets.users[start:stop], sizes), later)
    return users, baskets.items[first], baskets.items[first + 1 + ramp]


def _scores(pairs: Pairs, counts: AnyArray, n_baskets: int, parameters: CoOccurrenceParameters) -> Floats:
    """(p,) shrunk phi coefficient of each pair; 0 where one of the two is in every basket."""
    first_counts, second_counts = counts[pairs.first].astype(np.float64), counts[pairs.second].astype(np.float64)
    spread = np.sqrt(first_counts * second_counts * (n_baskets - first_counts) * (n_baskets - second_counts))
    joint = np.minimum(pairs.baskets, parameters.baskets_per_person * pairs.people)
    phi = np.divide(n_baskets * joint - first_counts * second_counts, spread, out=np.zeros_like(first_counts), where=spread > 0)
    return (phi * pairs.people / (pairs.people + parameters.shrinkage)).astype(np.float32)


def _arrays(pairs: Pairs, scores: Floats, selected: Ints, n_items: int, neighbours: int) -> dict[str, AnyArray]:
    """Both directions of the selected pairs: the best `neighbours` of each item, columns ascending."""
    rows = np.concatenate([pairs.first[selected], pairs.second[selected]])
    columns = np.concatenate([pairs.second[selected], pairs.first[selected]])
    values, people = (np.concatenate([side[selected], side[selected]]) for side in (scores, pairs.people))
    order = np.lexsort((columns, -values, rows))
    best = order[_rank(rows[order], np.arange(order.size)) < neighbours]
    best = best[np.lexsort((columns[best], rows[best]))]
    return {
        "indptr": np.searchsorted(rows[best], np.arange(n_items + 1)).astype(np.int64),
        "indices": columns[best].astype(np.int32),
        "values": values[best].astype(np.float32),
        "people": people[best].astype(np.int32),
    }
