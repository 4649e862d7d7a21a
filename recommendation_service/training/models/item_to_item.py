"""Item-to-item tables, reduced to the strongest entries per row: what item-to-item engines serve."""

from dataclasses import dataclass

import numpy as np
from scipy import sparse

from recommendation_service.core.numeric import AnyArray, Floats, Ints
from recommendation_service.training.user_histories import UserHistories

ROWS_AT_ONCE = 512
SAMPLED = 8  # every eighth entry of a wide row is enough to estimate a lower bound of the strongest
QUICKLY = 5_000  # items for which the system is solved in seconds
DENSE = 30.0  # users per item from which a larger system is worth minutes; with fewer, counting is as good


def can_solve(n_items: int, likings: int, most: int) -> bool:
    """True if a system of this many liked items should be solved in closed form; never for more than `most`."""
    return n_items <= most and (n_items <= QUICKLY or likings >= DENSE * n_items)


@dataclass(frozen=True, slots=True, eq=False)
class Known:
    """The items with at least one like: the only ones in such a table. `rows` are their rows in the catalogue."""

    rows: Ints  # (n,)
    counts: Ints  # (n_items,) users who liked each item of the catalogue

    @classmethod
    def of(cls, histories: UserHistories) -> "Known":
        """Build from these histories."""
        counts = np.bincount(histories.liked().rows, minlength=histories.n_items)
        return cls(np.flatnonzero(counts).astype(np.int64), counts.astype(np.int64))

    def row_indices(self) -> Ints:
        """(n_items,) index of each catalogue row among the known items, -1 for the others."""
        result = np.full(self.counts.size, -1, dtype=np.int64)
        result[self.rows] = np.arange(self.rows.size)
        return result

    def spread(self, table: sparse.csr_array, blocks: int = 1) -> sparse.csr_array:
        """Expand a (blocks * n, n) table of known items to (blocks * n_items, n_items); other rows are empty."""
        n, wide = self.rows.size, self.counts.size
        result = table.tocoo()
        rows = self.rows[result.row % n] + wide * (result.row // n)
        return sparse.csr_array((result.data, (rows, self.rows[result.col])), shape=(blocks * wide, wide))


def strongest(table: Floats, most: int) -> sparse.csr_array:
    """The `most` entries with the largest absolute value of each row, without zeros."""
    n_rows, n_columns = table.shape
    k = min(most, n_columns)
    wide = n_columns > 4 * SAMPLED * k
    parts = []
    for start in range(0, n_rows, ROWS_AT_ONCE):
        block = table[start : start + ROWS_AT_ONCE]
        if k == n_columns:
            columns = np.broadcast_to(np.arange(n_columns), block.shape)
        elif wide:
            columns = np.stack([_largest(row, k) for row in np.abs(block)])
        else:
            columns = np.argpartition(-np.abs(block), k - 1, axis=1)[:, :k]
        values = np.take_along_axis(block, columns, axis=1)
        rows = np.repeat(np.arange(block.shape[0]), k)
        part = sparse.csr_array((values.ravel(), (rows, columns.ravel())), shape=block.shape)
        part.eliminate_zeros()
        parts.append(part)
    result = sparse.csr_array(sparse.vstack(parts))
    result.sort_indices()
    return result


def _largest(sizes: Floats, k: int) -> Ints:
    """(k,) indices of the largest of (n,) sizes: a sample gives a lower bound, then the exact largest above it."""
    sample = sizes[::SAMPLED]
    index = sample.size - 2 * k // SAMPLED - 1  # a margin of two, so that the bound is rarely too high
    bound = np.partition(sample, index)[index]
    likely = np.flatnonzero(sizes >= bound)
    if likely.size < k:
        likely = np.arange(sizes.size)
    if likely.size == k:
        return likely
    return likely[np.argpartition(-sizes[likely], k - 1)[:k]]


def strongest_of(table: sparse.csr_array, most: int) -> sparse.csr_array:
    """As `strongest`, for a sparse table."""
    rows = np.repeat(np.arange(table.shape[0]), np.diff(table.indptr))
    order = np.lexsort((-np.abs(table.data), rows))
    rank = np.arange(order.size) - table.indptr[rows[order]]
    selected = np.sort(order[rank < most])
    result = sparse.csr_array((table.data[selected], (rows[selected], table.indices[selected])), shape=table.shape)
    result.sort_indices()
    return result


def arrays_of(table: sparse.csr_array) -> dict[str, AnyArray]:
    """The three published arrays of a sparse table."""
    return {
        "indptr": table.indptr.astype(np.int64),
        "indices": table.indices.astype(np.int32),
        "values": table.data.astype(np.float32),
    }
