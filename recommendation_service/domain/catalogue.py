"""The recommendable items of one kind, as arrays in row order."""

from array import array
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np
from scipy import sparse

from recommendation_service.core.numeric import Bools, Floats, Ints
from recommendation_service.domain.idmap import IdMap
from recommendation_service.domain.side import PairSide


@dataclass(frozen=True, slots=True, eq=False)
class Facet:
    """One many-valued property of the items, such as category or tags."""

    values: tuple[str, ...]
    matrix: sparse.csr_array  # (n_items, n_values) of 0/1 float32

    def mask(self, wanted: Iterable[str]) -> Bools:
        """Return (n_items,), True if the item has at least one of the values; letter case is ignored."""
        folded = {value.casefold() for value in wanted}
        columns = np.array([value.casefold() in folded for value in self.values], dtype=np.float32)
        return np.asarray(self.matrix @ columns > 0, dtype=np.bool_)

    def of(self, row: int) -> tuple[str, ...]:
        """Return the values of one item."""
        start, stop = self.matrix.indptr[row], self.matrix.indptr[row + 1]
        return tuple(self.values[column] for column in self.matrix.indices[start:stop])

    @classmethod
    def build(cls, per_item: Sequence[Sequence[str]]) -> "Facet":
        """Return the facet for the values of each item, in row order."""
        builder = FacetBuilder()
        for row, values in enumerate(per_item):
            builder.add(row, values)
        return builder.facet(len(per_item))


class FacetBuilder:
    """Collects the values of one facet item by item, in eight bytes each and without an object per item."""

    def __init__(self) -> None:
        self._codes: dict[str, int] = {}
        self._rows, self._columns = array("i"), array("i")

    def add(self, row: int, values: Iterable[str]) -> None:
        """Add the values of the item at `row`; repeats count once."""
        for value in set(values):
            self._rows.append(row)
            self._columns.append(self._codes.setdefault(value, len(self._codes)))

    def facet(self, n_items: int) -> Facet:
        """Return the facet of `n_items` items; those that were not added have no value."""
        values = tuple(sorted(self._codes))
        place = np.empty(len(values), dtype=np.int32)  # code -> index in `values`
        place[[self._codes[value] for value in values]] = np.arange(len(values))
        rows, codes = (np.array(side, dtype=np.int32) for side in (self._rows, self._columns))
        ones = np.ones(rows.size, dtype=np.float32)
        return Facet(values, sparse.csr_array((ones, (rows, place[codes])), shape=(n_items, len(values))))


@dataclass(frozen=True, slots=True, eq=False)
class Catalogue:
    """Items of one kind. The row of an item identifies it inside the service."""

    name: str
    ids: IdMap
    titles: tuple[str, ...]
    popularity: Floats  # (n,) sum of positive interaction weights; repeats within a day count once
    created: Floats  # (n,) days since 1970-01-01 UTC, NaN when unknown
    facets: Mapping[str, Facet] = field(default_factory=dict)  # "category", "tags" and every filterable attribute
    available: Bools | None = None  # (n,) False: not available now, such as out of stock; None: all are
    side: PairSide | None = None  # columns by which pairs with the items are scored; None: the site declares none

    def __len__(self) -> int:
        return len(self.ids)

    def known_rows(self, item_ids: Sequence[str]) -> Ints:
        """Return the rows of the ids that are in this catalogue, in their order."""
        rows = self.ids.rows(item_ids)
        return rows[rows >= 0]
