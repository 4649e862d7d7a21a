"""Alternating least squares on implicit feedback: Hu, Koren & Volinsky (2008), by the `implicit` library or exactly."""

import os
from dataclasses import asdict, dataclass

import numpy as np
from implicit.cpu.als import AlternatingLeastSquares
from scipy import sparse
from threadpoolctl import threadpool_limits

from recommendation_service.core.numeric import Floats, Ints
from recommendation_service.errors import ConfigurationError
from recommendation_service.training.data import NotEnough, Trained, TrainingData
from recommendation_service.training.models.als_exact import Terms, factorise
from recommendation_service.training.report import Progress

MIN_USERS = MIN_ITEMS = 2
MANY_CELLS = 500_000  # below it a pool of threads costs a busy machine more than it saves
MUCH_WORK = 500_000_000  # the same, in multiplications of one exact half step
SOLVERS = ("implicit", "exact")


@dataclass(frozen=True, slots=True)
class ALSParameters:
    """The stated settings. Confidence of a place is alpha * weight, applied once.

    `solver` is "implicit", where that confidence takes the place of the 1 of silence and regularization is the same for all,
    or "exact" (see `als_exact`), where it comes on top, and where regularization is multiplied by how often somebody occurs
    to the power `frequency_scaling`: 1 is sensible, with a regularization of 0.003 to 0.03 and 12 to 16 iterations.
    Raises ConfigurationError for another solver, and for a scaling that its solver does not have.
    """

    factors: int = 128
    regularization: float = 0.01
    iterations: int = 20
    alpha: float = 40.0
    seed: int = 42
    solver: str = "implicit"
    frequency_scaling: float = 0.0

    def __post_init__(self) -> None:
        """Refuse what no solver does."""
        if self.solver not in SOLVERS:
            raise ConfigurationError(f"als knows no solver {self.solver!r}; it knows {', '.join(SOLVERS)}")
        if not 0 <= self.frequency_scaling <= (self.solver == "exact"):
            allowed = "0 to 1" if self.solver == "exact" else "0 with solver implicit, 0 to 1 with solver exact"
            raise ConfigurationError(f"als: frequency_scaling must be {allowed}, not {self.frequency_scaling:g}")


def train_als(material: TrainingData, parameters: ALSParameters, progress: Progress | None = None) -> Trained:
    """Factors of every item and of every user with a positive weight; negative weights are left out.

    A pure function of its arguments on one machine. Raises NotEnough for fewer than two users or two items with a
    positive weight, on which `implicit` would succeed in silence.
    """
    matrix = positive_matrix(material)
    with_taste = np.flatnonzero(np.diff(matrix.indptr)).astype(np.int64)
    counts = np.bincount(matrix.indices, minlength=matrix.shape[1]).astype(np.int32)
    if with_taste.size < MIN_USERS or np.count_nonzero(counts) < MIN_ITEMS:
        raise NotEnough(
            f"ALS needs {MIN_USERS} people and {MIN_ITEMS} items with a positive weight;"
            f" this export has {with_taste.size} and {np.count_nonzero(counts)}"
        )
    if parameters.solver == "exact":
        users, items = _exactly(sparse.csr_array(matrix[with_taste]), np.flatnonzero(counts), parameters, progress)
    else:
        users, items = _by_implicit(matrix, with_taste, parameters)
    with threadpool_limits(1, user_api="blas"):
        gram = items.T @ items
    arrays = {
        "item_factors": items,
        "gram": gram,
        "item_counts": counts,
        "item_ids": material.catalogue.ids.array,
        "user_factors": users,
        "user_ids": material.user_ids.array[with_taste],
    }
    return Trained("als", arrays, asdict(parameters))


def _by_implicit(matrix: sparse.csr_array, with_taste: Ints, parameters: ALSParameters) -> tuple[Floats, Floats]:
    """Vectors of the users with taste, and of all items."""
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
    users = np.ascontiguousarray(model.user_factors[with_taste], dtype=np.float32)
    return users, np.ascontiguousarray(model.item_factors, dtype=np.float32)


def _exactly(
    matrix: sparse.csr_array, liked: Ints, parameters: ALSParameters, progress: Progress | None
) -> tuple[Floats, Floats]:
    """Vectors of the rows of `matrix`, and of all items; those nobody liked are zero and take no part."""
    confidence = sparse.csr_array(matrix[:, liked] * np.float32(parameters.alpha))
    work = confidence.nnz * parameters.factors**2 + sum(confidence.shape) * parameters.factors**3
    threads = 1 if work < MUCH_WORK else min(4, os.cpu_count() or 1)
    terms = Terms(parameters.regularization, parameters.frequency_scaling, threads)
    users, known = factorise(confidence, parameters.factors, parameters.iterations, parameters.seed, terms, progress)
    items = np.zeros((matrix.shape[1], parameters.factors), dtype=np.float32)
    items[liked] = known
    return users, items


def threads_for(cells: int) -> int:
    """Threads for a matrix of so many places. How many does not change the result: users are solved one by one."""
    return 1 if cells < MANY_CELLS else min(4, os.cpu_count() or 1)


def positive_matrix(material: TrainingData) -> sparse.csr_array:
    """(n_users, n_items) of the positive weights only."""
    matrix = material.histories.liked().matrix()
    matrix.sort_indices()
    return matrix
