"""The next item, in closed form: ridge regression on two decaying windows over a user's newest items.

Every position of every history is one equation: it predicts the chosen item from the few items just before it and from a
longer window before it. The weights of both windows decay with distance. The system is solved once for all items. A new
click only changes the user's windows, so the next answer includes it without training. Based on the closed-form item models
of Steck (2019), with order: Choi, Kim, Lee, Shim & Lee (2021), "Session-aware Linear Item-Item Models".
"""

from collections.abc import Iterator
from dataclasses import asdict, dataclass, replace
from typing import Annotated

import numpy as np
from scipy import sparse

from recommendation_service.core.numeric import Floats, Ints
from recommendation_service.training.data import NotEnough, Trained, TrainingData
from recommendation_service.training.models.item_to_item import Known, can_solve, solved, strongest, strongest_of
from recommendation_service.training.models.sequences import sequences_of
from recommendation_service.training.report import Progress
from recommendation_service.training.setting import Setting

LEAST_STEPS = 10
LEAST_WEIGHT = 1e-2  # of a pair of items; pairs with a smaller weight are ignored


@dataclass(frozen=True, slots=True)
class NextItemParameters:
    """One or two windows of the newest items.

    The weight of the item `back` positions ago is exp(-(back - 1) / fade), times `long_weight` in the long window. Targets
    are divided by their count to the power `popularity`. The `top_k` strongest entries of each row are published. With more
    than `two_windows` liked items there is one window, which decays by `only_fade`. With more than `invertible` items, or
    more than 5,000 with fewer than 30 users each, nothing is solved: rows are transitions from an item, and with `backwards`
    to it, divided by its count to the power `rarity`.
    """

    regularization: Annotated[float, Setting("of the ridge regression", above=True)] = 400.0
    short: Annotated[int, Setting("newest items in the short window", least=1)] = 6
    short_fade: Annotated[float, Setting("positions after which an item of the short window counts 1/e", above=True)] = 1.5
    long: Annotated[int, Setting("newest items in the long window", least=1)] = 40
    long_fade: Annotated[float, Setting("positions after which an item of the long window counts 1/e", above=True)] = 15.0
    long_weight: Annotated[float, Setting("weight of the long window; the short one has 1")] = 0.8
    only_fade: float = 3.0
    popularity: Annotated[float, Setting("targets are divided by their count to this power; 0: not at all")] = 0.12
    backwards: float = 0.5
    rarity: float = 0.25
    top_k: int = 512
    two_windows: int = 6_000
    invertible: int = 15_000

    def solves(self, n_items: int, likings: int) -> bool:
        """True if the system of this many liked items is solved."""
        return can_solve(n_items, likings, self.invertible)

    def windows(self, n_items: int, *, solve: bool = True) -> tuple[Floats, ...]:
        """The weights of each window, (w,) from one position back, for this many liked items."""
        if n_items > self.two_windows or not solve:
            return (_fading(self.long, self.only_fade),)
        return (_fading(self.short, self.short_fade), _fading(self.long, self.long_fade) * np.float32(self.long_weight))

    def settled(self, material: TrainingData) -> "NextItemParameters":
        """A copy in which settings without effect on this data have their default values."""
        likings = material.histories.liked().rows
        n_items, defaults = np.unique(likings).size, NextItemParameters()
        solve = self.solves(n_items, likings.size)
        idle = ["backwards", "rarity"] if solve else ["regularization"]
        idle += ["only_fade"] if solve and n_items <= self.two_windows else ["short", "short_fade", "long_fade", "long_weight"]
        return replace(self, **{name: getattr(defaults, name) for name in idle})


def _fading(size: int, fade: float) -> Floats:
    return np.exp(-np.arange(size) / fade).astype(np.float32)


@dataclass(frozen=True, slots=True, eq=False)
class Steps:
    """All users' liked items, oldest first, grouped by user."""

    rows: Ints  # (k,) among the n known items
    position: Ints  # (k,) 0 for a user's first item
    left: Ints  # (k,) later items in the same history
    n: int

    @classmethod
    def of(cls, material: TrainingData, known: Known) -> "Steps":
        """Build for all users; users with one item have no effect."""
        sequences = sequences_of(material.histories, known)
        owners, positions = sequences.owners(), np.arange(sequences.values.size)
        left = sequences.indptr[owners + 1] - 1 - positions
        return cls(sequences.values, positions - sequences.indptr[owners], left, known.rows.size)

    def apart(self, back: int) -> tuple[Ints, Ints]:
        """Indices of items that are `back` positions before another item of the same user, and indices of those."""
        later = np.flatnonzero(self.position >= back)
        return later - back, later


def train_next_item(material: TrainingData, parameters: NextItemParameters, progress: Progress | None = None) -> Trained:
    """Train the table: rows of the short window's items, then of the long window's. Scores are weighted sums of rows.

    Raises NotEnough if fewer than ten items were liked after another one.
    """
    known = Known.of(material.histories)
    steps = Steps.of(material, known)
    followed = int(np.count_nonzero(steps.position > 0))
    if followed < LEAST_STEPS:
        raise NotEnough(f"next_item needs {LEAST_STEPS} items liked after another one; this export has {followed}")
    windows = parameters.windows(steps.n, solve=parameters.solves(steps.n, steps.rows.size))
    report_progress = progress or (lambda done, most, word: None)
    table = _table(steps, windows, parameters, report_progress)
    arrays = {f"window_{number}": window for number, window in enumerate(windows)}
    return Trained("next_item", arrays | known.arrays(material, table, len(windows)), asdict(parameters))


def _table(
    steps: Steps, windows: tuple[Floats, ...], parameters: NextItemParameters, report_progress: Progress
) -> sparse.csr_array:
    if not parameters.solves(steps.n, steps.rows.size):
        report_progress(1, 2, "counting transitions")
        return strongest_of(transitions(steps, windows[0], parameters), parameters.top_k)
    report_progress(1, 3, "counting transitions")
    gram, wanted = equations(steps, windows)
    gram[np.diag_indices_from(gram)] += np.float32(parameters.regularization)
    counts = np.maximum(np.bincount(steps.rows[steps.position > 0], minlength=steps.n), 1)
    scale = (counts**parameters.popularity).astype(np.float32)
    report_progress(2, 3, f"solving for {steps.n:,} items")
    return strongest(solved(gram, wanted / scale), parameters.top_k)


def equations(steps: Steps, windows: tuple[Floats, ...]) -> tuple[Floats, Floats]:
    """X'X, (w * n, w * n), and X'Y, (w * n, n), of all positions after the first.

    X has one row per position: both windows before it. X is never built: each pair of a user's items adds to X'X once, with
    the sum over all windows that contain both.
    """
    n = steps.n
    gram = np.zeros((len(windows) * n, len(windows) * n), dtype=np.float32)
    wanted = np.zeros((len(windows) * n, n), dtype=np.float32)
    for first, first_window in enumerate(windows):
        for back in range(1, first_window.size + 1):
            earlier, later = steps.apart(back)
            np.add.at(wanted, (steps.rows[earlier] + first * n, steps.rows[later]), first_window[back - 1])
        for second, second_window in enumerate(windows):
            for rows, columns, shares in _held_together(steps, first_window, second_window):
                np.add.at(gram, (rows + first * n, columns + second * n), shares)
    return gram, wanted


def _held_together(steps: Steps, first_window: Floats, second_window: Floats) -> Iterator[tuple[Ints, Ints, Floats]]:
    """Rows of pairs of a user's items, and the sum of weight products over the windows that contain both."""
    for back in range(second_window.size):  # the item of the first window is the later one
        yield from _pairs(steps, first_window, second_window, back, swapped=False)
    for back in range(1, first_window.size):  # the item of the first window is the earlier one
        yield from _pairs(steps, second_window, first_window, back, swapped=True)


def _pairs(steps: Steps, near: Floats, far: Floats, back: int, *, swapped: bool) -> Iterator[tuple[Ints, Ints, Floats]]:
    overlap = min(near.size, far.size - back)
    if overlap <= 0:
        return
    sums = np.concatenate([[0], np.cumsum(near[:overlap] * far[back : back + overlap])]).astype(np.float32)
    earlier, later = steps.apart(back)
    shares = sums[np.minimum(steps.left[later], overlap)]  # the windows before each of the later items
    rows = (steps.rows[earlier], steps.rows[later]) if swapped else (steps.rows[later], steps.rows[earlier])
    yield rows[0], rows[1], shares


def transitions(steps: Steps, window: Floats, parameters: NextItemParameters) -> sparse.csr_array:
    """(n, n) transitions from each item, decaying with distance: used where the system is not solved.

    On sparse data the order of two consecutive likes is partly random, so the reverse direction counts, too. Distances are
    added one at a time, which bounds the memory.
    """
    table = sparse.csr_array((steps.n, steps.n), dtype=np.float32)
    for back, weight in enumerate(window[window >= LEAST_WEIGHT], start=1):
        earlier, later = steps.apart(back)
        cells = (steps.rows[earlier], steps.rows[later])
        table = sparse.csr_array(table + sparse.coo_array((np.full(later.size, weight), cells), shape=table.shape))
    if parameters.backwards > 0:
        table = sparse.csr_array(table + np.float32(parameters.backwards) * table.T)
    counts = np.maximum(np.bincount(steps.rows, minlength=steps.n), 1)
    table.data *= np.repeat(counts**-parameters.rarity, np.diff(table.indptr)).astype(np.float32)
    table.data *= (counts[table.indices] ** -parameters.popularity).astype(np.float32)
    return sparse.csr_array(table)
