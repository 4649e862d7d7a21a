"""The two-tower model's inputs as flat arrays, and how a batch is cut from them by slicing."""

from collections.abc import Collection
from dataclasses import dataclass

import numpy as np
from scipy import sparse

from recommendation_service.core.numeric import AnyArray, Bytes, Floats, Ints
from recommendation_service.domain.query import Profile
from recommendation_service.errors import DatasetError
from recommendation_service.training.data import Material
from recommendation_service.training.models.content import facets_of
from recommendation_service.training.user_histories import Pasts

NOTHING = b""  # one attribute that nobody has, so that a site without profiles still has an array to publish
MAX_FEATURES = 5_000


@dataclass(frozen=True, slots=True, eq=False)
class Lists:
    """Some number of lists, one after the other: list i is values[indptr[i]:indptr[i + 1]]."""

    indptr: Ints
    values: Ints

    def first(self, which: Ints, most: int) -> tuple[Ints, AnyArray]:
        """(b, most) the first values of lists `which`, and whether each place is real (0 stands where not)."""
        places = self.indptr[which][:, None] + np.arange(most)
        real = places < self.indptr[which + 1][:, None]
        if not self.values.size:
            return np.zeros(places.shape, dtype=np.int64), real
        return np.where(real, self.values[np.minimum(places, self.values.size - 1)], 0), real

    def shuffled(self, rng: np.random.Generator) -> "Lists":
        """The same values in each list, in random order."""
        which = np.repeat(np.arange(self.indptr.size - 1), np.diff(self.indptr))
        return Lists(self.indptr, self.values[np.lexsort((rng.random(self.values.size), which))])

    def only(self, keep: AnyArray) -> "Lists":
        """The values where `keep` is True, lists and order kept."""
        ends = np.concatenate([[0], np.cumsum(keep)])
        return Lists(ends[self.indptr].astype(np.int64), self.values[keep])


def liked_lists(pasts: Pasts) -> Lists:
    """Everybody's liked items, newest first."""
    liked = pasts.liked()
    return Lists(liked.indptr, liked.rows)


def learned_lists(material: Material, event_types: Collection[str], least: int) -> Lists:
    """As `liked_lists`, of what shall be learned from: items that one of `event_types` was about (all when there are
    none), and of people who are left with `least` of them. Raises DatasetError for an event nobody did.
    """
    past, users = liked_lists(material.pasts), material.pasts.liked().users()
    keep = np.ones(past.values.size, dtype=np.bool_)
    if event_types:
        events = material.events
        strangers = sorted(set(event_types) - set(events.names))
        if strangers:
            raise DatasetError(f"event_types names '{strangers[0]}'; events of this export are {', '.join(events.names)}")
        chosen = events.of_kinds(event_types)
        n_items = material.pasts.n_items
        keep = np.isin(users * n_items + past.values, events.users[chosen] * n_items + events.items[chosen])
    left = np.bincount(users[keep], minlength=len(material.pasts))
    return past.only(keep & (left[users] >= least))


@dataclass(frozen=True, slots=True, eq=False)
class Cuts:
    """Moments in people's pasts: places `since` on in the flat lists are known, places `until` to `since` are foreseen."""

    past: Lists
    who: Ints  # (c,) user
    since: Ints  # (c,) the newest item that is shown; the end of the list: nothing is
    until: Ints  # (c,) the newest item to be foreseen

    def __len__(self) -> int:
        return int(self.who.size)

    def some(self, which: Ints) -> "Cuts":
        """Of these places."""
        return Cuts(self.past, self.who[which], self.since[which], self.until[which])

    def shown(self, most: int) -> tuple[Ints, AnyArray]:
        """(c, most) the newest values known at each cut, and whether each place is real (0 stands where not)."""
        places = self.since[:, None] + np.arange(most)
        real = places < self.past.indptr[self.who + 1][:, None]
        return np.where(real, self.past.values[np.minimum(places, self.past.values.size - 1)], 0), real

    def wanted(self, most: int, rng: np.random.Generator) -> Ints:
        """(c, most) values to be foreseen, drawn with replacement."""
        size = (self.since - self.until)[:, None]
        return self.past.values[self.until[:, None] + (rng.random((len(self), most)) * size).astype(np.int64)]


def stretches(past: Lists, who: Ints, rng: np.random.Generator, least: float, most: float) -> Cuts:
    """One cut of each of these people's lists, at a random moment.

    Everything older than the moment is shown; of what is newer, a share drawn between `least` and `most` of the
    whole list, but one item at least, is foreseen; a list of one item has nothing to show.
    """
    sizes = np.diff(past.indptr)[who]
    hidden = np.maximum(1, np.round(sizes * rng.uniform(least, most, sizes.size))).astype(np.int64)
    until = past.indptr[who] + (rng.random(sizes.size) * np.maximum(sizes - hidden, 1)).astype(np.int64)
    return Cuts(past, who, until + hidden, until)


def steps(past: Lists, rng: np.random.Generator, ahead: int, most: int) -> Cuts:
    """At most so many cuts, in random order, of all those with an item on both sides; the next `ahead` are foreseen."""
    users = np.repeat(np.arange(past.indptr.size - 1), np.diff(past.indptr))
    since = rng.permutation(np.flatnonzero(np.arange(users.size) > past.indptr[users]))[:most]
    return Cuts(past, users[since], since, np.maximum(since - ahead, past.indptr[users[since]]))


def attribute_table(profiles: tuple[Profile, ...]) -> tuple[Bytes, Lists]:
    """(a,) sorted attribute names such as b"skills=python", and each user's attributes as places in it."""
    own = [_attributes(profile) for profile in profiles]
    names = sorted({NOTHING, *(name for line in own for name in line)})
    place = {name: at for at, name in enumerate(names)}
    indptr = np.cumsum([0, *map(len, own)], dtype=np.int64)
    values = np.array([place[name] for line in own for name in line], dtype=np.int64)
    return np.array(names, dtype=np.bytes_), Lists(indptr, values)


def _attributes(profile: Profile) -> list[bytes]:
    return sorted({f"{key}={value}".casefold().encode() for key, values in profile.items() for value in values})


def item_features(material: Material) -> sparse.csr_array:
    """(n_items, f) unit rows of category, tags and attributes that at least two items share; f is at least 1."""
    own = [facets_of(record) for record in material.records]
    count: dict[str, int] = {}
    for line in own:
        for name in line:
            count[name] = count.get(name, 0) + 1
    shared = sorted((name for name, times in count.items() if times > 1), key=lambda name: (-count[name], name))
    place = {name: at for at, name in enumerate(shared[:MAX_FEATURES])}
    rows = np.array([row for row, line in enumerate(own) for name in line if name in place], dtype=np.int64)
    columns = np.array([place[name] for line in own for name in line if name in place], dtype=np.int64)
    sizes = np.bincount(rows, minlength=len(own))
    values: Floats = (1 / np.sqrt(sizes[rows])).astype(np.float32)
    return sparse.csr_array((values, (rows, columns)), shape=(len(own), max(len(place), 1)))
