"""EASE: item-to-item weights, after Steck (2019), "Embarrassingly Shallow Autoencoders for Sparse Data".

One ridge regression predicts each item from all others. It is computed in one of three ways. All of them filter the table
N'N, with N the likes divided by powers of the number of items per user and of users per item (`normalised`); ridge
regression maps an eigenvalue s to s / (s + lambda):

- "closed_form" inverts the table, with an empty diagonal;
- "graph_filter" maps the largest eigenvalues as ridge regression does, and all others by one factor, after Shen et al. (2021),
  "How Powerful is Graph Convolution for Recommendation?". It needs no square table, so it works for any number of items;
- "neighbours" maps all by one factor: a cosine with free exponents (Deshpande & Karypis 2004; Aiolli 2013).
"""

import os
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict, dataclass, replace
from typing import Annotated

import numpy as np
from scipy import sparse
from threadpoolctl import threadpool_limits

from recommendation_service.core.numeric import AnyArray, Floats
from recommendation_service.datasets.reader import Events
from recommendation_service.datasets.weighting import DAY_S
from recommendation_service.domain.history import UNKNOWN_TIME
from recommendation_service.errors import ConfigurationError
from recommendation_service.training.data import NotEnough, Trained, TrainingData
from recommendation_service.training.models.item_to_item import Known, can_solve, cores_for, inverse_of, strongest
from recommendation_service.training.setting import Setting

LEAST_PEOPLE, LEAST_ITEMS = 2, 2
CLOSED_FORM, GRAPH_FILTER, NEIGHBOURS = METHODS = ("closed_form", "graph_filter", "neighbours")
ROWS_AT_ONCE = 128
ITERATIONS = 3  # of the subspace iteration; more do not change the lists
EXTRA_DIRECTIONS = 16  # followed in addition to those that are used, so that the last of these are exact, too


@dataclass(frozen=True, slots=True)
class EaseParameters:
    """`regularization` is the ridge's lambda, in users: denser data needs a larger value.

    A user with m items is weighted by m^-activity, an item with m users by m^-popularity; `rarity` divides the row of an
    item by m^rarity. With `decay_days`, older likes count less, but never below `floor`. The `top_k` strongest entries of
    each item's row are published.

    `method` is "closed_form", "graph_filter" with `vectors` main directions, "neighbours", or empty: the
    closed form up to 5,000 liked items, and up to `invertible` of them where 30 people each like them, else the graph
    filter. Raises ConfigurationError for any other.
    """

    regularization: Annotated[float, Setting("lambda of the ridge, in users: larger for dense data", above=True)] = 500.0
    decay_days: Annotated[float, Setting("days after which a like counts 1/e; 0: age does not matter")] = 0.0
    floor: Annotated[float, Setting("the least that an old like counts")] = 0.3
    top_k: Annotated[int, Setting("strongest entries of each item that are published", least=1)] = 512
    invertible: Annotated[int, Setting("most liked items for the closed form; above, a graph filter", least=2)] = 20_000
    activity: Annotated[float, Setting("a user with m items is weighted by m to the power of minus this")] = 0.5
    popularity: Annotated[float, Setting("an item with m users is weighted by m to the power of minus this")] = 0.25
    rarity: Annotated[float, Setting("the row of an item with m users is divided by m to this power")] = 0.0
    method: str = ""
    vectors: Annotated[int, Setting("main directions of the graph filter", least=1)] = 256

    def __post_init__(self) -> None:
        """Raises ConfigurationError for an unknown method."""
        if self.method not in ("", *METHODS):
            raise ConfigurationError(f"ease knows no method {self.method!r}; it knows {', '.join(METHODS)}, or empty: by size")

    def method_for(self, likings: sparse.csr_array) -> str:
        """The method for these (n_users, n) likes."""
        solve = can_solve(likings.shape[1], likings.nnz, self.invertible)
        return self.method or (CLOSED_FORM if solve else GRAPH_FILTER)

    def settled(self, material: TrainingData) -> "EaseParameters":
        """A copy with the method that is used; settings without effect on this data have their default values."""
        defaults, likings = EaseParameters(), material.histories.liked().matrix()
        method = self.method_for(sparse.csr_array(likings[:, Known.of(material.histories).rows]))
        idle = {CLOSED_FORM: ["vectors"], GRAPH_FILTER: [], NEIGHBOURS: ["vectors", "regularization"]}[method]
        idle += [] if self.decay_days > 0 else ["floor"]
        return replace(self, method=method, **{name: getattr(defaults, name) for name in idle})


def train_ease(material: TrainingData, parameters: EaseParameters) -> Trained:
    """Train the table of weights with an empty diagonal: a user's scores are the sum of their items' rows.

    Deterministic for a number of threads. Raises NotEnough for fewer than two users with two items each.
    """
    known = Known.of(material.histories)
    likings = liking_matrix(material, parameters)
    able = int(np.count_nonzero(np.diff(likings.indptr) > 1))
    if able < LEAST_PEOPLE or known.rows.size < LEAST_ITEMS:
        raise NotEnough(f"EASE needs {LEAST_PEOPLE} people who liked 2 items each; this export has {able}")
    table = table_of(sparse.csr_array(likings[:, known.rows]), parameters)
    return Trained("ease", known.arrays(material, table), asdict(parameters))


def table_of(likings: sparse.csr_array, parameters: EaseParameters) -> sparse.csr_array:
    """(n, n) the strongest entries of each row, for (n_users, n) likes of items with at least one like."""
    users_of = _users_of(likings)
    rarity = (users_of**-parameters.rarity).astype(np.float32)
    even = normalised(likings, users_of, parameters.activity, parameters.popularity)
    scale = np.square(even.data, dtype=np.float64).sum() / np.square(likings.data, dtype=np.float64).sum()
    ridge = parameters.regularization * float(scale)  # as strong as `regularization` in the table of plain likes
    method = parameters.method_for(likings)
    if method == CLOSED_FORM:
        table = closed_form(even, ridge)
        table *= rarity[:, None]
        return strongest(table, parameters.top_k)
    by_item = sparse.csr_array(even.T)
    some_rows = _neighbours(even, by_item) if method == NEIGHBOURS else _graph_filter(even, by_item, ridge, parameters.vectors)

    def block(start: int) -> sparse.csr_array:
        table = some_rows(slice(start, min(start + ROWS_AT_ONCE, even.shape[1])))
        table *= rarity[start : start + ROWS_AT_ONCE, None]
        diagonal = np.arange(table.shape[0])
        table[diagonal, diagonal + start] = 0
        return strongest(table, parameters.top_k)

    with threadpool_limits(1, user_api="blas"), ThreadPoolExecutor(min(4, os.cpu_count() or 1)) as pool:
        return sparse.csr_array(sparse.vstack(list(pool.map(block, range(0, even.shape[1], ROWS_AT_ONCE)))))


def normalised(likings: sparse.csr_array, users_of: AnyArray, activity: float, popularity: float) -> sparse.csr_array:
    """(n_users, n) likes divided by (items of the user)^(activity / 2) and (users of the item)^popularity."""
    items_of = np.maximum(np.diff(likings.indptr), 1).astype(np.float64)
    by_user = np.repeat(items_of ** (-activity / 2), np.diff(likings.indptr))
    values = (likings.data * by_user * (users_of**-popularity)[likings.indices]).astype(np.float32)
    return sparse.csr_array((values, likings.indices, likings.indptr), shape=likings.shape)


def _users_of(likings: sparse.csr_array) -> AnyArray:
    """(n,) float64 number of users who like each item, at least 1."""
    return np.maximum(np.bincount(likings.indices, minlength=likings.shape[1]), 1).astype(np.float64)


def closed_form(even: sparse.csr_array, ridge: float) -> Floats:
    """(n, n) solution B = I - P / diag(P), with P the inverse of N'N + ridge I; the diagonal is zero."""
    gram = np.asarray((even.T @ even).toarray(), dtype=np.float32, order="F")
    gram[np.diag_indices_from(gram)] += np.float32(ridge)
    result = inverse_of(gram)
    result /= -np.diag(result).copy()
    np.fill_diagonal(result, 0)
    return result


def _graph_filter(even: sparse.csr_array, by_item: sparse.csr_array, ridge: float, vectors: int) -> Callable[[slice], Floats]:
    """Compute some rows of the filtered table.

    Eigenvalues after the `vectors` largest are multiplied by the factor that ridge regression gives the last of these.
    """
    directions, values = main_directions(even, min(vectors, even.shape[1] - 1))
    factor = 1 / (ridge + float(values[-1]))
    bend = (values / (values + ridge) - factor * values).astype(np.float32)
    bent = np.ascontiguousarray((directions * bend).T)

    def some_rows(rows: slice) -> Floats:
        table: Floats = directions[rows] @ bent
        near = sparse.csr_array(by_item[rows] @ even)
        owner = np.repeat(np.arange(table.shape[0]), np.diff(near.indptr))
        table[owner, near.indices] += near.data * np.float32(factor)
        return table

    return some_rows


def _neighbours(even: sparse.csr_array, by_item: sparse.csr_array) -> Callable[[slice], Floats]:
    """Compute some rows of the table of cosines."""
    return lambda rows: np.asarray((by_item[rows] @ even).toarray(), dtype=np.float32)


def main_directions(even: sparse.csr_array, most: int) -> tuple[Floats, Floats]:
    """(n, k) eigenvectors of N'N and their (k,) values, largest first, by subspace iteration (Halko et al. 2011).

    Deterministic: the start is random with a fixed seed.
    """
    width = min(most + EXTRA_DIRECTIONS, *even.shape)
    by_item = sparse.csr_array(even.T)
    result: Floats = np.random.default_rng(0).standard_normal((even.shape[1], width), dtype=np.float32)
    with cores_for(width * 4):
        for _ in range(ITERATIONS):
            result = np.linalg.qr(by_item @ (even @ result))[0]
        projected = even @ result
        values, vectors = np.linalg.eigh((projected.T @ projected).astype(np.float64))
    order = np.argsort(-values)[:most]
    return np.asarray(result @ vectors[:, order].astype(np.float32)), np.maximum(values[order], 0)


def liking_matrix(material: TrainingData, parameters: EaseParameters) -> sparse.csr_array:
    """(n_users, n_items) 1 for each like, less for old likes."""
    matrix = material.histories.liked().matrix()
    matrix.data = np.ones_like(matrix.data)
    if parameters.decay_days > 0:
        times = _newest(material.events, matrix)
        known = times != UNKNOWN_TIME  # the others fade to the floor
        age_days = (material.now - np.where(known, times, material.now)) / DAY_S
        faded = np.where(known, np.exp(-np.maximum(age_days, 0) / parameters.decay_days), 0)
        matrix.data = (parameters.floor + (1 - parameters.floor) * faded).astype(np.float32)
    return sparse.csr_array(matrix)


def _newest(events: Events, matrix: sparse.csr_array) -> Floats:
    """(nnz,) time of the latest event of each stored entry, UNKNOWN_TIME where no event has a known one."""
    users = np.repeat(np.arange(matrix.shape[0], dtype=np.int64), np.diff(matrix.indptr))
    wanted = users * matrix.shape[1] + matrix.indices
    keys = events.users * matrix.shape[1] + events.items
    order = np.argsort(keys, kind="stable")  # events ascend in time, so the last of a key is the newest
    last = np.searchsorted(keys[order], wanted, side="right") - 1
    return np.asarray(events.times[order[last]])
