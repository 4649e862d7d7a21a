"""Items that go into one basket: counted from order history, told apart from what merely sells well."""

from collections.abc import Iterator
from dataclasses import asdict, dataclass

import numpy as np
from scipy import sparse

from recommendation_service.core.numeric import AnyArray, Floats, Ints
from recommendation_service.datasets.reader import Events
from recommendation_service.domain.catalogue import Facet
from recommendation_service.training.data import Material, NotEnough, Trained
from recommendation_service.training.report import Progress

PAIRS_AT_ONCE = 4_000_000  # bounds memory: pairs are written out, that many at a time
HOUR_MS = 3_600_000


@dataclass(frozen=True, slots=True)
class CoOccurrenceParameters:
    """What makes a basket, and which pairs are kept.

    `events` names the events that count, none: every positive one. `neighbours` is how many pairs an item keeps,
    `least_people` how many distinct people a pair needs, `basket_items` how many items of one basket count,
    `baskets_per_person` how many baskets of one pair count for each person behind it, so that nobody makes a pair alone,
    `shrinkage` the support at which a pair is half believed.
    """

    events: tuple[str, ...] = ()
    window_hours: float = 24.0
    neighbours: int = 50
    least_people: int = 2
    basket_items: int = 50
    baskets_per_person: int = 2
    shrinkage: float = 5.0


@dataclass(frozen=True, slots=True, eq=False)
class Baskets:
    """Baskets one after the other, those of one user together: basket b owns places indptr[b] to indptr[b + 1]."""

    indptr: Ints  # (b + 1,)
    items: Ints  # item rows, unique and ascending in a basket
    users: Ints  # (b,) ascending

    def __len__(self) -> int:
        return int(self.users.size)


@dataclass(frozen=True, slots=True, eq=False)
class Pairs:
    """Every pair of items that met, once, first < second."""

    first: Ints
    second: Ints
    baskets: Ints  # in how many baskets
    people: Ints  # of how many distinct people


def train_co_occurrence(material: Material, parameters: CoOccurrenceParameters, progress: Progress | None = None) -> Trained:
    """The best pairs of every item as CSR: `values` their score, `people` how many distinct people are behind it.

    The score is the phi coefficient of the two items over all baskets (0 when they meet as often as chance has it, so
    bestsellers gain nothing by selling well), times people / (people + shrinkage), the shrinkage of Bell & Koren (2007),
    "Scalable Collaborative Filtering with Jointly Derived Neighborhood Interpolation Weights". Raises NotEnough when no
    pair is left.
    """
    baskets = baskets_of(material.events, parameters)
    pairs = count_pairs(baskets, len(material.catalogue), progress)
    counts = np.bincount(baskets.items, minlength=len(material.catalogue))
    scores = _scores(pairs, counts, len(baskets), parameters)
    kept = np.flatnonzero((scores > 0) & (pairs.people >= parameters.least_people))
    if not kept.size:
        told = " or ".join(parameters.events) or "positive"
        raise NotEnough(f"no two items were in the baskets of {parameters.least_people} people; it needs more {told} events")
    arrays = _arrays(pairs, scores, kept, counts.size, parameters.neighbours)
    arrays |= {"item_ids": material.catalogue.ids.array, "item_counts": counts.astype(np.int32)}
    arrays |= _categories(baskets, material.catalogue.facets.get("category"))
    return Trained("co_occurrence", arrays, {**asdict(parameters), "n_baskets": len(baskets)})


def baskets_of(events: Events, parameters: CoOccurrenceParameters) -> Baskets:
    """A basket begins with a user's first event and holds all that follow within the window; the next one begins after it."""
    return _parted(*_chosen(events, parameters), parameters)


def _chosen(events: Events, parameters: CoOccurrenceParameters) -> tuple[Ints, Ints, Ints]:
    """Users, items and times in milliseconds of the events that count, by user and then time."""
    kept = events.of_kinds(parameters.events) if parameters.events else events.weights > 0
    places = np.flatnonzero(kept)
    places = places[np.argsort(events.users[places], kind="stable")]  # events ascend in time already
    return events.users[places], events.items[places], np.rint(events.times[places] * 1000).astype(np.int64)


def _parted(users: Ints, items: Ints, times: Ints, parameters: CoOccurrenceParameters) -> Baskets:
    if not users.size:
        return Baskets(np.zeros(1, dtype=np.int64), items, users)
    begins = _beginnings(users, times, round(parameters.window_hours * HOUR_MS))
    number = np.cumsum(begins) - 1
    once = np.unique(number * (int(items.max()) + 1) + items, return_index=True)[1]  # ascending basket, then item
    early = once[_rank(number[once], once) < parameters.basket_items]  # the first to come, should a robot fill the basket
    own = number[early]
    indptr = np.searchsorted(own, np.arange(number[-1] + 2))
    return Baskets(indptr.astype(np.int64), items[early], users[begins])


def _beginnings(users: Ints, times: Ints, window_ms: int) -> np.ndarray[tuple[int], np.dtype[np.bool_]]:
    """(k,), True where a basket begins: every user's baskets are found in step, one a round."""
    span = int(times.max() - times.min()) + window_ms + 1
    clock = users.astype(np.int64) * span + (times - times.min())
    following = np.searchsorted(clock, clock + window_ms, side="right")
    begins = np.zeros(users.size, dtype=np.bool_)
    at = np.flatnonzero(np.concatenate([[True], users[1:] != users[:-1]]))
    while at.size:
        begins[at] = True
        later = following[at]
        inside = later < users.size
        at, later = at[inside], later[inside]
        at = later[users[later] == users[at]]
    return begins


def _rank(groups: Ints, order: Ints) -> Ints:
    """(k,) place of each element within its group by ascending `order`; `groups` ascend."""
    by_order = np.lexsort((order, groups))
    starts = np.searchsorted(groups, groups)
    rank = np.empty(groups.size, dtype=np.int64)
    rank[by_order] = np.arange(groups.size) - starts
    return rank


def count_pairs(baskets: Baskets, n_items: int, progress: Progress | None = None) -> Pairs:
    """How often and for how many people any two items met in one basket."""
    shape = (n_items, n_items)
    met: sparse.csr_array = sparse.csr_array(shape, dtype=np.int64)
    people: sparse.csr_array = sparse.csr_array(shape, dtype=np.int64)
    blocks = list(_blocks(baskets))
    for done, (start, stop) in enumerate(blocks, start=1):
        users, first, second = _written_out(baskets, start, stop)
        ones = np.ones(first.size, dtype=np.int64)
        met = met + sparse.coo_array((ones, (first, second)), shape=shape).tocsr()
        _, once = np.unique(np.stack([users, first * n_items + second]), axis=1, return_index=True)
        people = people + sparse.coo_array((ones[: once.size], (first[once], second[once])), shape=shape).tocsr()
        if progress is not None:
            progress(done, len(blocks), "pairs")
    met.sort_indices()
    people.sort_indices()
    found = met.tocoo()
    return Pairs(found.row.astype(np.int64), found.col.astype(np.int64), found.data, people.data)


def _categories(baskets: Baskets, facet: Facet | None) -> dict[str, AnyArray]:
    """How many distinct people had two items of these categories in one basket, (c, c), and the categories' names.

    Many people stand behind a pair of categories where few stand behind a pair of items: enough to say so. Nothing
    where items have no category.
    """
    if facet is None or not facet.values:
        return {}
    carried = facet.matrix.tocoo()
    code = np.full(facet.matrix.shape[0], -1, dtype=np.int64)
    code[carried.row[::-1]] = carried.col[::-1]  # the first category of an item that has several
    people = np.zeros((len(facet.values), len(facet.values)), dtype=np.int32)
    for start, stop in _blocks(baskets):
        users, first, second = _written_out(baskets, start, stop)
        pairs = np.sort(np.stack([code[first], code[second]]), axis=0)
        told = pairs[0] >= 0
        once = np.unique(np.vstack([users[told], pairs[:, told]]), axis=1)
        np.add.at(people, (once[1], once[2]), 1)
    names = np.array([value.encode() for value in facet.values], dtype=np.bytes_)
    return {"categories": names, "category_people": np.maximum(people, people.T)}


def _blocks(baskets: Baskets) -> Iterator[tuple[int, int]]:
    """Stretches of baskets with some PAIRS_AT_ONCE pairs each, never parting one user's baskets."""
    sizes = np.diff(baskets.indptr)
    total = np.cumsum(sizes * (sizes - 1) // 2)
    start = 0
    while start < len(baskets):
        before = int(total[start - 1]) if start else 0
        last = min(int(np.searchsorted(total, before + PAIRS_AT_ONCE)), len(baskets) - 1)
        stop = int(np.searchsorted(baskets.users, baskets.users[last], side="right"))
        yield start, stop
        start = stop


def _written_out(baskets: Baskets, start: int, stop: int) -> tuple[Ints, Ints, Ints]:
    """User, first and second item of every pair in these baskets."""
    places = np.arange(baskets.indptr[start], baskets.indptr[stop])
    sizes = np.diff(baskets.indptr[start : stop + 1])
    ends = np.repeat(baskets.indptr[start + 1 : stop + 1], sizes)
    later = ends - places - 1
    first = np.repeat(places, later)
    ramp = np.arange(first.size) - np.repeat(np.cumsum(later) - later, later)
    users = np.repeat(np.repeat(baskets.users[start:stop], sizes), later)
    return users, baskets.items[first], baskets.items[first + 1 + ramp]


def _scores(pairs: Pairs, counts: AnyArray, n_baskets: int, parameters: CoOccurrenceParameters) -> Floats:
    """(p,) shrunk phi coefficient of each pair; 0 where one of the two is in every basket."""
    one, other = counts[pairs.first].astype(np.float64), counts[pairs.second].astype(np.float64)
    spread = np.sqrt(one * other * (n_baskets - one) * (n_baskets - other))
    met = np.minimum(pairs.baskets, parameters.baskets_per_person * pairs.people)
    phi = np.divide(n_baskets * met - one * other, spread, out=np.zeros_like(one), where=spread > 0)
    return (phi * pairs.people / (pairs.people + parameters.shrinkage)).astype(np.float32)


def _arrays(pairs: Pairs, scores: Floats, kept: Ints, n_items: int, neighbours: int) -> dict[str, AnyArray]:
    """Both directions of the kept pairs, the best `neighbours` of each item, columns ascending."""
    rows = np.concatenate([pairs.first[kept], pairs.second[kept]])
    columns = np.concatenate([pairs.second[kept], pairs.first[kept]])
    values, people = (np.concatenate([side[kept], side[kept]]) for side in (scores, pairs.people))
    order = np.lexsort((columns, -values, rows))
    best = order[_rank(rows[order], np.arange(order.size)) < neighbours]
    best = best[np.lexsort((columns[best], rows[best]))]
    return {
        "indptr": np.searchsorted(rows[best], np.arange(n_items + 1)).astype(np.int64),
        "indices": columns[best].astype(np.int32),
        "values": values[best].astype(np.float32),
        "people": people[best].astype(np.int32),
    }
