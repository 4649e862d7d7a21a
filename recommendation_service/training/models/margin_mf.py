"""Matrix factorisation with a ranking loss: each liked item should score higher than another item by a margin.

An item's vector is its own embedding plus a projection of its content embedding, so a new item has a vector, too. A user's
vector is their own embedding plus the pooled vectors of earlier likes (SVD++: Koren 2008, "Factorization Meets the
Neighborhood"), so a click counts without training, and a new user with a few likes gets recommendations.
"""

from dataclasses import asdict, dataclass, replace

import numpy as np
import torch
from torch import Tensor, nn

from recommendation_service.core.numeric import AnyArray, Floats, Ints
from recommendation_service.training.data import NotEnough, Trained, TrainingData
from recommendation_service.training.evaluation import metrics
from recommendation_service.training.evaluation.evaluator import EvaluationUsers
from recommendation_service.training.models.margin_data import Likes, chances, content_features, relative_weights, sparse_tensor
from recommendation_service.training.models.margin_parameters import MarginParameters
from recommendation_service.training.models.torch_setup import best_device, deterministic
from recommendation_service.training.report import Progress

LEAST_STEPS, SMALLEST_BATCH = 8, 32  # a site of sixty users needs more than one step per epoch
START = 0.1  # length of the vectors before the first step, against a margin of 1


class HybridRecommenderModel(nn.Module):
    """Users and items as vectors of one space, with a content part of the item vectors."""

    def __init__(self, features: Tensor, known: Tensor, n_users: int, parameters: MarginParameters) -> None:
        """`features` is (n, f) sparse, `known` (n, 1) is 1 for items with a like."""
        super().__init__()
        n_items, n_features = features.shape
        d, c = parameters.emb_dim, parameters.content_dim
        self.features, self.known = features, known
        self.content_table = _start(n_features, c, 1.0)
        self.item_projection, self.history_projection = _start(c, d, START), _start(c, d, START)
        self.item_own, self.history_own = _start(n_items, d, START), _start(n_items, d, START)
        self.users_own = _start(n_users, d, START)
        self.biases = nn.Parameter(torch.zeros(n_items))

    def content(self) -> Tensor:
        """(n, c) content embeddings: category, tags and words."""
        content: Tensor = torch.sparse.mm(self.features, self.content_table)
        return content

    def items(self, content: Tensor) -> Tensor:
        """(n, d) item vectors; an item without likes has only its content part."""
        return self.item_own * self.known + content @ self.item_projection

    def history(self, content: Tensor) -> Tensor:
        """(n, d) vectors of the items as parts of a user's history."""
        return self.history_own * self.known + content @ self.history_projection


def _start(rows: int, columns: int, length: float) -> nn.Parameter:
    return nn.Parameter(torch.randn(rows, columns) * length / columns**0.5)


@dataclass(frozen=True, slots=True, eq=False)
class _Inputs:
    """The data that batches are taken from."""

    likes: Likes
    sums: Tensor  # (n,) cumulative sampling probabilities
    known: Tensor  # (n, 1)
    n_items: int


def train_margin(
    material: TrainingData,
    parameters: MarginParameters,
    *,
    panel: EvaluationUsers | None = None,
    progress: Progress | None = None,
) -> Trained:
    """Train the model; returns its arrays. With a panel, the epoch with the best NDCG@10 is used, with early stopping.

    The returned parameters contain that number of epochs, so that a refit on more events can use it.
    Deterministic on CPU for a seed. Raises NotEnough if fewer than two users liked two items each.
    """
    learners = int(np.count_nonzero(np.diff(material.histories.liked().indptr) > 1))
    if learners < 2:
        raise NotEnough(f"margin needs 2 people who liked 2 items each; this export has {learners}")
    device = best_device()
    inputs = _inputs(material, parameters, device)
    with deterministic(parameters.seed):
        features = sparse_tensor(content_features(material, parameters.words), device)
        model = HybridRecommenderModel(features, inputs.known, len(material.histories), parameters).to(device)
        arrays, epochs = _fit(model, inputs, parameters, panel, progress or (lambda done, most, word: None))
    arrays |= {"item_ids": material.catalogue.ids.array, "user_ids": material.user_ids.array}
    return Trained("margin", arrays, asdict(replace(parameters, epochs=epochs)))


def _inputs(material: TrainingData, parameters: MarginParameters, device: torch.device) -> _Inputs:
    likes = Likes.of(material.histories, device)
    n_items = len(material.catalogue)
    counts = np.bincount(material.histories.liked().rows, minlength=n_items).astype(np.float32)
    known = torch.from_numpy((counts > 0).astype(np.float32))[:, None].to(device)
    return _Inputs(likes, torch.from_numpy(chances(counts, parameters)).to(device), known, n_items)


def _fit(
    model: HybridRecommenderModel,
    inputs: _Inputs,
    parameters: MarginParameters,
    panel: EvaluationUsers | None,
    progress: Progress,
) -> tuple[dict[str, AnyArray], int]:
    optimizer = torch.optim.Adam(model.parameters(), lr=parameters.learning_rate, weight_decay=parameters.weight_decay)
    best, best_epoch, best_arrays = -1.0, 0, _arrays(model)
    for epoch in range(1, parameters.epochs + 1):
        loss = _epoch(model, optimizer, inputs, parameters)
        if panel is None:
            progress(epoch, parameters.epochs, f"avg_loss {loss:.4f}")
            continue
        arrays = _arrays(model)
        score = metrics.ndcg(panel_scores(arrays, parameters, panel), panel.eligible, panel.relevant)
        progress(epoch, parameters.epochs, f"avg_loss {loss:.4f}, validation NDCG@10 {score:.4f}")
        if score > best:
            best, best_epoch, best_arrays = score, epoch, arrays
        elif epoch - best_epoch >= parameters.patience:
            break
    return (_arrays(model), parameters.epochs) if panel is None else (best_arrays, best_epoch)


def _epoch(
    model: HybridRecommenderModel, optimizer: torch.optim.Optimizer, inputs: _Inputs, parameters: MarginParameters
) -> float:
    order = torch.randperm(len(inputs.likes)).to(inputs.known.device)
    batch = int(np.clip(order.numel() // LEAST_STEPS, SMALLEST_BATCH, parameters.batch))
    total = 0.0
    for start in range(0, order.numel(), batch):
        positions = order[start : start + batch]
        loss = _loss(model, inputs, parameters, positions)
        optimizer.zero_grad()
        torch.autograd.backward(loss)
        optimizer.step()
        total += float(loss.detach()) * positions.numel()
    return total / order.numel()


def _loss(model: HybridRecommenderModel, inputs: _Inputs, parameters: MarginParameters, positions: Tensor) -> Tensor:
    likes = inputs.likes
    users, wanted = likes.users[positions], likes.rows[positions]
    negatives = _sample_negatives(inputs, parameters, positions)
    content = model.content()
    items, history = model.items(content), model.history(content)
    before, shares = likes.before(positions, parameters.recent)
    uses_own_vector = (torch.rand(positions.numel(), 1) >= parameters.alone).to(items.device)
    people = model.users_own[users] * uses_own_vector + (nn.functional.embedding(before, history) * shares[..., None]).sum(
        dim=1
    )
    positive = (people * items[wanted]).sum(dim=1) + model.biases[wanted]
    negative_scores = (people[:, None, :] * items[negatives]).sum(dim=2) + model.biases[negatives]
    negative_scores = negative_scores.masked_fill(likes.liked(users, negatives, inputs.n_items), -torch.inf)
    return _ranking_loss(positive, negative_scores, parameters.margin, inputs.n_items)


def _sample_negatives(inputs: _Inputs, parameters: MarginParameters, positions: Tensor) -> Tensor:
    drawn = torch.rand(positions.numel(), parameters.negatives).to(inputs.sums.device)
    return torch.searchsorted(inputs.sums, drawn).clamp(max=inputs.n_items - 1)


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


def _arrays(model: HybridRecommenderModel) -> dict[str, AnyArray]:
    with torch.no_grad():
        content = model.content()
        known = model.known[:, 0] > 0
        mean_bias = model.biases[known].mean()  # a new item gets the mean bias
        made = {
            "item_vectors": model.items(content),
            "item_biases": torch.where(known, model.biases, mean_bias),
            "history_vectors": model.history(content),
            "content_vectors": content,
            "user_vectors": model.users_own,
        }
        return {name: np.array(part.cpu().numpy(), dtype=np.float32, order="C") for name, part in made.items()}


def panel_scores(arrays: dict[str, AnyArray], parameters: MarginParameters, panel: EvaluationUsers) -> Floats:
    """(p, n_items) scores of the panel's users, as the serving engine computes them; NaN rows: nothing known."""
    liked = panel.material.histories.liked()
    weights = relative_weights(liked)
    scores = np.full((len(panel), len(panel.material.catalogue)), np.nan, dtype=np.float32)
    for index, user in enumerate(panel.users.tolist()):
        start, end = int(liked.indptr[user]), int(liked.indptr[user + 1])
        stop = min(end, start + parameters.recent)
        if stop > start:
            rows: Ints = liked.rows[start:stop]
            pooled = weights[start:stop] @ arrays["history_vectors"][rows] / np.sqrt(np.float32(rows.size))
            scores[index] = arrays["item_vectors"] @ (arrays["user_vectors"][user] + pooled) + arrays["item_biases"]
    return scores
