"""Matrix factorisation with a ranking loss: each liked item should score higher than another item by a margin.

An item's vector is an embedding plus a projection of its content embedding, so a new item has a vector, too. A user's
vector is an embedding plus the pooled vectors of earlier likes (SVD++: Koren 2008, "Factorization Meets the
Neighborhood"), so a click counts without training, and a new user with a few likes gets recommendations.
"""

from collections.abc import Mapping
from dataclasses import asdict, dataclass, replace

import numpy as np
import torch
from scipy import sparse
from torch import Tensor, nn

from recommendation_service.core.numeric import AnyArray, Floats
from recommendation_service.training.data import NotEnough, Trained, TrainingData
from recommendation_service.training.evaluation.evaluator import EvaluationUsers
from recommendation_service.training.models.content import item_features, tf_idf
from recommendation_service.training.models.torch_training import (
    best_device,
    deterministic,
    float_arrays,
    ndcg_on,
    sparse_tensor,
    take_step,
    to_device,
    train_epochs,
)
from recommendation_service.training.parameters import MarginParameters
from recommendation_service.training.report import Progress
from recommendation_service.training.user_histories import UserHistories

LEAST_STEPS, SMALLEST_BATCH = 8, 32  # a site of sixty users needs more than one step per epoch
START = 0.1  # length of the vectors before the first step; the margin is 1
TEXT_WEIGHT = 0.5  # weight of an item's words relative to its category and tags


class HybridRecommenderModel(nn.Module):
    """Users and items as vectors of one space, with a content part of the item vectors."""

    def __init__(self, features: Tensor, known: Tensor, n_users: int, parameters: MarginParameters) -> None:
        """`features` is (n, f) sparse, `known` (n, 1) is 1 for items with a like."""
        super().__init__()
        n_items, n_features = features.shape
        d, c = parameters.emb_dim, parameters.content_dim
        self.features, self.known = features, known
        self.content_table = _random_vectors(n_features, c, 1.0)
        self.item_projection, self.history_projection = _random_vectors(c, d), _random_vectors(c, d)
        self.item_embeddings, self.history_embeddings = _random_vectors(n_items, d), _random_vectors(n_items, d)
        self.user_embeddings = _random_vectors(n_users, d)
        self.biases = nn.Parameter(torch.zeros(n_items))

    def content(self) -> Tensor:
        """(n, c) content embeddings: category, tags and words."""
        content: Tensor = torch.sparse.mm(self.features, self.content_table)
        return content

    def items(self, content: Tensor) -> Tensor:
        """(n, d) item vectors; an item without likes has only its content part."""
        return self.item_embeddings * self.known + content @ self.item_projection

    def history(self, content: Tensor) -> Tensor:
        """(n, d) vectors of the items as parts of a user's history."""
        return self.history_embeddings * self.known + content @ self.history_projection

    def arrays(self) -> dict[str, AnyArray]:
        """The arrays that serving reads."""
        with torch.no_grad():
            content, known = self.content(), self.known[:, 0] > 0
            return float_arrays(
                {
                    "item_vectors": self.items(content),
                    "item_biases": torch.where(known, self.biases, self.biases[known].mean()),  # a new item: the mean bias
                    "history_vectors": self.history(content),
                    "content_vectors": content,
                    "user_vectors": self.user_embeddings,
                }
            )


def _random_vectors(rows: int, columns: int, length: float = START) -> nn.Parameter:
    return nn.Parameter(torch.randn(rows, columns) * length / columns**0.5)


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
        keys = np.sort(users * histories.n_items + liked.rows)
        return cls(*to_device(device, users, liked.rows, relative_weights(liked), liked.indptr[users + 1], keys))

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


def train_margin(
    material: TrainingData,
    parameters: MarginParameters,
    *,
    panel: EvaluationUsers | None = None,
    progress: Progress | None = None,
) -> Trained:
    """Train the model; return its arrays. With a panel, the epoch with the best NDCG@10 is used, with early stopping.

    The returned parameters contain that number of epochs, so that a refit on more events can use it.
    Deterministic on CPU for a seed. Raises NotEnough if fewer than two users liked two items each.
    """
    liked = material.histories.liked()
    learners = int(np.count_nonzero(np.diff(liked.indptr) > 1))
    if learners < 2:
        raise NotEnough(f"margin needs 2 people who liked 2 items each; this export has {learners}")
    device, counts = best_device(), np.bincount(liked.rows, minlength=len(material.catalogue)).astype(np.float32)
    with deterministic(parameters.seed):
        features = sparse_tensor(content_features(material, parameters.words), device)
        known, cumulative = to_device(device, (counts > 0).astype(np.float32)[:, None], chances(counts, parameters))
        model = HybridRecommenderModel(features, known, len(material.histories), parameters).to(device)
        training = _Training(model, Likes.of(material.histories, device), cumulative, parameters)
        arrays, epochs = train_epochs(
            parameters.epochs,
            training.epoch,
            model.arrays,
            validate=None if panel is None else ndcg_on(panel, lambda arrays: panel_scores(arrays, parameters, panel)),
            patience=parameters.patience,
            progress=progress,
        )
    arrays |= {"item_ids": material.catalogue.ids.array, "user_ids": material.user_ids.array}
    return Trained("margin", arrays, asdict(replace(parameters, epochs=epochs)))


class _Training:
    """The model in training, with the likes it learns from and the (n,) cumulative probabilities of negative items."""

    def __init__(self, model: HybridRecommenderModel, likes: Likes, cumulative: Tensor, parameters: MarginParameters) -> None:
        self._model, self._likes, self._cumulative, self._parameters = model, likes, cumulative, parameters
        self._optimizer = torch.optim.Adam(
            model.parameters(), lr=parameters.learning_rate, weight_decay=parameters.weight_decay
        )

    def epoch(self, _number: int) -> str:
        """Train on each like once."""
        order = torch.randperm(len(self._likes)).to(self._cumulative.device)
        batch = int(np.clip(order.numel() // LEAST_STEPS, SMALLEST_BATCH, self._parameters.batch))
        total = 0.0
        for start in range(0, order.numel(), batch):
            positions = order[start : start + batch]
            total += take_step(self._optimizer, self._loss(positions)) * positions.numel()
        return f"avg_loss {total / order.numel():.4f}"

    def _loss(self, positions: Tensor) -> Tensor:
        model, likes, parameters, n_items = self._model, self._likes, self._parameters, self._cumulative.numel()
        users, wanted = likes.users[positions], likes.rows[positions]
        drawn = torch.rand(positions.numel(), parameters.negatives).to(positions.device)
        negatives = torch.searchsorted(self._cumulative, drawn).clamp(max=n_items - 1)
        content = model.content()
        items, history = model.items(content), model.history(content)
        before, shares = likes.before(positions, parameters.recent)
        uses_embedding = (torch.rand(positions.numel(), 1) >= parameters.alone).to(items.device)
        pooled = (nn.functional.embedding(before, history) * shares[..., None]).sum(dim=1)
        people = model.user_embeddings[users] * uses_embedding + pooled
        positive = (people * items[wanted]).sum(dim=1) + model.biases[wanted]
        negative_scores = (people[:, None, :] * items[negatives]).sum(dim=2) + model.biases[negatives]
        negative_scores = negative_scores.masked_fill(likes.liked(users, negatives, n_items), -torch.inf)
        return _ranking_loss(positive, negative_scores, parameters.margin, n_items)


def _ranking_loss(positive: Tensor, negative_scores: Tensor, margin: float, n_items: int) -> Tensor:
    """Margin ranking loss against the hardest negative, weighted by the estimated rank of the liked item.

    positive is (b,), negative_scores (b, j) with -inf for items that are also liked. Hardest of several negatives: Zhang,
    Chen, Wang & Yu (2013), "Optimizing Top-N Collaborative Filtering via Dynamic Negative Item Sampling". The weight is
    log(rank + 1), with the rank estimated from the share that violates the margin: Weston, Bengio & Usunier (2011),
    "WSABIE", in batch form as in Hsieh et al. (2017), "Collaborative Metric Learning". It is scaled to at most 1, so that
    losses are comparable between sites.
    """
    hardest = negative_scores.max(dim=1).values
    usable = torch.isfinite(hardest)
    if not bool(usable.any()):
        return (positive * 0).sum()
    violated = (negative_scores > positive[:, None] - margin).float().mean(dim=1).detach()
    weight = torch.log1p(violated * n_items) / float(np.log1p(n_items))
    losses = nn.functional.margin_ranking_loss(
        positive[usable], hardest[usable], torch.ones_like(positive[usable]), margin=margin, reduction="none"
    )
    return (losses * weight[usable]).mean()


def relative_weights(liked: UserHistories) -> Floats:
    """(k,) each like relative to the mean weight of its user, so that users with many views do not dominate."""
    sizes = np.diff(liked.indptr)
    total = np.add.reduceat(np.append(liked.weights, 0), liked.indptr[:-1]) * (sizes > 0)
    mean = total / np.maximum(sizes, 1)
    return np.asarray(liked.weights / np.repeat(np.where(mean > 0, mean, 1), sizes), dtype=np.float32)


def content_features(material: TrainingData, words: int) -> sparse.csr_array:
    """(n_items, f) unit rows of category, tags and attributes, then the `words` most common words of the texts."""
    facets = item_features(material.records)
    texts = [replace(record, category=None, tags=(), attributes={}) for record in material.records]
    matrix, terms = tf_idf(texts, min_df=2, max_features=words) if words else (facets, [])
    return sparse.csr_array(sparse.hstack([facets, np.float32(TEXT_WEIGHT) * matrix])) if terms else facets


def chances(counts: Floats, parameters: MarginParameters) -> Floats:
    """(n_items,) cumulative probabilities of the items as negatives, ending at 1; items without likes are never drawn."""
    weight = np.where(counts > 0, counts.astype(np.float64) ** parameters.popularity_power, 0.0)
    sums: Floats = (np.cumsum(weight) / weight.sum()).astype(np.float32)
    return sums


def panel_scores(arrays: Mapping[str, AnyArray], parameters: MarginParameters, panel: EvaluationUsers) -> Floats:
    """(p, n_items) scores of the panel's users, as the serving engine computes them; NaN rows: no likes."""
    liked = panel.material.histories.liked()
    weights = relative_weights(liked)
    scores = np.full((len(panel), len(panel.material.catalogue)), np.nan, dtype=np.float32)
    for index, user in enumerate(panel.users.tolist()):
        start, end = int(liked.indptr[user]), int(liked.indptr[user + 1])
        stop = min(end, start + parameters.recent)
        if stop > start:
            rows = liked.rows[start:stop]
            pooled = weights[start:stop] @ arrays["history_vectors"][rows] / np.sqrt(np.float32(rows.size))
            scores[index] = arrays["item_vectors"] @ (arrays["user_vectors"][user] + pooled) + arrays["item_biases"]
    return scores
