"""Users' histories as flat arrays of many lists: the input of the models that read items in their order."""

from collections.abc import Collection, Iterator
from dataclasses import dataclass

import numpy as np
from scipy import sparse

from recommendation_service.core.numeric import AnyArray, Bools, Floats, Ints
from recommendation_service.errors import DatasetError
from recommendation_service.training.data import TrainingData
from recommendation_service.training.models.item_to_item import Known
from recommendation_service.training.user_histories import UserHistories

SHUFFLED_TOGETHER = 3.0  # windows whose lengths differ by less are shuffled in every epoch
MOST_WIDE = 8  # limit of windows per batch, relative to a batch of the longest windows
BACK = 5  # previous positions that count for the initial vectors
POWER_ITERATIONS = 5  # of the factorisation; training makes more unnecessary
LEAST_ITEMS = 3  # with at least one like, for initial vectors


@dataclass(frozen=True, slots=True, eq=False)
class Lists:
    """Lists of integers, one after the other: list i is values[indptr[i]:indptr[i + 1]]."""

    indptr: Ints
    values: Ints

    def owners(self) -> Ints:
        """(n_values,) the index of the list of each value."""
        return np.repeat(np.arange(self.indptr.size - 1), np.diff(self.indptr))

    def padded(self, start: Ints, sizes: Ints, width: int) -> tuple[Ints, Bools]:
        """(b, width) values from the indices `start` (b,), `sizes` (b,) of each, padded with 0; and a mask of real values."""
        offsets = np.arange(width)
        real: Bools = offsets < sizes[:, None]
        if not self.values.size:
            return np.zeros(real.shape, dtype=np.int64), real
        return np.where(real, self.values[np.minimum(start[:, None] + offsets, self.values.size - 1)], 0), real

    def first(self, which: Ints, most: int) -> tuple[Ints, Bools]:
        """The first `most` values of the lists `which`, as `padded` returns them."""
        return self.padded(self.indptr[which], self.indptr[which + 1] - self.indptr[which], most)

    def last(self, which: Ints, most: int) -> tuple[Ints, Ints]:
        """(b, t) the last values of the lists `which`, at most `most`, padded with 0 at the end; and (b,) how many are real."""
        sizes = np.minimum(self.indptr[which + 1] - self.indptr[which], most)
        return self.padded(self.indptr[which + 1] - sizes, sizes, int(sizes.max(initial=0)))[0], sizes

    def shuffled(self, rng: np.random.Generator) -> "Lists":
        """A copy with the values of each list in random order."""
        return Lists(self.indptr, self.values[np.lexsort((rng.random(self.values.size), self.owners()))])

    def reversed(self) -> "Lists":
        """A copy with each list in reverse order."""
        owners = self.owners()
        return Lists(self.indptr, self.values[self.indptr[owners] + self.indptr[owners + 1] - 1 - np.arange(owners.size)])

    def only(self, mask: AnyArray) -> "Lists":
        """The values where `mask` is True, in the same lists and order."""
        ends = np.concatenate([[0], np.cumsum(mask)])
        return Lists(ends[self.indptr].astype(np.int64), self.values[mask])


def liked_lists(histories: UserHistories) -> Lists:
    """The liked items of every user, newest first."""
    liked = histories.liked()
    return Lists(liked.indptr, liked.rows)


def sequences_of(histories: UserHistories, known: Known) -> Lists:
    """The liked items of every user, oldest first, as indices of the `known` items; other items are omitted."""
    liked = liked_lists(histories)
    items = known.row_indices()[liked.values]
    return Lists(liked.indptr, items).only(items >= 0).reversed()


def learned_lists(material: TrainingData, event_types: Collection[str], least: int) -> Lists:
    """As `liked_lists`, reduced to items with one of `event_types` (empty: all) and users with at least `least` of them.

    Raises DatasetError for an event type that the export does not have.
    """
    history, users = liked_lists(material.histories), material.histories.liked().users()
    mask = np.ones(history.values.size, dtype=np.bool_)
    if event_types:
        events = material.events
        unknown = sorted(set(event_types) - set(events.names))
        if unknown:
            raise DatasetError(f"event_types names '{unknown[0]}'; events of this export are {', '.join(events.names)}")
        chosen = events.of_kinds(event_types)
        n_items = material.histories.n_items
        mask = np.isin(users * n_items + history.values, events.users[chosen] * n_items + events.items[chosen])
    left = np.bincount(users[mask], minlength=len(material.histories))
    return history.only(mask & (left[users] >= least))


@dataclass(frozen=True, slots=True, eq=False)
class Cuts:
    """Histories cut in two, newest first: values from index `since` are known, values from `until` to `since` are predicted."""

    history: Lists
    who: Ints  # (c,) user
    since: Ints  # (c,) index of the newest known item; the end of the list: none is known
    until: Ints  # (c,) index of the newest item to predict

    def __len__(self) -> int:
        return int(self.who.size)

    def some(self, which: Ints) -> "Cuts":
        """The cuts at these indices."""
        return Cuts(self.history, self.who[which], self.since[which], self.until[which])

    def shown(self, most: int) -> tuple[Ints, Bools]:
        """(c, most) the newest known values of each cut, padded with 0, and a mask of real values."""
        return self.history.padded(self.since, self.history.indptr[self.who + 1] - self.since, most)

    def wanted(self, most: int, rng: np.random.Generator) -> Ints:
        """(c, most) values to predict, drawn with replacement."""
        size = (self.since - self.until)[:, None]
        return self.history.values[self.until[:, None] + (rng.random((len(self), most)) * size).astype(np.int64)]


def stretches(history: Lists, who: Ints, rng: np.random.Generator, least: float, most: float) -> Cuts:
    """One cut of each of these users' lists, at a random position.

    All older items are known. Of the newer items, at least one and a share between `least` and `most` of the whole list
    is to be predicted. In a list of one item nothing is known.
    """
    sizes = np.diff(history.indptr)[who]
    hidden = np.maximum(1, np.round(sizes * rng.uniform(least, most, sizes.size))).astype(np.int64)
    until = history.indptr[who] + (rng.random(sizes.size) * np.maximum(sizes - hidden, 1)).astype(np.int64)
    return Cuts(history, who, until + hidden, until)


def steps(history: Lists, rng: np.random.Generator, ahead: int, most: int) -> Cuts:
    """At most `most` cuts in random order with an item on both sides; the next `ahead` items are to be predicted."""
    users = history.owners()
    since = rng.permutation(np.flatnonzero(np.arange(users.size) > history.indptr[users]))[:most]
    return Cuts(history, users[since], since, np.maximum(since - ahead, history.indptr[users[since]]))


@dataclass(frozen=True, slots=True, eq=False)
class Windows:
    """Pieces of sequences: window w reads values first[w] to first[w] + sizes[w] - 1; the target of each is the next value."""

    sequences: Lists
    first: Ints  # (w,)
    sizes: Ints  # (w,) at least 1

    @classmethod
    def of(cls, sequences: Lists, most: int) -> "Windows":
        """Windows that contain every target once: each list, cut from its end into pieces of at most `most` targets."""
        targets = np.maximum(np.diff(sequences.indptr) - 1, 0)
        pieces = -(-targets // most)
        owner = np.repeat(np.arange(targets.size), pieces)
        full_after = np.arange(owner.size) - np.repeat(np.cumsum(pieces) - pieces, pieces)
        ends = sequences.indptr[owner + 1] - full_after * most
        first = np.maximum(ends - most - 1, sequences.indptr[owner])
        return cls(sequences, first, ends - first - 1)

    @property
    def targets(self) -> int:
        """Number of targets in all windows."""
        return int(self.sizes.sum())

    def batches(self, positions: int, rng: np.random.Generator) -> Iterator[Ints]:
        """Indices of windows, each once, in batches of about `positions` padded positions, in random order."""
        order = np.argsort(self.sizes + rng.random(self.sizes.size) * SHUFFLED_TOGETHER, kind="stable")
        widest = MOST_WIDE * max(1, positions // int(self.sizes.max()))
        bounds = [0]
        while bounds[-1] < order.size:
            rest = np.maximum.accumulate(self.sizes[order[bounds[-1] : bounds[-1] + widest]])
            fits = int(np.count_nonzero(rest * np.arange(1, rest.size + 1) <= positions))
            bounds.append(bounds[-1] + max(1, fits))
        for number in rng.permutation(len(bounds) - 1).tolist():
            yield order[bounds[number] : bounds[number + 1]]

    def read(self, windows: Ints) -> tuple[Ints, Ints, Bools]:
        """(b, t) input items, (b, t) their next items, and a mask of real positions."""
        first, sizes = self.first[windows], self.sizes[windows]
        width = int(sizes.max(initial=0))
        items, real = self.sequences.padded(first, sizes, width)
        return items, self.sequences.padded(first + 1, sizes, width)[0], real


def start_vectors(history: Lists, n_items: int, dimension: int, decay: float) -> tuple[Floats, Floats] | None:
    """(n_items, dimension) input vectors and target vectors of the items, with mean length 1; None: too little data.

    `history` is newest first. The dot product of an input and a target vector approximates the log of how many times more
    often than at random one item follows the other within five positions, each position weighted by `decay`: a factorised
    table of pointwise mutual information (Levy & Goldberg 2014). Rows of items without likes are 0.
    """
    from sklearn.utils.extmath import randomized_svd  # takes a second to import, and not all models need it

    table = _followed(history, n_items, decay)
    length = min(dimension, np.unique(table.row).size - 1, np.unique(table.col).size - 1)
    if length < LEAST_ITEMS - 1:
        return None
    before, after = (np.asarray(table.sum(axis=axis)).ravel() + 1 for axis in (1, 0))
    lift = table.data * table.data.sum() / (before[table.row] * after[table.col])
    weights = sparse.csr_array((np.log1p(lift).astype(np.float32), (table.row, table.col)), shape=table.shape)
    left, values, right = randomized_svd(weights, length, n_iter=POWER_ITERATIONS, random_state=0)
    return _sized(left * np.sqrt(values), dimension), _sized(right.T * np.sqrt(values), dimension)


def _followed(history: Lists, n_items: int, decay: float) -> sparse.coo_array:
    """(n_items, n_items) weighted counts of the column being liked soon after the row."""
    users = history.owners()
    table = sparse.csr_array((n_items, n_items), dtype=np.float32)
    for back in range(1, BACK + 1):
        newer = np.flatnonzero(users[back:] == users[:-back])
        cells = (history.values[newer + back], history.values[newer])
        counted = np.full(newer.size, decay ** (back - 1), dtype=np.float32)
        table = table + sparse.coo_array((counted, cells), shape=table.shape).tocsr()
    return table.tocoo()


def _sized(vectors: AnyArray, dimension: int) -> Floats:
    result = np.zeros((vectors.shape[0], dimension), dtype=np.float32)
    lengths = np.sqrt(np.square(vectors).sum(axis=1))
    result[:, : vectors.shape[1]] = vectors / lengths[lengths > 0].mean()
    return result
