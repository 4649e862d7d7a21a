"""The inputs of the two-tower model as flat arrays; a batch is a slice of them."""

from collections.abc import Collection
from dataclasses import dataclass

import numpy as np
from scipy import sparse

from recommendation_service.core.numeric import AnyArray, Bytes, Floats, Ints
from recommendation_service.domain.query import Profile
from recommendation_service.errors import DatasetError
from recommendation_service.training.data import TrainingData
from recommendation_service.training.models.content import facets_of
from recommendation_service.training.user_histories import UserHistories

NOTHING = b""  # an attribute of no user, so that a site without profiles still has an array to publish
MAX_FEATURES = 5_000


@dataclass(frozen=True, slots=True, eq=False)
class Lists:
    """Some number of lists, one after the other: list i is values[indptr[i]:indptr[i + 1]]."""

    indptr: Ints
    values: Ints

    def first(self, which: Ints, most: int) -> tuple[Ints, AnyArray]:
        """(b, most) the first values of lists `which`, padded with 0, and a mask of real values."""
        indices = self.indptr[which][:, None] + np.arange(most)
        real = indices < self.indptr[which + 1][:, None]
        if not self.values.size:
            return np.zeros(indices.shape, dtype=np.int64), real
        return np.where(real, self.values[np.minimum(indices, self.values.size - 1)], 0), real

    def shuffled(self, rng: np.random.Generator) -> "Lists":
        """Shuffle the values of each list."""
        which = np.repeat(np.arange(self.indptr.size - 1), np.diff(self.indptr))
        return Lists(self.indptr, self.values[np.lexsort((rng.random(self.values.size), which))])

    def only(self, mask: AnyArray) -> "Lists":
        """The values where `mask` is True, lists and order kept."""
        ends = np.concatenate([[0], np.cumsum(mask)])
        return Lists(ends[self.indptr].astype(np.int64), self.values[mask])


def liked_lists(histories: UserHistories) -> Lists:
    """The liked items of every user, newest first."""
    liked = histories.liked()
    return Lists(liked.indptr, liked.rows)


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
    """Cuts of histories: values from index `since` on are known, values from `until` to `since` are to be predicted."""

    history: Lists
    who: Ints  # (c,) user
    since: Ints  # (c,) index of the newest known item; the end of the list: none is known
    until: Ints  # (c,) index of the newest item to predict

    def __len__(self) -> int:
        return int(self.who.size)

    def some(self, which: Ints) -> "Cuts":
        """The cuts at these indices."""
        return Cuts(self.history, self.who[which], self.since[which], self.until[which])

    def shown(self, most: int) -> tuple[Ints, AnyArray]:
        """(c, most) the newest known values of each cut, padded with 0, and a mask of real values."""
        indices = self.since[:, None] + np.arange(most)
        real = indices < self.history.indptr[self.who + 1][:, None]
        return np.where(real, self.history.values[np.minimum(indices, self.history.values.size - 1)], 0), real

    def wanted(self, most: int, rng: np.random.Generator) -> Ints:
        """(c, most) values to predict, drawn with replacement."""
        size = (self.since - self.until)[:, None]
        return self.history.values[self.until[:, None] + (rng.random((len(self), most)) * size).astype(np.int64)]


def stretches(history: Lists, who: Ints, rng: np.random.Generator, least: float, most: float) -> Cuts:
    """One cut of each of these users' lists, at a random position.

    Everything older is known. Of the newer items, at least one and a share between `least` and `most` of the whole list
    is to be predicted. In a list of one item nothing is known.
    """
    sizes = np.diff(history.indptr)[who]
    hidden = np.maximum(1, np.round(sizes * rng.uniform(least, most, sizes.size))).astype(np.int64)
    until = history.indptr[who] + (rng.random(sizes.size) * np.maximum(sizes - hidden, 1)).astype(np.int64)
    return Cuts(history, who, until + hidden, until)


def steps(history: Lists, rng: np.random.Generator, ahead: int, most: int) -> Cuts:
    """At most `most` cuts in random order with an item on both sides; the next `ahead` items are to be predicted."""
    users = np.repeat(np.arange(history.indptr.size - 1), np.diff(history.indptr))
    since = rng.permutation(np.flatnonzero(np.arange(users.size) > history.indptr[users]))[:most]
    return Cuts(history, users[since], since, np.maximum(since - ahead, history.indptr[users[since]]))


def attribute_table(profiles: tuple[Profile, ...]) -> tuple[Bytes, Lists]:
    """(a,) sorted attribute names such as b"skills=python", and each user's attributes as indices into them."""
    lines = [_attributes(profile) for profile in profiles]
    names = sorted({NOTHING, *(name for line in lines for name in line)})
    index_of = {name: at for at, name in enumerate(names)}
    indptr = np.cumsum([0, *map(len, lines)], dtype=np.int64)
    values = np.array([index_of[name] for line in lines for name in line], dtype=np.int64)
    return np.array(names, dtype=np.bytes_), Lists(indptr, values)


def _attributes(profile: Profile) -> list[bytes]:
    return sorted({f"{key}={value}".casefold().encode() for key, values in profile.items() for value in values})


def item_features(material: TrainingData) -> sparse.csr_array:
    """(n_items, f) unit rows of the categories, tags and attributes shared by two or more items; f is at least 1."""
    lines = [facets_of(record) for record in material.records]
    count: dict[str, int] = {}
    for line in lines:
        for name in line:
            count[name] = count.get(name, 0) + 1
    shared = sorted((name for name, times in count.items() if times > 1), key=lambda name: (-count[name], name))
    index_of = {name: at for at, name in enumerate(shared[:MAX_FEATURES])}
    rows = np.array([row for row, line in enumerate(lines) for name in line if name in index_of], dtype=np.int64)
    columns = np.array([index_of[name] for line in lines for name in line if name in index_of], dtype=np.int64)
    sizes = np.bincount(rows, minlength=len(lines))
    values: Floats = (1 / np.sqrt(sizes[rows])).astype(np.float32)
    return sparse.csr_array((values, (rows, columns)), shape=(len(lines), max(len(index_of), 1)))
