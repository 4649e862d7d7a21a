"""Alternating least squares on implicit feedback: Hu, Koren & Volinsky (2008), by the `implicit` library or exactly.

The exact solver regularises more where a user or an item has more interactions: Rendle, Krichene, Zhang & Koren (2022),
"Revisiting the Performance of iALS on Item Recommendation Benchmarks". Their loss is sum over S of (s - 1)^2 + alpha0 * sum
over all pairs of s^2 + sum of lambda_u |w_u|^2 + sum of lambda_i |h_i|^2, with lambda_u = lambda * (|I_u| + alpha0 * |I|)^nu
and lambda_i in the same way. The solver minimises it divided by alpha0:

    alpha = 1 / alpha0,   frequency_scaling = nu,   regularization = lambda * alpha^(1 - nu)

so with nu = 1 `regularization` is their lambda, and with nu = 0 it is that of `implicit`. An entry of weight w counts as w
entries of S.
"""

import os
from collections.abc import Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict, dataclass
from typing import Annotated, Any

import numpy as np
from implicit.cpu.als import AlternatingLeastSquares
from scipy import sparse
from scipy.linalg import lapack
from threadpoolctl import threadpool_limits

from recommendation_service.core.numeric import AnyArray, Floats, Ints, frequency_scaled
from recommendation_service.errors import ConfigurationError, DatasetError
from recommendation_service.training.data import ModelUnusable, NotEnough, Trained, TrainingData
from recommendation_service.training.report import Progress
from recommendation_service.training.setting import Setting

MIN_USERS = MIN_ITEMS = 2
MANY_CELLS = 500_000  # below it, a pool of threads costs a busy machine more than it saves
MUCH_WORK = 500_000_000  # the same, in multiplications of one exact half step
NUMBERS_AT_ONCE = 1_000_000  # gathered by one block: as many as fit into the caches of a core
LONGEST = 4_096  # entries of one row gathered at once, so that a very popular item needs no memory of its own
START = 0.1  # scale of the initial factors, divided by the root of their length, as in the paper
SOLVERS = ("implicit", "exact")
SPARK = "spark"  # the solver of training.spark.als, which trains on a cluster


@dataclass(frozen=True, slots=True)
class ALSParameters:
    """The settings of both solvers. The confidence of an entry is alpha * weight, applied once.

    With `solver` "implicit", that confidence replaces the confidence 1 of unobserved entries, and regularization is the
    same for all. With "exact", it is added to it, and regularization is multiplied by the number of interactions to the
    power `frequency_scaling`: 1 is sensible, with a regularization of 0.003 to 0.03 and 12 to 16 iterations.
    Raises ConfigurationError for another solver, and for a scaling that its solver does not support.
    """

    factors: Annotated[int, Setting("length of the vectors", least=1)] = 128
    regularization: Annotated[float, Setting("larger values shrink the vectors more")] = 0.01
    iterations: Annotated[int, Setting("rounds of training", least=1)] = 20
    alpha: Annotated[float, Setting("confidence per unit of weight", above=True)] = 40.0
    seed: int = 42
    solver: Annotated[str, Setting("implicit, or exact", choices=SOLVERS)] = "implicit"
    frequency_scaling: Annotated[
        float, Setting("solver exact, which sets 1: regularization grows with interactions to this power, 0 to 1")
    ] = 0.0

    @staticmethod
    def implied(given: Mapping[str, Any]) -> dict[str, Any]:
        """Return the settings that follow from those on a command line."""
        return {"frequency_scaling": 1.0} if given.get("solver") == "exact" else {}

    def __post_init__(self) -> None:
        """Check solver and scaling."""
        if self.solver not in (*SOLVERS, SPARK):
            raise ConfigurationError(f"als knows no solver {self.solver!r}; it knows {', '.join(SOLVERS)}")
        if not 0 <= self.frequency_scaling <= (self.solver == "exact"):
            allowed = "0 to 1" if self.solver == "exact" else "0 with solver implicit, 0 to 1 with solver exact"
            raise ConfigurationError(f"als: frequency_scaling must be {allowed}, not {self.frequency_scaling:g}")


def train_als(material: TrainingData, parameters: ALSParameters, progress: Progress | None = None) -> Trained:
    """Factors of every item; negative weights are ignored. No factors of users: the engine folds them in from today's history.

    Deterministic on one machine. Raises NotEnough for fewer than two users or two items with a positive weight, because
    `implicit` would train a useless model without an error, ModelUnusable for settings of Spark.
    """
    if parameters.solver == SPARK:
        raise ModelUnusable("its settings are those of Spark; run: tandem train als --engine spark")
    matrix = positive_matrix(material)
    users = np.flatnonzero(np.diff(matrix.indptr)).astype(np.int64)
    counts = np.bincount(matrix.indices, minlength=matrix.shape[1]).astype(np.int32)
    liked = np.flatnonzero(counts)
    if users.size < MIN_USERS or liked.size < MIN_ITEMS:
        raise NotEnough(
            f"ALS needs {MIN_USERS} people and {MIN_ITEMS} items with a positive weight;"
            f" this export has {users.size} and {liked.size}"
        )
    if parameters.solver == "exact":
        confidence = sparse.csr_array(sparse.csr_array(matrix[users])[:, liked] * np.float32(parameters.alpha))
        work = confidence.nnz * parameters.factors**2 + sum(confidence.shape) * parameters.factors**3
        _, liked_factors = factorise(confidence, parameters, threads_for(work, MUCH_WORK), progress)
        item_factors = np.zeros((matrix.shape[1], parameters.factors), dtype=np.float32)  # zero: no likes
        item_factors[liked] = liked_factors
    else:
        item_factors = _by_implicit(matrix, parameters)
    with threadpool_limits(1, user_api="blas"):
        gram = item_factors.T @ item_factors
    arrays = {
        "item_factors": item_factors,
        "gram": gram,
        "item_counts": counts,
        "item_ids": material.catalogue.ids.array,
    }
    return Trained("als", arrays, asdict(parameters))


def positive_matrix(material: TrainingData) -> sparse.csr_array:
    """(n_users, n_items) of the positive weights only."""
    matrix = material.histories.liked().matrix()
    matrix.sort_indices()
    return matrix


def threads_for(work: int, least: int = MANY_CELLS) -> int:
    """Number of threads for this much work, one below `least`. It does not change the result: rows are independent."""
    return 1 if work < least else min(4, os.cpu_count() or 1)


def _by_implicit(matrix: sparse.csr_array, parameters: ALSParameters) -> Floats:
    """(n_items, k) factors of all items."""
    with threadpool_limits(1, user_api="blas"):  # implicit's own threads and a BLAS pool compete for the same cores
        model = AlternatingLeastSquares(
            factors=parameters.factors,
            regularization=parameters.regularization,
            iterations=parameters.iterations,
            alpha=parameters.alpha,
            random_state=parameters.seed,
            num_threads=threads_for(matrix.nnz),
        )
        model.fit(sparse.csr_matrix(matrix), show_progress=False)
    return np.ascontiguousarray(model.item_factors, dtype=np.float32)


def factorise(
    confidence: sparse.csr_array, parameters: ALSParameters, threads: int = 1, progress: Progress | None = None
) -> tuple[Floats, Floats]:
    """(n, k) factors of the rows and (m, k) of the columns of an (n, m) matrix of alpha * weight, all > 0.

    Every row and column needs an entry. The rows are solved once more at the end, so that each factor is what folding in
    against the published columns gives. The same bytes for a seed, with any number of threads. Raises DatasetError if
    regularization is too small to solve the system.
    """
    by_column = sparse.csr_array(confidence.T)
    start = np.random.default_rng(parameters.seed).standard_normal((by_column.shape[0], parameters.factors), dtype=np.float32)
    columns = start * np.float32(START / np.sqrt(parameters.factors))
    with threadpool_limits(1, user_api="blas"):  # the blocks have threads of their own
        rows = half_step(confidence, columns, parameters, threads)
        for done in range(1, parameters.iterations + 1):
            columns = half_step(by_column, rows, parameters, threads)
            rows = half_step(confidence, columns, parameters, threads)
            if progress:
                progress(done, parameters.iterations, "solving")
    return rows, columns


def half_step(confidence: sparse.csr_array, fixed: Floats, parameters: ALSParameters, threads: int = 1) -> Floats:
    """(n, k) best factors of each row of an (n, m) matrix, with the (m, k) factors of its columns fixed."""
    gram = fixed.T @ fixed
    total = np.asarray(confidence.sum(axis=1), dtype=np.float64).ravel()
    ridge = frequency_scaled(parameters.regularization, parameters.frequency_scaling, total, fixed.shape[0])
    solution = np.empty((confidence.shape[0], fixed.shape[1]), dtype=np.float32)

    def solve(block: Ints) -> None:
        solution[block] = _solved(confidence, fixed, gram, ridge[block].astype(np.float32), block)

    with ThreadPoolExecutor(threads) as pool:
        list(pool.map(solve, _blocks(np.diff(confidence.indptr), fixed.shape[1])))  # raises errors of the threads
    return solution


def _blocks(sizes: AnyArray, factors: int) -> Iterator[Ints]:
    """Blocks of rows of similar size, the longest first, so that little is padded and the threads end together."""
    order = np.argsort(-sizes, kind="stable")
    start = 0
    while start < order.size:
        width = min(LONGEST, max(factors, int(sizes[order[start]])))
        end = start + max(1, NUMBERS_AT_ONCE // (width * factors))
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
    """(k,) solution by Cholesky, half the work of `np.linalg.solve`; in 64 bits if 32 are not enough."""
    _, solution, wrong = lapack.sposv(system.T, wanted, lower=1)  # transposed: Fortran order
    if wrong:
        _, solution, wrong = lapack.dposv(system.astype(np.float64), wanted.astype(np.float64), lower=1)
    if wrong:
        raise DatasetError("exact ALS cannot be solved with so little regularization; raise it")
    return np.asarray(solution, dtype=np.float32)
