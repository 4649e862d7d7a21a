"""Square tables of what one item says about another, kept as their strongest places: what item-to-item engines serve."""

from dataclasses import dataclass

import numpy as np
from scipy import sparse

from recommendation_service.core.numeric import AnyArray, Floats, Ints
from recommendation_service.training.user_histories import Pasts

ROWS_AT_ONCE = 512
SAMPLED = 8  # of a wide row every eighth place tells roughly from which size on the strongest begin
QUICKLY = 5_000  # items whose equations are solved in seconds
DENSE = 30.0  # people an item from which solving for more of them is worth minutes: with fewer, counting knows as much


def worth_solving(n_items: int, likings: int, most: int) -> bool:
    """Whether equations between so many liked items shall be solved in closed form; never for more than `most`."""
    return n_items <= most and (n_items <= QUICKLY or likings >= DENSE * n_items)


@dataclass(frozen=True, slots=True, eq=False)
class Known:
    """The items somebody liked: the only ones such a table can speak of. `rows` are theirs in the catalogue."""

    rows: Ints  # (n,)
    counts: Ints  # (n_items,) people who liked each item of the catalogue

    @classmethod
    def of(cls, pasts: Pasts) -> "Known":
        """Those of these pasts."""
        counts = np.bincount(pasts.liked().rows, minlength=pasts.n_items)
        return cls(np.flatnonzero(counts).astype(np.int64), counts.astype(np.int64))

    def places(self) -> Ints:
        """(n_items,) place of each catalogue row among the known ones, -1 for the others."""
        found = np.full(self.counts.size, -1, dtype=np.int64)
        found[self.rows] = np.arange(self.rows.size)
        return found

    def spread(self, table: sparse.csr_array, blocks: int = 1) -> sparse.csr_array:
        """A (blocks * n, n) table among the known items as (blocks * n_items, n_items), the others' rows empty."""
        n, wide = self.rows.size, self.counts.size
        found = table.tocoo()
        rows = self.rows[found.row % n] + wide * (found.row // n)
        return sparse.csr_array((found.data, (rows, self.rows[found.col])), shape=(blocks * wide, wide))


def strongest(table: Floats, most: int) -> sparse.csr_array:
    """Each row's `most` places of the largest size, positive or negative; zeros are never kept."""
    n_rows, n_columns = table.shape
    kept = min(most, n_columns)
    wide = n_columns > 4 * SAMPLED * kept
    parts = []
    for start in range(0, n_rows, ROWS_AT_ONCE):
        block = table[start : start + ROWS_AT_ONCE]
        if kept == n_columns:
            columns = np.broadcast_to(np.arange(n_columns), block.shape)
        elif wide:
            columns = np.stack([_largest(row, kept) for row in np.abs(block)])
        else:
            columns = np.argpartition(-np.abs(block), kept - 1, axis=1)[:, :kept]
        values = np.take_along_axis(block, columns, axis=1)
        rows = np.repeat(np.arange(block.shape[0]), kept)
        part = sparse.csr_array((values.ravel(), (rows, columns.ravel())), shape=block.shape)
        part.eliminate_zeros()
        parts.append(part)
    found = sparse.csr_array(sparse.vstack(parts))
    found.sort_indices()
    return found


def _largest(sizes: Floats, kept: int) -> Ints:
    """(kept,) places of the largest of (n,) sizes: those above a bound that a sample gives, exactly among these."""
    sample = sizes[::SAMPLED]
    place = sample.size - 2 * kept // SAMPLED - 1  # twice as many as are wanted, so the bound is seldom too high
    bound = np.partition(sample, place)[place]
    likely = np.flatnonzero(sizes >= bound)
    if likely.size < kept:
        likely = np.arange(sizes.size)
    if likely.size == kept:
        return likely
    return likely[np.argpartition(-sizes[likely], kept - 1)[:kept]]


def strongest_of(table: sparse.csr_array, most: int) -> sparse.csr_array:
    """As `strongest`, of a table that is sparse already."""
    rows = np.repeat(np.arange(table.shape[0]), np.diff(table.indptr))
    order = np.lexsort((-np.abs(table.data), rows))
    place = np.arange(order.size) - table.indptr[rows[order]]
    kept = np.sort(order[place < most])
    found = sparse.csr_array((table.data[kept], (rows[kept], table.indices[kept])), shape=table.shape)
    found.sort_indices()
    return found


def arrays_of(table: sparse.csr_array) -> dict[str, AnyArray]:
    """The three arrays of a sparse table as they are published."""
    return {
        "indptr": table.indptr.astype(np.int64),
        "indices": table.indices.astype(np.int32),
        "values": table.data.astype(np.float32),
    }
