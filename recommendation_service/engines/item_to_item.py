"""Engines whose scores are sums of what a person's items say about every other item: a sparse table, one row an item."""

from abc import abstractmethod
from dataclasses import dataclass

import numpy as np
from scipy import sparse

from recommendation_service.core.numeric import AnyArray, Bools, Floats, Ints
from recommendation_service.domain.catalogue import Catalogue
from recommendation_service.domain.query import Query
from recommendation_service.domain.slate import Reason
from recommendation_service.engines.alignment import Alignment, Taste, array, csr
from recommendation_service.engines.base import Engine
from recommendation_service.engines.latest import Latest
from recommendation_service.engines.reason_texts import because
from recommendation_service.publishing.store import Artifact


@dataclass(frozen=True, slots=True, eq=False)
class Told:
    """What one query's items bring: the stored places of the table rows that they name, one row after the other."""

    taste: Taste  # the items, newest first
    columns: Ints  # (z,) artifact rows that something is said of
    values: Floats  # (z,) what is said, weighed
    ends: Ints  # (r,) where each table row's places end
    of: Ints  # (r,) the item of `taste` that brings each table row

    def shares(self, own: int) -> AnyArray:
        """(k,) what each item of `taste` adds to the score of artifact row `own`."""
        places = np.flatnonzero(self.columns == own)
        owners = self.of[np.searchsorted(self.ends, places, side="right")]
        return np.bincount(owners, weights=self.values[places], minlength=self.taste.rows.size)


@dataclass(frozen=True, slots=True, eq=False)
class Table:
    """The model's arrays, items in the artifact's row order; `blocks` tables one below the other."""

    rows: sparse.csr_array  # (blocks * n, n)
    known: Bools  # (n,) False: nobody liked it in training, so nothing can be said of it

    @classmethod
    def of(cls, artifact: Artifact, blocks: int = 1) -> "Table":
        """Raises ArtifactRefused naming what does not fit."""
        counts = array(artifact, "item_counts", (None,), kinds="iu")
        rows = csr(artifact, "indptr", "indices", "values", (blocks * counts.size, counts.size))
        return cls(rows, np.asarray(counts > 0))


class ItemSums(Engine):
    """Sums of table rows. An item nobody liked in training is unknown: NaN."""

    def __init__(self, name: str, version: str, catalogue: Catalogue, alignment: Alignment, table: Table) -> None:
        """`table` is in the artifact's row order."""
        super().__init__(name, version)
        self._titles = catalogue.titles
        self._alignment = alignment
        self._table = table
        self._unknown = np.flatnonzero(~table.known)
        self._latest: Latest[Told | None] = Latest()

    @abstractmethod
    def weighed(self, taste: Taste, own: Ints) -> tuple[Ints, Floats, Ints]:
        """Rows of the table, their weights, and the place in `taste` of each, for known items with artifact rows `own`."""

    def scores(self, query: Query) -> Floats | None:
        """One sum an item; None without a known liked item."""
        told = self._latest.keep(query, self._told(query))
        if told is None:
            return None
        found = np.bincount(told.columns, weights=told.values, minlength=self._table.known.size).astype(np.float32)
        found[self._unknown] = np.nan
        return self._alignment.scatter(found)

    def explain(self, query: Query, row: int) -> Reason | None:
        """The item of the history (or subject) that adds most to this row's score."""
        told = self._latest.of(query) or self._latest.keep(query, self._told(query))
        own = int(self._alignment.artifact_rows[row])
        if told is None or own < 0 or not self._table.known[own]:
            return None
        shares = told.shares(own)
        best = int(np.argmax(shares))
        if shares[best] <= 0:
            return None
        text = because(self._titles[told.taste.rows[best]], of_subject=told.taste.from_subject)
        return Reason(self.name, text, float(shares[best]))

    def _told(self, query: Query) -> Told | None:
        liked = Taste.of(query).liked()
        known = self._alignment.known(liked.rows)
        known[known] = self._table.known[self._alignment.artifact_rows[liked.rows[known]]]
        liked = liked.within(known)
        if not liked.rows.size:
            return None
        rows, weights, of = self.weighed(liked, self._alignment.artifact_rows[liked.rows])
        return Told(liked, *walked(self._table.rows, rows, weights), of)


def walked(table: sparse.csr_array, rows: Ints, weights: Floats) -> tuple[Ints, Floats, Ints]:
    """Columns (z,) and weighed values (z,) of `rows` (r,) of a sparse table, and where each row's places end, (r,).

    Slicing and multiplying sparse matrices costs several times as much as copying the stored places once.
    """
    starts, stops = table.indptr[rows], table.indptr[rows + 1]
    stretches = [slice(start, stop) for start, stop in zip(starts.tolist(), stops.tolist(), strict=True)]
    columns = np.concatenate([table.indices[:0], *(table.indices[one] for one in stretches)])
    values = np.concatenate([table.data[:0], *(table.data[one] for one in stretches)])
    sizes = stops - starts
    values *= np.repeat(weights, sizes)
    return columns, values, np.cumsum(sizes)
