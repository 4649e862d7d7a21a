"""Everybody's liked items cut into windows of a bounded length, and batches of windows that are about equally long."""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from recommendation_service.core.numeric import Bools, Ints
from recommendation_service.training.models.item_to_item import Known
from recommendation_service.training.models.two_tower_data import Lists
from recommendation_service.training.user_histories import Pasts

SPREAD = 3.0  # windows whose lengths differ by less stand in another order in every epoch
MOST_WIDE = 8  # a batch of very short windows holds at most so many times the windows of a batch of the longest


@dataclass(frozen=True, slots=True, eq=False)
class Sequences:
    """Everybody's liked items, oldest first, as places among the known ones: person u owns starts[u] to starts[u + 1]."""

    starts: Ints  # (people + 1,)
    places: Ints

    @classmethod
    def of(cls, pasts: Pasts, known: Known) -> "Sequences":
        """Of everybody; items that nobody had liked when `known` was counted are left out."""
        liked = pasts.liked()
        places = known.places()[liked.rows]
        ends = np.concatenate([[0], np.cumsum(places >= 0)])
        starts = ends[liked.indptr].astype(np.int64)
        return cls(starts, _turned(starts, places[places >= 0]))  # pasts are newest first

    def newest_first(self) -> Lists:
        """The same, each person's newest item first."""
        return Lists(self.starts, _turned(self.starts, self.places))

    def newest(self, people: Ints, most: int) -> tuple[Ints, Ints]:
        """(p, t) the newest items of these people, padded behind with 0, and (p,) how many are real."""
        sizes = np.minimum(self.starts[people + 1] - self.starts[people], most)
        return self.padded(self.starts[people + 1] - sizes, sizes), sizes

    def windows(self, most: int) -> "Windows":
        """All next items once: each person's past from its end in stretches of `most` of them."""
        targets = np.maximum(np.diff(self.starts) - 1, 0)
        stretches = -(-targets // most)
        owner = np.repeat(np.arange(targets.size), stretches)
        before = np.arange(owner.size) - np.repeat(np.cumsum(stretches) - stretches, stretches)  # whole ones behind it
        ends = self.starts[owner + 1] - before * most
        first = np.maximum(ends - most - 1, self.starts[owner])
        return Windows(self, first, ends - first - 1)

    def padded(self, first: Ints, sizes: Ints) -> Ints:
        """(p, t) what stands from places `first` (p,) on, `sizes` (p,) items each, 0 behind them."""
        steps = np.arange(int(sizes.max(initial=0)))
        if not self.places.size:
            return np.zeros((sizes.size, steps.size), dtype=np.int64)
        found = self.places[np.minimum(first[:, None] + steps, self.places.size - 1)]
        return np.where(steps < sizes[:, None], found, 0)


@dataclass(frozen=True, slots=True, eq=False)
class Windows:
    """Stretches of pasts: window w reads places first[w] to first[w] + sizes[w] - 1, each of which foretells the next."""

    sequences: Sequences
    first: Ints  # (w,)
    sizes: Ints  # (w,) at least 1

    @property
    def targets(self) -> int:
        """Next items in all of them."""
        return int(self.sizes.sum())

    def batches(self, places: int, rng: np.random.Generator) -> Iterator[Ints]:
        """Windows by number, each once, in batches of about `places` padded places, in a drawn order."""
        order = np.argsort(self.sizes + rng.random(self.sizes.size) * SPREAD, kind="stable")
        widest = MOST_WIDE * max(1, places // int(self.sizes.max()))
        bounds = [0]
        while bounds[-1] < order.size:
            rest = np.maximum.accumulate(self.sizes[order[bounds[-1] : bounds[-1] + widest]])
            fits = int(np.count_nonzero(rest * np.arange(1, rest.size + 1) <= places))
            bounds.append(bounds[-1] + max(1, fits))
        for number in rng.permutation(len(bounds) - 1).tolist():
            yield order[bounds[number] : bounds[number + 1]]

    def read(self, which: Ints) -> tuple[Ints, Ints, Bools]:
        """(b, t) what is read, (b, t) what follows each of them, and which places are real."""
        sizes = self.sizes[which]
        read = self.sequences.padded(self.first[which], sizes)
        follows = self.sequences.padded(self.first[which] + 1, sizes)
        return read, follows, np.arange(read.shape[1]) < sizes[:, None]


def _turned(starts: Ints, values: Ints) -> Ints:
    """The same lists, one after the other, each of them backwards."""
    owner = np.repeat(np.arange(starts.size - 1), np.diff(starts))
    return np.asarray(values[starts[owner] + starts[owner + 1] - 1 - np.arange(values.size)])
