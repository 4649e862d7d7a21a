"""Matrix factorisation that learns to rank: each liked item should beat another one by a margin.

An item's vector is its own embedding plus a projection of its content embedding, so a post of this morning has one too.
A person's vector is their own embedding plus the pooled vectors of what they liked before (SVD++: Koren 2008, "Factorization
Meets the Neighborhood"), so a click counts without training again and someone training never saw is served by six likes.
"""

from dataclasses import asdict, dataclass, replace

import numpy as np
import torch
from torch import Tensor, nn

from recommendation_service.core.numeric import AnyArray, Floats, Ints
from recommendation_service.training.data import Material, NotEnough, Trained
from recommendation_service.training.evaluation import metrics
from recommendation_service.training.evaluation.evaluator import Panel
from recommendation_service.training.models.margin_data import Likes, chances, content_features, relative_weights, sparse_tensor
from recommendation_service.training.models.margin_parameters import MarginParameters
from recommendation_service.training.models.torch_setup import best_device, deterministic
from recommendation_service.training.report import Progress

LEAST_STEPS, SMALLEST_BATCH = 8, 32  # a site of sixty people must not learn in one step an epoch
START = 0.1  # length of the vectors before the first step, against a margin of 1


class HybridRecommenderModel(nn.Module):
    """People and items as vectors of one space, and the content that shapes an item's; `arrays` is what serving reads."""

    def __init__(self, features: Tensor, known: Tensor, n_users: int, parameters: MarginParameters) -> None:
        """`features` is (n, f) sparse, `known` (n, 1) with 1 where somebody liked the item."""
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
        told: Tensor = torch.sparse.mm(self.features, self.content_table)
        return told

    def items(self, content: Tensor) -> Tensor:
        """(n, d) item vectors; an item that nobody liked has only its content's part."""
        return self.item_own * self.known + content @ self.item_projection

    def history(self, content: Tensor) -> Tensor:
        """(n, d) what each item says about the person who liked it."""
        return self.history_own * self.known + content @ self.history_projection


def _start(rows: int, columns: int, length: float) -> nn.Parameter:
    return nn.Parameter(torch.randn(rows, columns) * length / columns**0.5)


@dataclass(frozen=True, slots=True, eq=False)
class _Inputs:
    """Everything a batch is cut from."""

    likes: Likes
    sums: Tensor  # (n,) running chances of being tried
    known: Tensor  # (n, 1)
    n_items: int


def train_margin(
    material: Material, parameters: MarginParameters, *, panel: Panel | None = None, progress: Progress | None = None
) -> Trained:
    """The model as arrays. With a panel, stops `patience` epochs after its best NDCG@10 and keeps that epoch's arrays.

    The parameters given back say how many epochs were kept, so that a refit on more events can do as many.
    Deterministic on CPU for a seed. Raises NotEnough when fewer than two people liked two items each.
    """
    learners = int(np.count_nonzero(np.diff(material.pasts.liked().indptr) > 1))
    if learners < 2:
        raise NotEnough(f"margin needs 2 people who liked 2 items each; this export has {learners}")
    device = best_device()
    inputs = _inputs(material, parameters, device)
    with deterministic(parameters.seed):
        features = sparse_tensor(content_features(material, parameters.words), device)
        model = HybridRecommenderModel(features, inputs.known, len(material.pasts), parameters).to(device)
        arrays, epochs = _fit(model, inputs, parameters, panel, progress or (lambda done, most, word: None))
    arrays |= {"item_ids": material.catalogue.ids.array, "user_ids": material.user_ids.array}
    return Trained("margin", arrays, asdict(replace(parameters, epochs=epochs)))


def _inputs(material: Material, parameters: MarginParameters, device: torch.device) -> _Inputs:
    likes = Likes.of(material.pasts, device)
    n_items = len(material.catalogue)
    counts = np.bincount(material.pasts.liked().rows, minlength=n_items).astype(np.float32)
    known = torch.from_numpy((counts > 0).astype(np.float32))[:, None].to(device)
    return _Inputs(likes, torch.from_numpy(chances(counts, parameters)).to(device), known, n_items)


def _fit(
    model: HybridRecommenderModel, inputs: _Inputs, parameters: MarginParameters, panel: Panel | None, progress: Progress
) -> tuple[dict[str, AnyArray], int]:
    optimizer = torch.optim.Adam(model.parameters(), lr=parameters.learning_rate, weight_decay=parameters.weight_decay)
    best, best_epoch, best_arrays = -1.0, 0, _arrays(model)
    for epoch in range(1, parameters.epochs + 1):
        loss = _epoch(model, optimizer, inputs, parameters)
        if panel is None:
            progress(epoch, parameters.epochs, f"avg_loss {loss:.4f}")
            continue
        arrays = _arrays(model)
        found = metrics.ndcg(panel_scores(arrays, parameters, panel), panel.eligible, panel.relevant)
        progress(epoch, parameters.epochs, f"avg_loss {loss:.4f}, validation NDCG@10 {found:.4f}")
        if found > best:
            best, best_epoch, best_arrays = found, epoch, arrays
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
        places = order[start : start + batch]
        loss = _loss(model, inputs, parameters, places)
        optimizer.zero_grad()
        torch.autograd.backward(loss)
        optimizer.step()
        total += float(loss.detach()) * places.numel()
    return total / order.numel()


def _loss(model: HybridRecommenderModel, inputs: _Inputs, parameters: MarginParameters, places: Tensor) -> Tensor:
    likes = inputs.likes
    users, wanted = likes.users[places], likes.rows[places]
    tried = _tried(inputs, parameters, places)
    content = model.content()
    items, history = model.items(content), model.history(content)
    before, shares = likes.before(places, parameters.recent)
    own = (torch.rand(places.numel(), 1) >= parameters.alone).to(items.device)
    people = model.users_own[users] * own + (nn.functional.embedding(before, history) * shares[..., None]).sum(dim=1)
    good = (people * items[wanted]).sum(dim=1) + model.biases[wanted]
    others = (people[:, None, :] * items[tried]).sum(dim=2) + model.biases[tried]
    others = others.masked_fill(likes.liked(users, tried, inputs.n_items), -torch.inf)
    return _ranking_loss(good, others, parameters.margin, inputs.n_items)


def _tried(inputs: _Inputs, parameters: MarginParameters, places: Tensor) -> Tensor:
    drawn = torch.rand(places.numel(), parameters.negatives).to(inputs.sums.device)
    return torch.searchsorted(inputs.sums, drawn).clamp(max=inputs.n_items - 1)


def _ranking_loss(good: Tensor, others: Tensor, margin: float, n_items: int) -> Tensor:
    """Margin ranking loss against the hardest of the items tried, weighed by how far down the liked item seems to be.

    good is (b,), others (b, j) with -inf for items that are liked too. Hardest of several: Zhang, Chen, Wang & Yu (2013),
    "Optimizing Top-N Collaborative Filtering via Dynamic Negative Item Sampling". The weight log(rank + 1), with the rank
    told from the share that violates the margin: Weston, Bengio & Usunier (2011), "WSABIE", as a batch takes it in Hsieh
    et al. (2017), "Collaborative Metric Learning". Scaled to at most 1, so that the loss compares between sites.
    """
    hardest = others.max(dim=1).values
    usable = torch.isfinite(hardest)
    if not bool(usable.any()):
        return (good * 0).sum()
    violated = (others > good[:, None] - margin).float().mean(dim=1).detach()
    weight = torch.log1p(violated * n_items) / float(np.log1p(n_items))
    lost = nn.functional.margin_ranking_loss(
        good[usable], hardest[usable], torch.ones_like(good[usable]), margin=margin, reduction="none"
    )
    return (lost * weight[usable]).mean()


def _arrays(model: HybridRecommenderModel) -> dict[str, AnyArray]:
    with torch.no_grad():
        content = model.content()
        known = model.known[:, 0] > 0
        usual = model.biases[known].mean()  # an item that nobody met yet counts as middling
        made = {
            "item_vectors": model.items(content),
            "item_biases": torch.where(known, model.biases, usual),
            "history_vectors": model.history(content),
            "content_vectors": content,
            "user_vectors": model.users_own,
        }
        return {name: np.array(part.cpu().numpy(), dtype=np.float32, order="C") for name, part in made.items()}


def panel_scores(arrays: dict[str, AnyArray], parameters: MarginParameters, panel: Panel) -> Floats:
    """(p, n_items) scores of a panel's people, as the serving engine gives them; NaN rows: nothing known."""
    liked = panel.material.pasts.liked()
    weights = relative_weights(liked)
    scores = np.full((len(panel), len(panel.material.catalogue)), np.nan, dtype=np.float32)
    for place, user in enumerate(panel.users.tolist()):
        start, end = int(liked.indptr[user]), int(liked.indptr[user + 1])
        stop = min(end, start + parameters.recent)
        if stop > start:
            rows: Ints = liked.rows[start:stop]
            pooled = weights[start:stop] @ arrays["history_vectors"][rows] / np.sqrt(np.float32(rows.size))
            scores[place] = arrays["item_vectors"] @ (arrays["user_vectors"][user] + pooled) + arrays["item_biases"]
    return scores
