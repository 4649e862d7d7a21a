"""Item-to-item tables, reduced to the strongest entries per row, and the linear systems that some of them solve."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

import numpy as np
from scipy import sparse
from scipy.linalg import lapack
from threadpoolctl import threadpool_limits

from recommendation_service.core.numeric import AnyArray, Floats, Ints
from recommendation_service.errors import DatasetError
from recommendation_service.training.data import TrainingData
from recommendation_service.training.user_histories import UserHistories

ROWS_AT_ONCE = 512
SAMPLED = 8  # every eighth entry of a wide row is enough to estimate a lower bound of the strongest
QUICKLY = 5_000  # items for which the system is solved in seconds
MIN_ROWS_FOR_POOL = 1_500  # rows of a system from which a thread pool is faster
MOST_CORES = 4
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

    def arrays(self, material: TrainingData, table: sparse.csr_array, blocks: int = 1) -> dict[str, AnyArray]:
        """The published arrays of a (blocks * n, n) table of known items."""
        ids = {"item_ids": material.catalogue.ids.array, "item_counts": self.counts.astype(np.int32)}
        return ids | arrays_of(self.spread(table, blocks))


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


@contextmanager
def cores_for(rows: int) -> Iterator[None]:
    """Let linear algebra on a large matrix use the free cores; otherwise it uses one thread."""
    with threadpool_limits(min(MOST_CORES, free_cores()) if rows >= MIN_ROWS_FOR_POOL else 1, user_api="blas"):
        yield


def free_cores() -> int:
    """Number of cores that were idle during the last minute, at least 1; all cores where the system gives no load.

    The threads of a pool wait for each other: with one thread on a busy core, the whole pool was thirty times slower than
    a single thread.
    """
    cores = os.cpu_count() or 1
    others = os.getloadavg()[0] - 1 if hasattr(os, "getloadavg") else 0.0  # minus this process
    return max(1, min(cores, round(cores - others)))


def inverse_of(gram: Floats) -> Floats:
    """(n, n) inverse of a symmetric positive definite matrix, by its Cholesky factor. Raises DatasetError for any other."""
    with cores_for(gram.shape[0]):
        factor = _factor(gram)
        invert = lapack.spotri if factor.dtype == np.float32 else lapack.dpotri
        solution, _ = invert(factor, lower=1, overwrite_c=1)
    lower = np.tril(solution)
    return np.asarray(lower + np.tril(lower, -1).T, dtype=np.float32)


def solved(gram: Floats, wanted: Floats) -> Floats:
    """(n, m) solution of gram @ x = wanted for a symmetric positive definite gram. Raises DatasetError for any other."""
    with cores_for(gram.shape[0]):
        factor = _factor(gram)
        solve = lapack.spotrs if factor.dtype == np.float32 else lapack.dpotrs
        solution, _ = solve(factor, wanted.astype(factor.dtype, order="F"), lower=1, overwrite_b=1)
    return np.asarray(solution, dtype=np.float32)


def _factor(gram: Floats) -> AnyArray:
    factor, failed = lapack.spotrf(gram, lower=1)
    if failed:
        factor, failed = lapack.dpotrf(gram.astype(np.float64), lower=1)
    if failed:
        raise DatasetError("this site's table of items cannot be inverted; raise the regularization")
    return np.asarray(factor)
