"""Alternating least squares on implicit feedback: Hu, Koren & Volinsky (2008), by the `implicit` library."""

import os
from dataclasses import asdict, dataclass

import numpy as np
from implicit.cpu.als import AlternatingLeastSquares
from scipy import sparse
from threadpoolctl import threadpool_limits

from recommendation_service.training.material import Material, NotEnough, Trained

MIN_USERS = MIN_ITEMS = 2
MANY_PLACES = 500_000  # below it a pool of threads costs a busy machine more than it saves


@dataclass(frozen=True, slots=True)
class ALSParameters:
    """The stated settings. Confidence of a place is alpha * weight, applied once, inside `implicit`."""

    factors: int = 128
    regularization: float = 0.01
    iterations: int = 20
    alpha: float = 40.0
    seed: int = 42


def train_als(material: Material, parameters: ALSParameters) -> Trained:
    """Factors of every item and of every user with a positive weight; negative weights are left out.

    A pure function of its arguments on one machine. Raises NotEnough for fewer than two users or two items with a
    positive weight, on which `implicit` would succeed in silence.
    """
    matrix = positive_matrix(material)
    with_taste = np.flatnonzero(np.diff(matrix.indptr))
    counts = np.bincount(matrix.indices, minlength=matrix.shape[1]).astype(np.int32)
    if with_taste.size < MIN_USERS or np.count_nonzero(counts) < MIN_ITEMS:
        raise NotEnough(
            f"ALS needs {MIN_USERS} people and {MIN_ITEMS} items with a positive weight;"
            f" this export has {with_taste.size} and {np.count_nonzero(counts)}"
        )
    with threadpool_limits(1, user_api="blas"):  # implicit's own threads and a BLAS pool fight for the same cores
        model = AlternatingLeastSquares(
            factors=parameters.factors,
            regularization=parameters.regularization,
            iterations=parameters.iterations,
            alpha=parameters.alpha,
            random_state=parameters.seed,
            num_threads=threads_for(matrix.nnz),
        )
        model.fit(sparse.csr_matrix(matrix), show_progress=False)
        items = np.ascontiguousarray(model.item_factors, dtype=np.float32)
        gram = items.T @ items
    arrays = {
        "item_factors": items,
        "gram": gram,
        "item_counts": counts,
        "item_ids": material.catalogue.ids.array,
        "user_factors": np.ascontiguousarray(model.user_factors[with_taste], dtype=np.float32),
        "user_ids": material.user_ids.array[with_taste],
    }
    return Trained("als", arrays, asdict(parameters))


def threads_for(places: int) -> int:
    """Threads for a matrix of so many places. How many does not change the result: users are solved one by one."""
    return 1 if places < MANY_PLACES else min(4, os.cpu_count() or 1)


def positive_matrix(material: Material) -> sparse.csr_array:
    """(n_users, n_items) of the positive weights only."""
    matrix = material.pasts.liked().matrix()
    matrix.sort_indices()
    return matrix
