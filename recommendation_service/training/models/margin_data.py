"""The inputs of the margin model: content features of the items, and all likes as flat tensors."""

from dataclasses import dataclass, replace

import numpy as np
import torch
from scipy import sparse
from sklearn.feature_extraction.text import TfidfVectorizer
from torch import Tensor

from recommendation_service.core.numeric import Floats
from recommendation_service.training.data import TrainingData
from recommendation_service.training.models.content import terms_of
from recommendation_service.training.models.margin_parameters import MarginParameters
from recommendation_service.training.models.two_tower_data import item_features
from recommendation_service.training.user_histories import UserHistories

WORDS_COUNT_AS = 0.5  # weight of an item's words relative to its category and tags


@dataclass(frozen=True, slots=True, eq=False)
class Likes:
    """All likes, grouped by user, newest first."""

    users: Tensor  # (k,)
    rows: Tensor  # (k,)
    weights: Tensor  # (k,) relative to the user's mean weight
    ends: Tensor  # (k,) index at which the user's likes end
    keys: Tensor  # (k,) ascending user * n_items + row: pairs that must not be negatives

    @classmethod
    def of(cls, histories: UserHistories, device: torch.device) -> "Likes":
        """Build from all histories; only positive weights count."""
        liked = histories.liked()
        users = liked.users()
        sides = (
            users,
            liked.rows,
            relative_weights(liked),
            liked.indptr[users + 1],
            np.sort(users * histories.n_items + liked.rows),
        )
        return cls(*(torch.from_numpy(np.ascontiguousarray(side)).to(device) for side in sides))

    def __len__(self) -> int:
        return int(self.rows.numel())

    def before(self, positions: Tensor, most: int) -> tuple[Tensor, Tensor]:
        """(b, most) rows and shares of the items liked before the like at `positions`; shares are 0 for padding."""
        positions_before = positions[:, None] + 1 + torch.arange(most, device=positions.device)
        real = positions_before < self.ends[positions][:, None]
        positions_before = positions_before.clamp(max=max(len(self) - 1, 0))
        weights = torch.where(real, self.weights[positions_before], 0.0)
        count = real.sum(dim=1, keepdim=True).clamp(min=1)
        return self.rows[positions_before], weights / count.sqrt()

    def liked(self, users: Tensor, rows: Tensor, n_items: int) -> Tensor:
        """(b, j), True where the user likes the row; `users` is (b,), `rows` (b, j)."""
        queried_keys = users[:, None] * n_items + rows
        index = torch.searchsorted(self.keys, queried_keys).clamp(max=len(self) - 1)
        matches: Tensor = self.keys[index] == queried_keys
        return matches


def relative_weights(liked: UserHistories) -> Floats:
    """(k,) each like relative to the mean weight of its user, so that users with many views do not dominate."""
    sizes = np.diff(liked.indptr)
    total = np.add.reduceat(np.append(liked.weights, 0), liked.indptr[:-1]) * (sizes > 0)
    mean = total / np.maximum(sizes, 1)
    return np.asarray(liked.weights / np.repeat(np.where(mean > 0, mean, 1), sizes), dtype=np.float32)


def content_features(material: TrainingData, words: int) -> sparse.csr_array:
    """(n_items, f) unit rows of category, tags and attributes, then the `words` most common words of the texts."""
    facets = item_features(material)
    plain = [replace(record, category=None, tags=(), attributes={}) for record in material.records]
    vectorizer = TfidfVectorizer(
        analyzer=lambda record: list(terms_of(record)), min_df=2, max_features=words or 1, sublinear_tf=True, dtype=np.float32
    )
    try:
        word_rows = sparse.csr_array(vectorizer.fit_transform(plain)) if words else None
    except ValueError:  # scikit-learn raises it if the texts share no word
        word_rows = None
    return facets if word_rows is None else sparse.csr_array(sparse.hstack([facets, np.float32(WORDS_COUNT_AS) * word_rows]))


def sparse_tensor(matrix: sparse.csr_array, device: torch.device) -> Tensor:
    """Convert a matrix to a torch COO tensor."""
    table = matrix.tocoo()
    positions = torch.from_numpy(np.stack([table.row, table.col]).astype(np.int64))
    values = torch.from_numpy(table.data.astype(np.float32))
    return torch.sparse_coo_tensor(positions, values, table.shape, check_invariants=True).coalesce().to(device)


def chances(counts: Floats, parameters: MarginParameters) -> Floats:
    """(n_items,) ascending sums of the chance with which an item is tried, ending at 1; items nobody liked are never tried."""
    weight = np.where(counts > 0, counts.astype(np.float64) ** parameters.popularity_power, 0.0)
    sums: Floats = (np.cumsum(weight) / weight.sum()).astype(np.float32)
    return sums
