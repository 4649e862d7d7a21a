"""Engines whose scores are sums over a user's items: a sparse table with one row per item."""

from abc import abstractmethod
from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from scipy import sparse

from recommendation_service.core.numeric import AnyArray, Bools, Floats, Ints
from recommendation_service.domain.catalogue import Catalogue
from recommendation_service.domain.query import Query
from recommendation_service.domain.slate import Reason
from recommendation_service.engines.alignment import Alignment, LikedItems, array, csr
from recommendation_service.engines.base import Engine
from recommendation_service.engines.reason_texts import strongest_liked
from recommendation_service.publishing.store import Artifact


@dataclass(frozen=True, slots=True, eq=False)
class Contributions:
    """What the items of one query add: the entries of their table rows, one row after the other."""

    liked: LikedItems
    columns: Ints  # (z,) artifact rows
    values: Floats  # (z,) weighted
    ends: Ints  # (r,) where the entries of each table row end
    owners: Ints  # (r,) index in `liked` of each table row

    def shares(self, rows: Ints) -> AnyArray:
        """(k, n) what each item of `liked` adds to the score of each of the artifact `rows` (n,)."""
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
        """Raises ArtifactRefused naming what does not fit."""
        counts = array(artifact, "item_counts", (None,), kinds="iu")
        rows = csr(artifact, "indptr", "indices", "values", (blocks * counts.size, counts.size))
        return cls(rows, np.asarray(counts > 0))


class ItemSums(Engine):
    """Sums of table rows. No prediction (NaN) for an item without a like in training."""

    def __init__(self, name: str, version: str, catalogue: Catalogue, alignment: Alignment, table: Table) -> None:
        """`table` is in the artifact's row order."""
        super().__init__(name, version)
        self._titles = catalogue.titles
        self._alignment = alignment
        self._table = table
        self._unknown = np.flatnonzero(~table.known)

    @abstractmethod
    def weighted_rows(self, liked: LikedItems, model_rows: Ints) -> tuple[Ints, Floats, Ints]:
        """Rows of the table, their weights, and the index in `liked` of each, for known items with artifact rows `own`."""

    def scores(self, query: Query) -> Floats | None:
        """One sum per item; None without a known liked item."""
        added = self._contributions(query)
        if added is None:
            return None
        scores = np.bincount(added.columns, weights=added.values, minlength=self._table.known.size).astype(np.float32)
        scores[self._unknown] = np.nan
        return self._alignment.scatter(scores)

    def explain(self, query: Query, rows: Ints, parts: Mapping[str, Floats] | None = None) -> list[tuple[Reason, ...]]:
        """The item of the history (or subject) that adds most to the score of each row."""
        added = self._contributions(query)
        if added is None or not rows.size:
            return [()] * rows.size
        model_rows = self._alignment.artifact_rows[rows]
        shares = added.shares(model_rows)
        shares[:, (model_rows < 0) | ~self._table.known[model_rows]] = 0
        return strongest_liked(self.name, self._titles, added.liked, shares)

    def _contributions(self, query: Query) -> Contributions | None:
        liked = self._alignment.known(LikedItems.of(query).positive(), self._table.known)
        if not liked.rows.size:
            return None
        rows, weights, owners = self.weighted_rows(liked, self._alignment.artifact_rows[liked.rows])
        return Contributions(liked, *weighted_entries(self._table.rows, rows, weights), owners)


def weighted_entries(table: sparse.csr_array, rows: Ints, weights: Floats) -> tuple[Ints, Floats, Ints]:
    """Columns (z,) and weighted values (z,) of `rows` (r,) of a sparse table, and where each row's entries end, (r,).

    Slicing and multiplying sparse matrices costs several times as much as copying the entries once.
    """
    starts, stops = table.indptr[rows], table.indptr[rows + 1]
    slices = [slice(start, stop) for start, stop in zip(starts.tolist(), stops.tolist(), strict=True)]
    columns = np.concatenate([table.indices[:0], *(table.indices[row] for row in slices)])
    values = np.concatenate([table.data[:0], *(table.data[row] for row in slices)])
    sizes = stops - starts
    values *= np.repeat(weights, sizes)
    return columns, values, np.cumsum(sizes)
