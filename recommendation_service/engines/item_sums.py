"""Engines whose scores are sums of what a person's items say about every other item: a sparse table, one row an item."""

from abc import abstractmethod
from dataclasses import dataclass
from typing import Any

import numpy as np
from scipy import sparse

from recommendation_service.artifacts.store import Artifact
from recommendation_service.domain.catalogue import Catalogue
from recommendation_service.domain.query import Query
from recommendation_service.domain.slate import Reason
from recommendation_service.engines.base import Engine
from recommendation_service.engines.latest import Latest
from recommendation_service.engines.vectors import Alignment, Taste, array, csr
from recommendation_service.engines.wording import because
from recommendation_service.numeric import Bools, Floats, Ints


@dataclass(frozen=True, slots=True, eq=False)
class Told:
    """What one query's items bring: each names one row of the table or several."""

    taste: Taste  # the items, newest first
    rows: Ints  # (r,) rows of the table
    weights: Floats  # (r,)
    of: Ints  # (r,) the item of `taste` that brings each row


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
        found = summed(self._table.rows, told.rows, told.weights)
        found[self._unknown] = np.nan
        return self._alignment.scatter(found)

    def explain(self, query: Query, row: int) -> Reason | None:
        """The item of the history (or subject) that adds most to this row's score."""
        told = self._latest.of(query) or self._latest.keep(query, self._told(query))
        own = int(self._alignment.artifact_rows[row])
        if told is None or own < 0 or not self._table.known[own]:
            return None
        column = np.asarray(self._table.rows[told.rows][:, [own]].toarray()).ravel()
        shares = np.bincount(told.of, weights=column * told.weights, minlength=told.taste.rows.size)
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
        return Told(liked, *self.weighed(liked, self._alignment.artifact_rows[liked.rows]))


def summed(table: sparse.csr_array, rows: Ints, weights: Floats) -> Floats:
    """(n,) float32 sum of `rows` (r,) of a sparse (m, n) table, each times its weight.

    Slicing and multiplying sparse matrices costs several times as much as walking the stored places once.
    """
    starts, sizes = table.indptr[rows], np.diff(table.indptr)[rows]
    ends = np.cumsum(sizes)
    places = np.arange(ends[-1] if ends.size else 0) + np.repeat(starts - (ends - sizes), sizes)
    values: Any = table.data[places] * np.repeat(weights, sizes)
    return np.bincount(table.indices[places], weights=values, minlength=table.shape[1]).astype(np.float32)
