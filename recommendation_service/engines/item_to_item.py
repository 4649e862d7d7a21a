"""Engines whose scores are sums over a user's items: EASE, item kNN and next item, each a sparse table of items by items."""

from abc import abstractmethod
from dataclasses import dataclass
from typing import ClassVar

import numpy as np
from scipy import sparse

from recommendation_service.core.numeric import AnyArray, Bools, Floats, Ints
from recommendation_service.domain.catalogue import Catalogue
from recommendation_service.domain.query import Query
from recommendation_service.domain.slate import Reason
from recommendation_service.engines.alignment import LikedItems, array, csr
from recommendation_service.engines.base import ModelEngine
from recommendation_service.engines.reason_texts import strongest_liked
from recommendation_service.publishing.store import Artifact

MAX_WINDOWS = 2


@dataclass(frozen=True, slots=True, eq=False)
class Contributions:
    """What the items of one query add: the entries of their table rows, one row after the other."""

    liked: LikedItems
    columns: Ints  # (z,) artifact rows
    values: Floats  # (z,) weighted
    ends: Ints  # (r,) where the entries of each table row end
    owners: Ints  # (r,) index in `liked` of each table row

    def shares(self, rows: Ints) -> AnyArray:
        """Return (k, n), what each item of `liked` adds to the score of each of the artifact `rows` (n,)."""
        order = np.argsort(rows, kind="stable")
        index = np.minimum(np.searchsorted(rows, self.columns, sorter=order), rows.size - 1)
        entries = np.flatnonzero(rows[order[index]] == self.columns)
        owners = self.owners[np.searchsorted(self.ends, entries, side="right")]
        shares = np.zeros((self.liked.rows.size, rows.size))
        np.add.at(shares, (owners, order[index[entries]]), self.values[entries])
        return shares


@dataclass(frozen=True, slots=True, eq=False)
class Table:
    """The model's arrays, items in the artifact's row order; `blocks` tables one below the other."""

    rows: sparse.csr_array  # (blocks * n, n)
    known: Bools  # (n,) False: without a like in training, so no prediction

    @classmethod
    def of(cls, artifact: Artifact, blocks: int = 1) -> "Table":
        """Read and check the arrays. Raises ArtifactRefused, which names the wrong one."""
        counts = array(artifact, "item_counts", (None,), kinds="iu")
        rows = csr(artifact, "indptr", "indices", "values", (blocks * counts.size, counts.size))
        return cls(rows, np.asarray(counts > 0))


class ItemSums(ModelEngine):
    """Sums of table rows. No prediction (NaN) for an item without a like in training."""

    blocks = 1  # tables one below the other

    def __init__(self, name: str, artifact: Artifact, catalogue: Catalogue) -> None:
        """As of every ModelEngine, from a model with a sparse table of items by items."""
        super().__init__(name, artifact, catalogue)
        self._table = Table.of(artifact, self.blocks)
        self._unknown = np.flatnonzero(~self._table.known)

    @abstractmethod
    def weighted_rows(self, liked: LikedItems, model_rows: Ints) -> tuple[Ints, Floats, Ints]:
        """Return rows of the table, their weights, and the index in `liked` of each; `model_rows` are those of `liked`."""

    def read(self, query: Query) -> Contributions | None:
        """Return what each known liked item adds; None without such items."""
        liked = self._alignment.known(LikedItems.of(query).positive(), self._table.known)
        if not liked.rows.size:
            return None
        rows, weights, owners = self.weighted_rows(liked, self._alignment.artifact_rows[liked.rows])
        return Contributions(liked, *weighted_entries(self._table.rows, rows, weights), owners)

    def score(self, basis: Contributions) -> Floats:
        """Return one sum per item."""
        scores = np.bincount(basis.columns, weights=basis.values, minlength=self._table.known.size).astype(np.float32)
        scores[self._unknown] = np.nan
        return scores

    def reasons(self, query: Query, basis: Contributions, rows: Ints, model_rows: Ints) -> list[tuple[Reason, ...]]:
        """Return the item of the history (or subject) that adds most to the score of each row."""
        shares = basis.shares(model_rows)
        shares[:, (model_rows < 0) | ~self._table.known[model_rows]] = 0
        return strongest_liked(self.name, self._catalogue.titles, basis.liked, shares)


class Ease(ItemSums):
    """EASE, Steck (2019): the sum of the liked items' rows, without the weights of the likes, as in training."""

    label: ClassVar[str] = "EASE"

    def weighted_rows(self, liked: LikedItems, model_rows: Ints) -> tuple[Ints, Floats, Ints]:
        """Return every item's row once."""
        return model_rows, np.ones(model_rows.size, dtype=np.float32), np.arange(model_rows.size)


class ItemKNN(ItemSums):
    """Item kNN, Deshpande & Karypis (2004): the sum of similarities to the liked items, times the weights of the likes."""

    label: ClassVar[str] = "item kNN"

    def weighted_rows(self, liked: LikedItems, model_rows: Ints) -> tuple[Ints, Floats, Ints]:
        """Return every item's row once, with the weight of its like: recent and strong choices count more."""
        return model_rows, liked.weights, np.arange(model_rows.size)


class NextItem(ItemSums):
    """What usually follows a user's newest items: windows of fading weight over them, each with a block of the table."""

    label: ClassVar[str] = "next item"

    def __init__(self, name: str, artifact: Artifact, catalogue: Catalogue) -> None:
        """As of every ModelEngine, from a model of kind "next_item"."""
        stored = [f"window_{number}" for number in range(MAX_WINDOWS) if f"window_{number}" in artifact.arrays]
        # weights of the newest item, the one before it, and so on
        self._windows = tuple(array(artifact, window, (None,)) for window in stored or ["window_0"])
        self.blocks = len(self._windows)
        super().__init__(name, artifact, catalogue)

    def weighted_rows(self, liked: LikedItems, model_rows: Ints) -> tuple[Ints, Floats, Ints]:
        """Return each window's newest items with its weights. Subjects have no order: all count as the newest."""
        n, windows = self._table.known.size, self._windows
        sizes = [model_rows.size if liked.from_subject else min(model_rows.size, window.size) for window in windows]
        weights = [
            np.full(size, window[0]) if liked.from_subject else window[:size]
            for window, size in zip(windows, sizes, strict=True)
        ]
        return (
            np.concatenate([model_rows[:size] + block * n for block, size in enumerate(sizes)]),
            np.concatenate(weights).astype(np.float32),
            np.concatenate([np.arange(size) for size in sizes]),
        )


def weighted_entries(table: sparse.csr_array, rows: Ints, weights: Floats) -> tuple[Ints, Floats, Ints]:
    """Return columns (z,) and weighted values (z,) of `rows` (r,) of a sparse table, and the ends of each row's entries, (r,).

    Slicing and multiplying sparse matrices costs several times as much as copying the entries once.
    """
    starts, stops = table.indptr[rows], table.indptr[rows + 1]
    slices = [slice(start, stop) for start, stop in zip(starts.tolist(), stops.tolist(), strict=True)]
    columns = np.concatenate([table.indices[:0], *(table.indices[row] for row in slices)])
    values = np.concatenate([table.data[:0], *(table.data[row] for row in slices)])
    sizes = stops - starts
    values *= np.repeat(weights, sizes)
    return columns, values, np.cumsum(sizes)
