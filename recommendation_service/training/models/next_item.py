"""What comes next, in closed form: a ridge regression from two fading windows over somebody's newest items.

Every place of everybody's past is one equation: what was chosen there, told by the few items just before it and by the
longer run of items before it. Both windows fade with the distance. Solved once for all items; a new click changes a
person's windows and nothing else, so the next answer knows it without training. After the closed-form item models of
Steck (2019), with order: Choi, Kim, Lee, Shim & Lee (2021), "Session-aware Linear Item-Item Models".
"""

from collections.abc import Iterator
from dataclasses import asdict, dataclass, replace

import numpy as np
from scipy import sparse

from recommendation_service.core.numeric import Floats, Ints
from recommendation_service.training.data import Material, NotEnough, Trained
from recommendation_service.training.models.item_to_item import Known, arrays_of, strongest, strongest_of, worth_solving
from recommendation_service.training.models.linear import solved
from recommendation_service.training.report import Progress

LEAST_STEPS = 10
LEAST_WEIGHT = 1e-2  # of a pair of items; what is further apart says nothing


@dataclass(frozen=True, slots=True)
class NextItemParameters:
    """Two windows of the newest items, or one.

    Weight of the item `back` places ago: exp(-(back - 1) / fade), times `long_weight` in the longer window. Targets are
    divided by their count to the power `popularity`. `kept` strongest places of each row are published. Beyond
    `two_windows` liked items there is one window, which fades by `only_fade`. Beyond `invertible` of them, and beyond 5,000
    that fewer than 30 people each like, nothing is solved: rows are what followed an item, and with `backwards` what came
    before it, over its own count to the power `rarity`.
    """

    regularization: float = 400.0
    short: int = 6
    short_fade: float = 1.5
    long: int = 40
    long_fade: float = 15.0
    long_weight: float = 0.8
    only_fade: float = 3.0
    popularity: float = 0.12
    backwards: float = 0.5
    rarity: float = 0.25
    kept: int = 512
    two_windows: int = 6_000
    invertible: int = 15_000

    def solves(self, n_items: int, likings: int) -> bool:
        """Whether the equations of so many liked items are solved."""
        return worth_solving(n_items, likings, self.invertible)

    def windows(self, n_items: int, *, solve: bool = True) -> tuple[Floats, ...]:
        """The weights of each window, (w,) from one place back on, for so many liked items."""
        if n_items > self.two_windows or not solve:
            return (_fading(self.long, self.only_fade),)
        return (_fading(self.short, self.short_fade), _fading(self.long, self.long_fade) * np.float32(self.long_weight))

    def settled(self, material: Material) -> "NextItemParameters":
        """The same with what is without effect on this material as it is stated."""
        likings = material.pasts.liked().rows
        n_items, stated = np.unique(likings).size, NextItemParameters()
        solve = self.solves(n_items, likings.size)
        idle = ["backwards", "rarity"] if solve else ["regularization"]
        idle += ["only_fade"] if solve and n_items <= self.two_windows else ["short", "short_fade", "long_fade", "long_weight"]
        return replace(self, **{name: getattr(stated, name) for name in idle})


def _fading(size: int, fade: float) -> Floats:
    return np.exp(-np.arange(size) / fade).astype(np.float32)


@dataclass(frozen=True, slots=True, eq=False)
class Steps:
    """Everybody's liked items, oldest first, one person after the other."""

    rows: Ints  # (k,) among the n known items
    place: Ints  # (k,) 0 for a person's first item
    left: Ints  # (k,) items that follow in the same past
    n: int

    @classmethod
    def of(cls, material: Material, known: Known) -> "Steps":
        """Of everybody; people with one item say nothing of what follows what, and are harmless."""
        liked = material.pasts.liked()
        rows = known.places()[liked.rows]
        sizes = np.diff(liked.indptr)
        ends = np.repeat(liked.indptr[1:], sizes)
        starts = np.repeat(liked.indptr[:-1], sizes)
        own = np.arange(rows.size)
        turned = starts + (ends - 1 - own)  # pasts are newest first
        return cls(rows[turned], own - starts, ends - 1 - own, known.rows.size)

    def apart(self, back: int) -> tuple[Ints, Ints]:
        """Places whose item stood `back` places before another of the same person, and the places of those others."""
        later = np.flatnonzero(self.place >= back)
        return later - back, later


def train_next_item(material: Material, parameters: NextItemParameters, progress: Progress | None = None) -> Trained:
    """Rows of the short window's items, then of the long one's; a person's scores are the weighted sum of their rows.

    Raises NotEnough when fewer than ten items were liked after another one.
    """
    known = Known.of(material.pasts)
    steps = Steps.of(material, known)
    followed = int(np.count_nonzero(steps.place > 0))
    if followed < LEAST_STEPS:
        raise NotEnough(f"next_item needs {LEAST_STEPS} items liked after another one; this export has {followed}")
    windows = parameters.windows(steps.n, solve=parameters.solves(steps.n, steps.rows.size))
    told = progress or (lambda done, most, word: None)
    table = _table(steps, windows, parameters, told)
    arrays = {"item_ids": material.catalogue.ids.array, "item_counts": known.counts.astype(np.int32)}
    arrays |= {f"window_{number}": window for number, window in enumerate(windows)}
    return Trained("next_item", arrays | arrays_of(known.spread(table, len(windows))), asdict(parameters))


def _table(steps: Steps, windows: tuple[Floats, ...], parameters: NextItemParameters, told: Progress) -> sparse.csr_array:
    if not parameters.solves(steps.n, steps.rows.size):
        told(1, 2, "counting what followed what")
        return strongest_of(transitions(steps, windows[0], parameters), parameters.kept)
    told(1, 3, "counting what followed what")
    gram, wanted = equations(steps, windows)
    gram[np.diag_indices_from(gram)] += np.float32(parameters.regularization)
    counts = np.maximum(np.bincount(steps.rows[steps.place > 0], minlength=steps.n), 1)
    scale = (counts**parameters.popularity).astype(np.float32)
    told(2, 3, f"solving for {steps.n:,} items")
    return strongest(solved(gram, wanted / scale), parameters.kept)


def equations(steps: Steps, windows: tuple[Floats, ...]) -> tuple[Floats, Floats]:
    """X'X, (w * n, w * n), and X'Y, (w * n, n), of all places that follow another one.

    X has a row a place: both windows as they stood before it. Never made: a pair of a person's items adds to X'X once,
    as much as all the windows that hold both.
    """
    n = steps.n
    gram = np.zeros((len(windows) * n, len(windows) * n), dtype=np.float32)
    wanted = np.zeros((len(windows) * n, n), dtype=np.float32)
    for first, one in enumerate(windows):
        for back in range(1, one.size + 1):
            earlier, later = steps.apart(back)
            np.add.at(wanted, (steps.rows[earlier] + first * n, steps.rows[later]), one[back - 1])
        for second, other in enumerate(windows):
            for rows, columns, shares in _held_together(steps, one, other):
                np.add.at(gram, (rows + first * n, columns + second * n), shares)
    return gram, wanted


def _held_together(steps: Steps, one: Floats, other: Floats) -> Iterator[tuple[Ints, Ints, Floats]]:
    """Rows of pairs of a person's items, and the sum over the windows that hold both of the product of their weights."""
    for back in range(other.size):  # the item of `one` is the later of the two
        yield from _pairs(steps, one, other, back, swapped=False)
    for back in range(1, one.size):  # the item of `one` is the earlier
        yield from _pairs(steps, other, one, back, swapped=True)


def _pairs(steps: Steps, near: Floats, far: Floats, back: int, *, swapped: bool) -> Iterator[tuple[Ints, Ints, Floats]]:
    overlap = min(near.size, far.size - back)
    if overlap <= 0:
        return
    sums = np.concatenate([[0], np.cumsum(near[:overlap] * far[back : back + overlap])]).astype(np.float32)
    earlier, later = steps.apart(back)
    shares = sums[np.minimum(steps.left[later], overlap)]  # the windows before each of the items that follow
    rows = (steps.rows[earlier], steps.rows[later]) if swapped else (steps.rows[later], steps.rows[earlier])
    yield rows[0], rows[1], shares


def transitions(steps: Steps, window: Floats, parameters: NextItemParameters) -> sparse.csr_array:
    """(n, n) what followed each item, fading with the distance: what is left where nothing can be solved.

    On sparse data the order of two items that somebody liked one after the other is half chance, so the way back counts
    too. Added up a distance at a time, which bounds the memory.
    """
    table = sparse.csr_array((steps.n, steps.n), dtype=np.float32)
    for back, weight in enumerate(window[window >= LEAST_WEIGHT], start=1):
        earlier, later = steps.apart(back)
        places = (steps.rows[earlier], steps.rows[later])
        table = sparse.csr_array(table + sparse.coo_array((np.full(later.size, weight), places), shape=table.shape))
    if parameters.backwards > 0:
        table = sparse.csr_array(table + np.float32(parameters.backwards) * table.T)
    counts = np.maximum(np.bincount(steps.rows, minlength=steps.n), 1)
    table.data *= np.repeat(counts**-parameters.rarity, np.diff(table.indptr)).astype(np.float32)
    table.data *= (counts[table.indices] ** -parameters.popularity).astype(np.float32)
    return sparse.csr_array(table)
