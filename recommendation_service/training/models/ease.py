"""EASE: item-to-item weights, after Steck (2019), "Embarrassingly Shallow Autoencoders for Sparse Data".

One ridge regression predicts each item from all others: in closed form, or by a cheaper filter that approximates it (see
`item_filter`).
"""

from dataclasses import asdict, dataclass, replace

import numpy as np
from scipy import sparse

from recommendation_service.core.numeric import Floats
from recommendation_service.datasets.reader import Events
from recommendation_service.datasets.weighting import DAY_S
from recommendation_service.errors import ConfigurationError
from recommendation_service.training.data import NotEnough, Trained, TrainingData
from recommendation_service.training.models import item_filter
from recommendation_service.training.models.item_to_item import Known, arrays_of, can_solve, strongest

LEAST_PEOPLE, LEAST_ITEMS = 2, 2
CLOSED_FORM, GRAPH_FILTER, NEIGHBOURS = METHODS = ("closed_form", "graph_filter", "neighbours")


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

    regularization: float = 500.0
    decay_days: float = 0.0  # 0: age does not matter
    floor: float = 0.3
    top_k: int = 512
    invertible: int = 20_000
    activity: float = 0.5
    popularity: float = 0.25
    rarity: float = 0.0
    method: str = ""
    vectors: int = 256

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
    arrays = {"item_ids": material.catalogue.ids.array, "item_counts": known.counts.astype(np.int32)}
    return Trained("ease", arrays | arrays_of(known.spread(table)), asdict(parameters))


def table_of(likings: sparse.csr_array, parameters: EaseParameters) -> sparse.csr_array:
    """(n, n) the strongest entries of each row, for (n_users, n) likes of items with at least one like."""
    even = item_filter.normalised(likings, parameters.activity, parameters.popularity)
    rarity = (item_filter.people_of(likings) ** -parameters.rarity).astype(np.float32)
    method = parameters.method_for(likings)
    if method == NEIGHBOURS:
        return item_filter.neighbours(even, rarity, parameters.top_k)
    ridge = item_filter.ridge_of(likings, even, parameters.regularization)
    if method == GRAPH_FILTER:
        return item_filter.graph_filter(even, ridge, parameters.vectors, rarity, parameters.top_k)
    table = item_filter.closed_form(even, ridge)
    table *= rarity[:, None]
    return strongest(table, parameters.top_k)


def liking_matrix(material: TrainingData, parameters: EaseParameters) -> sparse.csr_array:
    """(n_users, n_items) 1 for each like, less for old likes."""
    matrix = material.histories.liked().matrix()
    matrix.data = np.ones_like(matrix.data)
    if parameters.decay_days > 0:
        age_days = (material.now - _newest(material.events, matrix)) / DAY_S
        faded = np.exp(-np.maximum(age_days, 0) / parameters.decay_days)
        matrix.data = (parameters.floor + (1 - parameters.floor) * faded).astype(np.float32)
    return sparse.csr_array(matrix)


def _newest(events: Events, matrix: sparse.csr_array) -> Floats:
    """(nnz,) time of the latest event of each stored entry."""
    users = np.repeat(np.arange(matrix.shape[0], dtype=np.int64), np.diff(matrix.indptr))
    wanted = users * matrix.shape[1] + matrix.indices
    keys = events.users * matrix.shape[1] + events.items
    order = np.argsort(keys, kind="stable")  # events ascend in time, so the last of a key is the newest
    last = np.searchsorted(keys[order], wanted, side="right") - 1
    return np.asarray(events.times[order[last]])
