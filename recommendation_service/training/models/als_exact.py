"""ALS solved exactly, with regularization that grows with how often somebody or something occurs.

Rendle, Krichene, Zhang & Koren (2022), "Revisiting the Performance of iALS on Item Recommendation Benchmarks". Their loss
is sum over S of (s - 1)^2 + alpha0 * sum over all pairs of s^2 + sum of lambda_u |w_u|^2 + sum of lambda_i |h_i|^2, with
lambda_u = lambda * (|I_u| + alpha0 * |I|)^nu and lambda_i alike. Divided by alpha0, it is what is minimised here:

    alpha = 1 / alpha0,   frequency_scaling = nu,   regularization = lambda * alpha^(1 - nu)

so with nu = 1 `regularization` is their lambda, and with nu = 0 it is what `implicit` takes. A place of weight w counts as
w places of S.
"""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

import numpy as np
from scipy import sparse
from scipy.linalg import lapack
from threadpoolctl import threadpool_limits

from recommendation_service.core.numeric import AnyArray, Floats, Ints, frequency_scaled
from recommendation_service.errors import DatasetError
from recommendation_service.training.report import Progress

AT_ONCE = 1_000_000  # numbers a block gathers: what the caches of a core still hold
LONGEST = 4_096  # places of one row gathered at once, so that an item everybody knows needs no memory of its own
SPREAD = 0.1  # of the factors it begins with, divided by the root of their length, as in the paper


@dataclass(frozen=True, slots=True)
class Terms:
    """What both sides are solved with: `regularization` and `scaling` as the module's equation has them."""

    regularization: float
    scaling: float
    threads: int = 1


def factorise(
    confidence: sparse.csr_array, factors: int, iterations: int, seed: int, terms: Terms, progress: Progress | None = None
) -> tuple[Floats, Floats]:
    """(n, k) vectors of the rows and (m, k) of the columns of an (n, m) matrix of alpha * weight, all > 0.

    Every row and column needs a place. The rows are solved once more at the end, so that each vector is what folding in
    against the published columns gives. The same bytes for a seed, whatever the number of threads. Raises DatasetError
    where nothing holds the vectors down.
    """
    turned = sparse.csr_array(confidence.T)
    start = np.random.default_rng(seed).standard_normal((turned.shape[0], factors), dtype=np.float32)
    columns = start * np.float32(SPREAD / np.sqrt(factors))
    with threadpool_limits(1, user_api="blas"):  # the blocks have threads of their own
        rows = half_step(confidence, columns, terms)
        for done in range(1, iterations + 1):
            columns = half_step(turned, rows, terms)
            rows = half_step(confidence, columns, terms)
            if progress:
                progress(done, iterations, "solving")
    return rows, columns


def half_step(confidence: sparse.csr_array, fixed: Floats, terms: Terms) -> Floats:
    """(n, k) best vector of each row of an (n, m) matrix against the fixed (m, k) vectors of its columns."""
    gram = fixed.T @ fixed
    total = np.asarray(confidence.sum(axis=1), dtype=np.float64).ravel()
    ridge = frequency_scaled(terms.regularization, terms.scaling, total, fixed.shape[0])
    solution = np.empty((confidence.shape[0], fixed.shape[1]), dtype=np.float32)

    def solve(block: Ints) -> None:
        solution[block] = _solved(confidence, fixed, gram, ridge[block].astype(np.float32), block)

    with ThreadPoolExecutor(terms.threads) as pool:
        for _ in pool.map(solve, _blocks(np.diff(confidence.indptr), fixed.shape[1])):
            pass  # asking for each lets what went wrong in a thread be raised here
    return solution


def _blocks(sizes: AnyArray, factors: int) -> Iterator[Ints]:
    """Rows of like size together, the longest first: little is padded, and the threads end together."""
    order = np.argsort(-sizes, kind="stable")
    start = 0
    while start < order.size:
        width = min(LONGEST, max(factors, int(sizes[order[start]])))
        end = start + max(1, AT_ONCE // (width * factors))
        yield order[start:end]
        start = end


def _solved(confidence: sparse.csr_array, fixed: Floats, gram: Floats, ridge: Floats, block: Ints) -> Floats:
    """(b, k) solutions of (gram + sum of c h h' + ridge I) w = sum of c h, one for each row of the block."""
    factors = fixed.shape[1]
    begins = confidence.indptr[block].astype(np.int64)
    sizes = confidence.indptr[block + 1] - begins
    system = np.broadcast_to(gram, (block.size, factors, factors)).copy()
    system[:, np.arange(factors), np.arange(factors)] += ridge[:, None]
    wanted = np.zeros((block.size, factors), dtype=np.float32)
    for first in range(0, int(sizes.max()), LONGEST):
        offset = np.arange(first, min(first + LONGEST, int(sizes.max())))
        valid = offset < sizes[:, None]
        cells = np.where(valid, begins[:, None] + offset, 0)
        root = np.sqrt(np.where(valid, confidence.data[cells], np.float32(0)))
        near = fixed[confidence.indices[cells]]
        near *= root[:, :, None]
        system += near.transpose(0, 2, 1) @ near
        wanted += (root[:, None, :] @ near)[:, 0]
    return np.stack([_positive_solved(*system_row) for system_row in zip(system, wanted, strict=True)])


def _positive_solved(system: Floats, wanted: Floats) -> Floats:
    """(k,) by Cholesky, half the work of what `np.linalg.solve` does; in 64 bits where 32 do not suffice."""
    _, solution, wrong = lapack.sposv(system.T, wanted, lower=1)  # turned it is as Fortran has it
    if wrong:
        _, solution, wrong = lapack.dposv(system.astype(np.float64), wanted.astype(np.float64), lower=1)
    if wrong:
        raise DatasetError("exact ALS cannot be solved with so little regularization; raise it")
    return np.asarray(solution, dtype=np.float32)
