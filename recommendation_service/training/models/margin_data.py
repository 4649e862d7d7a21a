"""The margin model's inputs: content features of the items, and everybody's likes as flat tensors to slice."""

from dataclasses import dataclass, replace

import numpy as np
import torch
from scipy import sparse
from sklearn.feature_extraction.text import TfidfVectorizer
from torch import Tensor

from recommendation_service.core.numeric import Floats
from recommendation_service.training.data import Material
from recommendation_service.training.models.content import terms_of
from recommendation_service.training.models.margin_parameters import MarginParameters
from recommendation_service.training.models.two_tower_data import item_features
from recommendation_service.training.user_histories import Pasts

WORDS_COUNT_AS = 0.5  # length of an item's words beside its category and tags, whose length is 1


@dataclass(frozen=True, slots=True, eq=False)
class Likes:
    """Every liked item of everybody, a person after the other, newest first."""

    users: Tensor  # (k,)
    rows: Tensor  # (k,)
    weights: Tensor  # (k,) in units of that person's mean weight
    ends: Tensor  # (k,) where that person's likes end
    keys: Tensor  # (k,) ascending user * n_items + row: what must not be taken for disliked

    @classmethod
    def of(cls, pasts: Pasts, device: torch.device) -> "Likes":
        """From everybody's past; only positive weights count."""
        liked = pasts.liked()
        users = liked.users()
        sides = (
            users,
            liked.rows,
            relative_weights(liked),
            liked.indptr[users + 1],
            np.sort(users * pasts.n_items + liked.rows),
        )
        return cls(*(torch.from_numpy(np.ascontiguousarray(side)).to(device) for side in sides))

    def __len__(self) -> int:
        return int(self.rows.numel())

    def before(self, places: Tensor, most: int) -> tuple[Tensor, Tensor]:
        """(b, most) rows and shares of what each person liked before the like at `places`; shares 0 where there is no more."""
        around = places[:, None] + 1 + torch.arange(most, device=places.device)
        real = around < self.ends[places][:, None]
        around = around.clamp(max=max(len(self) - 1, 0))
        weights = torch.where(real, self.weights[around], 0.0)
        count = real.sum(dim=1, keepdim=True).clamp(min=1)
        return self.rows[around], weights / count.sqrt()

    def liked(self, users: Tensor, rows: Tensor, n_items: int) -> Tensor:
        """(b, j), True where that person likes that row; `users` is (b,), `rows` (b, j)."""
        asked = users[:, None] * n_items + rows
        at = torch.searchsorted(self.keys, asked).clamp(max=len(self) - 1)
        alike: Tensor = self.keys[at] == asked
        return alike


def relative_weights(liked: Pasts) -> Floats:
    """(k,) each like in units of that person's mean, so that a person of many views weighs as one of many likes."""
    sizes = np.diff(liked.indptr)
    total = np.add.reduceat(np.append(liked.weights, 0), liked.indptr[:-1]) * (sizes > 0)
    mean = total / np.maximum(sizes, 1)
    return np.asarray(liked.weights / np.repeat(np.where(mean > 0, mean, 1), sizes), dtype=np.float32)


def content_features(material: Material, words: int) -> sparse.csr_array:
    """(n_items, f) category, tags and attributes as unit rows, then the `words` most common words of the texts."""
    facets = item_features(material)
    plain = [replace(record, category=None, tags=(), attributes={}) for record in material.records]
    vectorizer = TfidfVectorizer(
        analyzer=lambda record: list(terms_of(record)), min_df=2, max_features=words or 1, sublinear_tf=True, dtype=np.float32
    )
    try:
        told = sparse.csr_array(vectorizer.fit_transform(plain)) if words else None
    except ValueError:  # scikit-learn's word for a site whose texts share no word
        told = None
    return facets if told is None else sparse.csr_array(sparse.hstack([facets, np.float32(WORDS_COUNT_AS) * told]))


def sparse_tensor(matrix: sparse.csr_array, device: torch.device) -> Tensor:
    """The same matrix for torch, in coordinates."""
    table = matrix.tocoo()
    places = torch.from_numpy(np.stack([table.row, table.col]).astype(np.int64))
    values = torch.from_numpy(table.data.astype(np.float32))
    return torch.sparse_coo_tensor(places, values, table.shape, check_invariants=True).coalesce().to(device)


def chances(counts: Floats, parameters: MarginParameters) -> Floats:
    """(n_items,) ascending sums of the chance with which an item is tried, ending at 1; items nobody liked are never tried."""
    weight = np.where(counts > 0, counts.astype(np.float64) ** parameters.popularity_power, 0.0)
    sums: Floats = (np.cumsum(weight) / weight.sum()).astype(np.float32)
    return sums
