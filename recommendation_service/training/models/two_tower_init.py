"""Initial vectors of a two-tower model that already know which item follows which, so that training only refines them."""

import numpy as np
from scipy import sparse
from sklearn.utils.extmath import randomized_svd

from recommendation_service.core.numeric import AnyArray, Floats
from recommendation_service.training.models.two_tower_data import Lists

BACK = 5  # previous positions that count
PASSES = 5  # power iterations of the factorization; training makes more unnecessary
LEAST_ITEMS = 3  # with at least one like


def start_vectors(history: Lists, n_items: int, dimension: int, decay: float) -> tuple[Floats, Floats] | None:
    """(n_items, dimension) input vectors and target vectors of the items, with mean length 1; None: too little data.

    Their dot product approximates the log of how many times more often than at random one item follows the other within five
    positions, each position weighted by `decay`: a factorized table of pointwise mutual information (Levy & Goldberg
    2014). Rows of items without likes are 0.
    """
    table = _followed(history, n_items, decay)
    length = min(dimension, np.unique(table.row).size - 1, np.unique(table.col).size - 1)
    if length < LEAST_ITEMS - 1:
        return None
    before, after = (np.asarray(table.sum(axis=axis)).ravel() + 1 for axis in (1, 0))
    lift = table.data * table.data.sum() / (before[table.row] * after[table.col])
    weights = sparse.csr_array((np.log1p(lift).astype(np.float32), (table.row, table.col)), shape=table.shape)
    left, values, right = randomized_svd(weights, length, n_iter=PASSES, random_state=0)
    return _sized(left * np.sqrt(values), dimension), _sized(right.T * np.sqrt(values), dimension)


def _followed(history: Lists, n_items: int, decay: float) -> sparse.coo_array:
    """(n_items, n_items) weighted counts of the column being liked soon after the row."""
    users = np.repeat(np.arange(history.indptr.size - 1), np.diff(history.indptr))
    table = sparse.csr_array((n_items, n_items), dtype=np.float32)
    for back in range(1, BACK + 1):
        newer = np.flatnonzero(users[back:] == users[:-back])
        cells = (history.values[newer + back], history.values[newer])
        counted = np.full(newer.size, decay ** (back - 1), dtype=np.float32)
        table = table + sparse.coo_array((counted, cells), shape=table.shape).tocsr()
    return table.tocoo()


def _sized(vectors: AnyArray, dimension: int) -> Floats:
    result = np.zeros((vectors.shape[0], dimension), dtype=np.float32)
    lengths = np.sqrt(np.square(vectors).sum(axis=1))
    result[:, : vectors.shape[1]] = vectors / lengths[lengths > 0].mean()
    return result
