"""Large symmetric systems: in 32 bits, on the cores that are free, and in 64 bits where 32 do not suffice."""

import os
from collections.abc import Iterator
from contextlib import contextmanager

import numpy as np
from scipy.linalg import lapack
from threadpoolctl import threadpool_limits

from recommendation_service.core.numeric import AnyArray, Floats
from recommendation_service.errors import DatasetError

WORTH_A_POOL = 1_500  # rows from which the pool's threads gain more than they cost
MOST_CORES = 4


@contextmanager
def cores_for(rows: int) -> Iterator[None]:
    """The linear algebra inside may use the free cores where the matrix is large; the process is pinned to one else."""
    with threadpool_limits(min(MOST_CORES, free_cores()) if rows >= WORTH_A_POOL else 1, user_api="blas"):
        yield


def free_cores() -> int:
    """Cores that other work left alone during the last minute, at least 1; all of them where the system does not say.

    A pool's threads wait for each other: one that has to share its core made the whole pool thirty times slower than
    a single thread.
    """
    cores = os.cpu_count() or 1
    others = os.getloadavg()[0] - 1 if hasattr(os, "getloadavg") else 0.0  # one is this process
    return max(1, min(cores, round(cores - others)))


def inverse_of(gram: Floats) -> Floats:
    """(n, n) inverse of a symmetric positive definite matrix, by its Cholesky factor. Raises DatasetError for any other."""
    with cores_for(gram.shape[0]):
        factor = _factor(gram)
        invert = lapack.spotri if factor.dtype == np.float32 else lapack.dpotri
        found, _ = invert(factor, lower=1, overwrite_c=1)
    lower = np.tril(found)
    return np.asarray(lower + np.tril(lower, -1).T, dtype=np.float32)


def solved(gram: Floats, wanted: Floats) -> Floats:
    """(n, m) solution of gram @ x = wanted for a symmetric positive definite gram. Raises DatasetError for any other."""
    with cores_for(gram.shape[0]):
        factor = _factor(gram)
        solve = lapack.spotrs if factor.dtype == np.float32 else lapack.dpotrs
        found, _ = solve(factor, wanted.astype(factor.dtype, order="F"), lower=1, overwrite_b=1)
    return np.asarray(found, dtype=np.float32)


def _factor(gram: Floats) -> AnyArray:
    factor, wrong = lapack.spotrf(gram, lower=1)
    if wrong:
        factor, wrong = lapack.dpotrf(gram.astype(np.float64), lower=1)
    if wrong:
        raise DatasetError("this site's table of items cannot be inverted; raise the regularization")
    return np.asarray(factor)
