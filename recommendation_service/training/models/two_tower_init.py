"""Where a two-tower model begins: at vectors that already tell what follows what, so that training only has to refine."""

import numpy as np
from scipy import sparse
from sklearn.utils.extmath import randomized_svd

from recommendation_service.core.numeric import AnyArray, Floats
from recommendation_service.training.models.two_tower_data import Lists

BACK = 5  # places ago that count as "just before"
PASSES = 5  # of the factorization over the table: training corrects what more of them would
LEAST_ITEMS = 3  # liked by somebody


def start_vectors(past: Lists, n_items: int, dimension: int, decay: float) -> tuple[Floats, Floats] | None:
    """(n_items, dimension) of each item as something liked before, and as something liked next, of mean length 1.

    Their dot product is near the logarithm of how many times more often than by chance one item followed the other at
    most five places later, each place counting `decay` of the one before it: a factorized table of pointwise mutual
    information, as word vectors are (Levy & Goldberg 2014). Rows of items that nobody liked are 0. None: too little.
    """
    table = _followed(past, n_items, decay)
    length = min(dimension, np.unique(table.row).size - 1, np.unique(table.col).size - 1)
    if length < LEAST_ITEMS - 1:
        return None
    before, after = (np.asarray(table.sum(axis=axis)).ravel() + 1 for axis in (1, 0))
    lift = table.data * table.data.sum() / (before[table.row] * after[table.col])
    weights = sparse.csr_array((np.log1p(lift).astype(np.float32), (table.row, table.col)), shape=table.shape)
    left, values, right = randomized_svd(weights, length, n_iter=PASSES, random_state=0)
    return _sized(left * np.sqrt(values), dimension), _sized(right.T * np.sqrt(values), dimension)


def _followed(past: Lists, n_items: int, decay: float) -> sparse.coo_array:
    """(n_items, n_items) how often the column was liked soon after the row."""
    users = np.repeat(np.arange(past.indptr.size - 1), np.diff(past.indptr))
    table = sparse.csr_array((n_items, n_items), dtype=np.float32)
    for back in range(1, BACK + 1):
        newer = np.flatnonzero(users[back:] == users[:-back])
        places = (past.values[newer + back], past.values[newer])
        counted = np.full(newer.size, decay ** (back - 1), dtype=np.float32)
        table = table + sparse.coo_array((counted, places), shape=table.shape).tocsr()
    return table.tocoo()


def _sized(vectors: AnyArray, dimension: int) -> Floats:
    found = np.zeros((vectors.shape[0], dimension), dtype=np.float32)
    lengths = np.sqrt(np.square(vectors).sum(axis=1))
    found[:, : vectors.shape[1]] = vectors / lengths[lengths > 0].mean()
    return found
