"""Item kNN: cosine similarity of items over the users who liked them, with shrinkage.

Deshpande & Karypis (2004), "Item-Based Top-N Recommendation Algorithms".
"""

from dataclasses import asdict, dataclass
from typing import Annotated

import numpy as np
from scipy import sparse

from recommendation_service.training.data import NotEnough, Trained, TrainingData
from recommendation_service.training.models.item_to_item import Known, strongest_of
from recommendation_service.training.report import Progress
from recommendation_service.training.setting import Setting

ITEMS_AT_ONCE = 256  # rows of the similarity table in memory before they are cut; bounds memory


@dataclass(frozen=True, slots=True)
class ItemKNNParameters:
    """The `neighbours` most similar items of each item are published.

    A similarity is multiplied by users / (users + `shrinkage`), where users liked both items: few common users are weak
    evidence. A user with m items is weighted by m^-activity. With `graded`, likes count by their weight, else 1 each.
    """

    neighbours: Annotated[int, Setting("most similar items of each item that are published", least=1)] = 100
    shrinkage: Annotated[float, Setting("number of common users at which a similarity is halved")] = 10.0
    activity: Annotated[float, Setting("a user with m items is weighted by m to the power of minus this")] = 0.5
    graded: bool = True


def train_item_knn(material: TrainingData, parameters: ItemKNNParameters, progress: Progress | None = None) -> Trained:
    """Count the similarities of all pairs of items. Deterministic. Raises NotEnough if no two items share a user."""
    known = Known.of(material.histories)
    likes = sparse.csr_array(material.histories.liked().matrix()[:, known.rows])
    table = similarities(likes, parameters, progress)
    if not table.nnz:
        raise NotEnough("item kNN needs two items that the same user liked; this export has none")
    return Trained("item_knn", known.arrays(material, table), asdict(parameters))


def similarities(likes: sparse.csr_array, parameters: ItemKNNParameters, progress: Progress | None = None) -> sparse.csr_array:
    """(n, n) the most similar items of each item, for (n_users, n) positive weights of likes; none with itself."""
    items_of_user = np.diff(likes.indptr)
    shares = np.repeat(np.maximum(items_of_user, 1.0) ** (-parameters.activity / 2), items_of_user)
    weights = (likes.data if parameters.graded else 1.0) * shares
    lengths = np.sqrt(np.bincount(likes.indices, np.square(weights), minlength=likes.shape[1]))
    cosines = sparse.csr_array((weights / lengths[likes.indices], likes.indices, likes.indptr), shape=likes.shape)
    ones = sparse.csr_array((np.ones(likes.nnz), likes.indices, likes.indptr), shape=likes.shape)
    by_item, users_by_item = sparse.csr_array(cosines.T), sparse.csr_array(ones.T)
    starts = range(0, likes.shape[1], ITEMS_AT_ONCE)
    blocks = []
    for done, start in enumerate(starts, start=1):
        rows = slice(start, start + ITEMS_AT_ONCE)
        common = users_by_item[rows] @ ones
        common.data /= common.data + parameters.shrinkage
        pairs = sparse.coo_array((by_item[rows] @ cosines) * common)
        others = pairs.row + start != pairs.col
        block = sparse.csr_array((pairs.data[others], (pairs.row[others], pairs.col[others])), shape=pairs.shape)
        blocks.append(strongest_of(block, parameters.neighbours))
        if progress is not None:
            progress(done, len(starts), "items")
    return sparse.csr_array(sparse.vstack(blocks)) if blocks else sparse.csr_array((0, 0))
