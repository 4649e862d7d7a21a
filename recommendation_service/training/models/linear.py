"""Large symmetric linear systems: in 32 bits on the free cores, and in 64 bits where 32 bits are not enough."""

import os
from collections.abc import Iterator
from contextlib import contextmanager

import numpy as np
from scipy.linalg import lapack
from threadpoolctl import threadpool_limits

from recommendation_service.core.numeric import AnyArray, Floats
from recommendation_service.errors import DatasetError

MIN_ROWS_FOR_POOL = 1_500  # rows from which a thread pool is faster
MOST_CORES = 4


@contextmanager
def cores_for(rows: int) -> Iterator[None]:
    """Let linear algebra on a large matrix use the free cores; otherwise it uses one thread."""
    with threadpool_limits(min(MOST_CORES, free_cores()) if rows >= MIN_ROWS_FOR_POOL else 1, user_api="blas"):
        yield


def free_cores() -> int:
    """Number of cores that were idle during the last minute, at least 1; all cores where the system gives no load.

    The threads of a pool wait for each other: one thread on a busy core made the whole pool thirty times slower than a
    single thread.
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
