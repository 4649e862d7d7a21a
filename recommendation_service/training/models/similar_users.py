"""Anonymous rows of liked items, with which the engine compares a user, and the rows that contain each item."""

from dataclasses import asdict, dataclass

import numpy as np
from scipy import sparse

from recommendation_service.core.numeric import AnyArray, Floats, Ints
from recommendation_service.training.data import NotEnough, Trained, TrainingData
from recommendation_service.training.models.item_to_item import arrays_of
from recommendation_service.training.user_histories import UserHistories


@dataclass(frozen=True, slots=True)
class SimilarUsersParameters:
    """Limits, so that the work per request is bounded for any site.

    The `items_per_user` newest liked items of each user are used; users with fewer than `least_items` are left out. For each
    item, a random `users_per_item` of the users who liked it are published. `seed` draws those, and the order of the rows.
    """

    items_per_user: int = 200
    users_per_item: int = 500
    least_items: int = 2
    seed: int = 42


def train_similar_users(material: TrainingData, parameters: SimilarUsersParameters) -> Trained:
    """Unit rows of liked items in random order, inverse user frequencies, and up to `users_per_item` rows per item.

    User ids are not published, and the number of a row does not identify its user. Item weights are log(1 + users / users
    who liked it), after Breese, Heckerman & Kadie (1998), "Empirical Analysis of Predictive Algorithms for Collaborative
    Filtering": an item that all users like makes no two users similar. Raises NotEnough for fewer than two users.
    """
    rng = np.random.default_rng(parameters.seed)
    tastes = _tastes(material.histories, parameters, rng)
    if tastes.shape[0] < 2:
        raise NotEnough(f"{tastes.shape[0]} people like {parameters.least_items} items or more; two are needed to compare")
    chosen_by = np.bincount(tastes.indices, minlength=tastes.shape[1])
    weights = np.where(chosen_by > 0, np.log1p(tastes.shape[0] / np.maximum(chosen_by, 1)), 0).astype(np.float32)
    item_indptr, item_users = _rows_with_item(tastes, parameters.users_per_item, rng)
    arrays: dict[str, AnyArray] = {
        "item_ids": material.catalogue.ids.array,
        "item_counts": chosen_by.astype(np.int32),
        "item_weights": weights,
        "item_indptr": item_indptr,
        "item_users": item_users.astype(np.int32),
        **arrays_of(tastes),
        "lengths": _lengths(tastes, weights),
    }
    return Trained("similar_users", arrays, {**asdict(parameters), "n_tastes": int(tastes.shape[0])})


def _tastes(histories: UserHistories, parameters: SimilarUsersParameters, rng: np.random.Generator) -> sparse.csr_array:
    """(m, n_items) unit rows of the users with enough liked items, in random order."""
    liked = histories.liked()
    age = np.arange(liked.rows.size) - np.repeat(liked.indptr[:-1], np.diff(liked.indptr))
    newest = age < parameters.items_per_user
    cells = (liked.users()[newest], liked.rows[newest])
    matrix = sparse.coo_array((liked.weights[newest], cells), shape=(len(liked), liked.n_items)).tocsr()
    informative = np.flatnonzero(np.diff(matrix.indptr) >= parameters.least_items)
    matrix = sparse.csr_array(matrix[rng.permutation(informative)])
    matrix.sort_indices()
    matrix.data /= np.repeat(_lengths(matrix, np.ones(liked.n_items, dtype=np.float32)), np.diff(matrix.indptr))
    return matrix


def _lengths(rows: sparse.csr_array, weights: Floats) -> Floats:
    """(m,) Euclidean length of each row with weighted columns; never zero."""
    squares = (rows.data.astype(np.float64) * weights[rows.indices]) ** 2
    owner = np.repeat(np.arange(rows.shape[0]), np.diff(rows.indptr))
    lengths = np.sqrt(np.bincount(owner, weights=squares, minlength=rows.shape[0]))
    return np.maximum(lengths, 1e-12).astype(np.float32)


def _rows_with_item(tastes: sparse.csr_array, most: int, rng: np.random.Generator) -> tuple[Ints, Ints]:
    """(n_items + 1,) bounds, and the rows of `tastes` that contain each item, ascending; at most `most`, drawn at random."""
    users = np.repeat(np.arange(tastes.shape[0], dtype=np.int64), np.diff(tastes.indptr))
    drawn = np.lexsort((rng.random(users.size), tastes.indices))
    items = tastes.indices[drawn].astype(np.int64)
    rank = np.arange(items.size) - np.searchsorted(items, items)
    selected = drawn[rank < most]
    selected = selected[np.lexsort((users[selected], tastes.indices[selected]))]
    indptr = np.searchsorted(tastes.indices[selected], np.arange(tastes.shape[1] + 1)).astype(np.int64)
    return indptr, users[selected]
