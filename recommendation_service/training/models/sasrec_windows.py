"""Histories cut into windows of bounded length, and batches of windows of similar length."""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from recommendation_service.core.numeric import Bools, Ints
from recommendation_service.training.models.item_to_item import Known
from recommendation_service.training.models.two_tower_data import Lists
from recommendation_service.training.user_histories import UserHistories

SPREAD = 3.0  # windows whose lengths differ by less are shuffled in every epoch
MOST_WIDE = 8  # limit of windows per batch, relative to a batch of the longest windows


@dataclass(frozen=True, slots=True, eq=False)
class Sequences:
    """All users' liked items, oldest first, as indices of known items; user u has items[starts[u]:starts[u + 1]]."""

    starts: Ints  # (people + 1,)
    items: Ints

    @classmethod
    def of(cls, histories: UserHistories, known: Known) -> "Sequences":
        """Build for all users; items that are not in `known` are omitted."""
        liked = histories.liked()
        items = known.row_indices()[liked.rows]
        ends = np.concatenate([[0], np.cumsum(items >= 0)])
        starts = ends[liked.indptr].astype(np.int64)
        return cls(starts, _reversed(starts, items[items >= 0]))  # histories are newest first

    def newest_first(self) -> Lists:
        """The same lists with the newest item first."""
        return Lists(self.starts, _reversed(self.starts, self.items))

    def newest(self, people: Ints, most: int) -> tuple[Ints, Ints]:
        """(p, t) the newest items of these users, padded with 0 at the end, and (p,) the number of real items."""
        sizes = np.minimum(self.starts[people + 1] - self.starts[people], most)
        return self.padded(self.starts[people + 1] - sizes, sizes), sizes

    def windows(self, most: int) -> "Windows":
        """Windows that contain every target once: each history, cut from its end into pieces of `most` targets."""
        targets = np.maximum(np.diff(self.starts) - 1, 0)
        stretches = -(-targets // most)
        owner = np.repeat(np.arange(targets.size), stretches)
        before = np.arange(owner.size) - np.repeat(np.cumsum(stretches) - stretches, stretches)  # full windows after it
        ends = self.starts[owner + 1] - before * most
        first = np.maximum(ends - most - 1, self.starts[owner])
        return Windows(self, first, ends - first - 1)

    def padded(self, first: Ints, sizes: Ints) -> Ints:
        """(p, t) items from indices `first` (p,), `sizes` (p,) each, padded with 0."""
        steps = np.arange(int(sizes.max(initial=0)))
        if not self.items.size:
            return np.zeros((sizes.size, steps.size), dtype=np.int64)
        values = self.items[np.minimum(first[:, None] + steps, self.items.size - 1)]
        return np.where(steps < sizes[:, None], values, 0)


@dataclass(frozen=True, slots=True, eq=False)
class Windows:
    """Pieces of histories: window w reads items first[w] to first[w] + sizes[w] - 1; the target of each is the next item."""

    sequences: Sequences
    first: Ints  # (w,)
    sizes: Ints  # (w,) at least 1

    @property
    def targets(self) -> int:
        """Number of targets in all windows."""
        return int(self.sizes.sum())

    def batches(self, positions: int, rng: np.random.Generator) -> Iterator[Ints]:
        """Indices of windows, each once, in batches of about `positions` padded positions, in random order."""
        order = np.argsort(self.sizes + rng.random(self.sizes.size) * SPREAD, kind="stable")
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
        sizes = self.sizes[windows]
        read = self.sequences.padded(self.first[windows], sizes)
        follows = self.sequences.padded(self.first[windows] + 1, sizes)
        return read, follows, np.arange(read.shape[1]) < sizes[:, None]


def _reversed(starts: Ints, values: Ints) -> Ints:
    """Reverse each of the lists."""
    owner = np.repeat(np.arange(starts.size - 1), np.diff(starts))
    return np.asarray(values[starts[owner] + starts[owner + 1] - 1 - np.arange(values.size)])
