"""Three ways from who liked what to which item goes with which: exactly, by the main directions of taste, by neighbours.

All are one filter of the table N'N, with N the likings divided by powers of how many somebody has and how many like an
item (`normalised`): ridge regression passes an eigenvalue s as s / (s + lambda).

`closed_form` inverts, with an empty diagonal (Steck 2019). `graph_filter` passes the largest eigenvalues as ridge
regression does and all others by one factor, after Shen et al. (2021), "How Powerful is Graph Convolution for
Recommendation?": it needs no square table, so it serves any number of items. `neighbours` passes all by one factor: a
cosine with free exponents (Deshpande & Karypis 2004; Aiolli 2013).
"""

import os
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

import numpy as np
from scipy import sparse
from threadpoolctl import threadpool_limits

from recommendation_service.core.numeric import AnyArray, Floats
from recommendation_service.training.models.item_to_item import strongest
from recommendation_service.training.models.linear import cores_for, inverse_of

ROWS_AT_ONCE = 128
PASSES = 3  # of the subspace iteration; more change the lists no longer
MORE = 16  # directions followed beyond those that are kept, so that the last ones are found too


def normalised(likings: sparse.csr_array, activity: float, popularity: float) -> sparse.csr_array:
    """(n_users, n) likings over (somebody's items)^(activity / 2) and (an item's people)^popularity."""
    values = np.maximum(np.diff(likings.indptr), 1).astype(np.float64)
    by_person = np.repeat(values ** (-activity / 2), np.diff(likings.indptr))
    by_item = (people_of(likings) ** -popularity)[likings.indices]
    values = (likings.data * by_person * by_item).astype(np.float32)
    return sparse.csr_array((values, likings.indices, likings.indptr), shape=likings.shape)


def people_of(likings: sparse.csr_array) -> AnyArray:
    """(n,) how many people like each item, at least 1."""
    return np.maximum(np.bincount(likings.indices, minlength=likings.shape[1]), 1).astype(np.float64)


def ridge_of(likings: sparse.csr_array, even: sparse.csr_array, regularization: float) -> float:
    """The ridge's lambda for the normalised table, such that it weighs as much as `regularization` people in the plain one."""
    return regularization * float(
        np.square(even.data, dtype=np.float64).sum() / np.square(likings.data, dtype=np.float64).sum()
    )


def closed_form(even: sparse.csr_array, ridge: float) -> Floats:
    """(n, n) solution B = I - P / diag(P), with P the inverse of N'N + ridge I; the diagonal is zero."""
    gram = np.asarray((even.T @ even).toarray(), dtype=np.float32, order="F")
    gram[np.diag_indices_from(gram)] += np.float32(ridge)
    result = inverse_of(gram)
    result /= -np.diag(result).copy()
    np.fill_diagonal(result, 0)
    return result


def graph_filter(even: sparse.csr_array, ridge: float, vectors: int, rarity: Floats, top_k: int) -> sparse.csr_array:
    """(n, n) the `kept` strongest places of each row of the filtered table, rows times `rarity` (n,), no item with itself.

    Eigenvalues beyond the `vectors` largest pass by the factor at which the curve of the ridge leaves the last of these.
    """
    directions, values = main_directions(even, min(vectors, even.shape[1] - 1))
    factor = 1 / (ridge + float(values[-1]))
    bend = (values / (values + ridge) - factor * values).astype(np.float32)
    bent = np.ascontiguousarray((directions * bend).T)

    def some(start: int, stop: int) -> Floats:
        table: Floats = directions[start:stop] @ bent
        near = sparse.csr_array(turned[start:stop] @ even)
        owner = np.repeat(np.arange(stop - start), np.diff(near.indptr))
        table[owner, near.indices] += near.data * np.float32(factor)
        table *= rarity[start:stop, None]
        return table

    turned = sparse.csr_array(even.T)
    return _by_blocks(some, even.shape[1], top_k)


def neighbours(even: sparse.csr_array, rarity: Floats, top_k: int) -> sparse.csr_array:
    """(n, n) the `kept` strongest of what each item shares with others, rows times `rarity` (n,); none with itself."""
    turned = sparse.csr_array(even.T)

    def some(start: int, stop: int) -> Floats:
        table = np.asarray((turned[start:stop] @ even).toarray(), dtype=np.float32)
        return table * rarity[start:stop, None]

    return _by_blocks(some, even.shape[1], top_k)


def main_directions(even: sparse.csr_array, most: int) -> tuple[Floats, Floats]:
    """(n, k) eigenvectors of N'N and their (k,) values, largest first, by subspace iteration (Halko et al. 2011).

    The same for the same table: where it starts is drawn with a fixed seed.
    """
    width = min(most + MORE, *even.shape)
    turned = sparse.csr_array(even.T)
    result: Floats = np.random.default_rng(0).standard_normal((even.shape[1], width), dtype=np.float32)
    with cores_for(width * 4):
        for _ in range(PASSES):
            result = np.linalg.qr(turned @ (even @ result))[0]
        seen = even @ result
        values, vectors = np.linalg.eigh((seen.T @ seen).astype(np.float64))
    order = np.argsort(-values)[:most]
    return np.asarray(result @ vectors[:, order].astype(np.float32)), np.maximum(values[order], 0)


def _by_blocks(some: Callable[[int, int], Floats], n: int, top_k: int) -> sparse.csr_array:
    """The strongest of every row of a table that is worked out some rows at a time, on all cores."""

    def block(start: int) -> sparse.csr_array:
        table = some(start, min(start + ROWS_AT_ONCE, n))
        diagonal = np.arange(table.shape[0])
        table[diagonal, diagonal + start] = 0
        return strongest(table, top_k)

    with threadpool_limits(1, user_api="blas"), ThreadPoolExecutor(min(4, os.cpu_count() or 1)) as pool:
        return sparse.csr_array(sparse.vstack(list(pool.map(block, range(0, n, ROWS_AT_ONCE)))))
