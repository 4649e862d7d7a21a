"""A two-tower model: a user tower over the newest liked items and the profile, an item tower over id and features.

Trained a person at a time: a stretch of the past is hidden, the tower reads what came before it and must foresee the
hidden items among the whole catalogue. No vector belongs to a user, so a newcomer with six events gets one too.
"""

from dataclasses import asdict, dataclass, replace

import numpy as np
import torch
from torch import Tensor, nn

from recommendation_service.numeric import AnyArray, Floats, Ints, dense, unit_rows
from recommendation_service.training import metrics
from recommendation_service.training.evaluation import Panel
from recommendation_service.training.material import Material, NotEnough, Trained
from recommendation_service.training.report import Progress
from recommendation_service.training.torch_runs import best_device, deterministic
from recommendation_service.training.tower_inputs import (
    Lists,
    attribute_table,
    item_features,
    learned_lists,
    liked_lists,
    split_lists,
)
from recommendation_service.training.tower_parameters import TwoTowerParameters

WHOLE_CATALOGUE = 20_000  # items up to which the softmax is over all of them
SAMPLED_ITEMS = 8_192
LEAST_STEPS, SMALLEST_BATCH = 4, 16  # a site of sixty people must not learn in one step an epoch
MAX_ATTRIBUTES = 32


class Table(nn.Module):
    """A vector of `length` numbers a row; with a `width`, learned as so many and widened by a matrix of their own."""

    def __init__(self, rows: int, length: int, width: int, scale: float, share: float = 1.0) -> None:
        super().__init__()
        self.values = nn.Parameter(torch.randn(rows, width or length) * scale * share)
        self.widen = nn.Parameter(torch.randn(width, length) * width**-0.5) if width else None

    def rows(self) -> Tensor:
        """(rows, length)."""
        return self.values if self.widen is None else torch.mm(self.values, self.widen)


class Towers(nn.Module):
    """Both towers as plain tensors; `arrays` is what serving reads."""

    def __init__(self, n_items: int, n_features: int, n_attributes: int, parameters: TwoTowerParameters) -> None:
        super().__init__()
        d, h = parameters.dimension, parameters.hidden
        scale = d**-0.5
        self.item_own = nn.Parameter(torch.randn(n_items, d) * scale)
        self.item_features = Table(n_features, d, parameters.item_feature_dim, scale)
        self.history_own = nn.Parameter(torch.randn(n_items, d) * scale)
        self.history_features = Table(n_features, d, parameters.item_feature_dim, scale)
        self.attributes = Table(n_attributes, d, parameters.user_feature_dim, scale, 0.1)
        self.layer1 = nn.Linear(2 * d, h)
        self.layer2 = nn.Linear(h, d)

    def items(self, features: Tensor, known: Tensor) -> Tensor:
        """(n, d) unit vectors; an item that nobody liked (known 0) has only its features."""
        return nn.functional.normalize(self.item_own * known + features @ self.item_features.rows(), dim=1)

    def history(self, features: Tensor, known: Tensor) -> Tensor:
        """(n, d) what each item says about the person who liked it."""
        return self.history_own * known + features @ self.history_features.rows()

    def users(self, bag: Tensor, attributes: Tensor) -> Tensor:
        """(b, d) unit vectors."""
        hidden = torch.relu(self.layer1(torch.cat([bag, attributes], dim=1)))
        return nn.functional.normalize(self.layer2(hidden), dim=1)


@dataclass(frozen=True, slots=True, eq=False)
class _Inputs:
    """Everything a batch is cut from."""

    past: Lists
    own_attributes: Lists
    attribute_names: AnyArray
    features: Tensor  # (n_items, f) sparse
    known: Tensor  # (n_items, 1) 1 where somebody liked the item
    counts: AnyArray
    learners: Ints  # users whose past is long enough to hide a part of


def train_two_tower(
    material: Material, parameters: TwoTowerParameters, *, panel: Panel | None = None, progress: Progress | None = None
) -> Trained:
    """Both towers as arrays. With a panel, stops `patience` epochs after its best NDCG@10 and keeps that epoch's towers.

    The parameters given back say how many epochs were kept, so that a refit on more events can do as many.
    Deterministic on CPU for a seed and a number of threads. Raises NotEnough when nobody liked two items.
    """
    device = best_device()
    inputs = _inputs(material, device, parameters)
    if inputs.learners.size < 2:
        raise NotEnough(f"two-tower needs 2 people who liked 2 items each; this export has {inputs.learners.size}")
    with deterministic(parameters.seed):
        n_items, n_features = inputs.features.shape
        towers = Towers(n_items, n_features, inputs.attribute_names.size, parameters).to(device)
        arrays, epochs = _fit(towers, inputs, parameters, panel, progress or (lambda done, most, word: None))
    arrays |= {"item_ids": material.catalogue.ids.array, "attributes": inputs.attribute_names}
    return Trained("two_tower", arrays, asdict(replace(parameters, epochs=epochs)))


def _inputs(material: Material, device: torch.device, parameters: TwoTowerParameters) -> _Inputs:
    past = learned_lists(material, parameters.event_types, parameters.min_interactions)
    names, own = attribute_table(material.profiles)
    table = item_features(material).tocoo()
    places = torch.from_numpy(np.stack([table.row, table.col]).astype(np.int64))
    features = torch.sparse_coo_tensor(places, torch.from_numpy(table.data), table.shape, check_invariants=True).coalesce()
    counts = np.bincount(past.values, minlength=table.shape[0])
    known = torch.from_numpy((counts > 0).astype(np.float32))[:, None]
    return _Inputs(past, own, names, features.to(device), known.to(device), counts, np.flatnonzero(np.diff(past.indptr) > 1))


def _fit(
    towers: Towers, inputs: _Inputs, parameters: TwoTowerParameters, panel: Panel | None, progress: Progress
) -> tuple[dict[str, AnyArray], int]:
    optimizer = torch.optim.Adam(towers.parameters(), lr=parameters.learning_rate, weight_decay=parameters.weight_decay)
    rng = np.random.default_rng(parameters.seed)
    best, best_epoch, best_arrays = -1.0, 0, _arrays(towers, inputs)
    for epoch in range(1, parameters.epochs + 1):
        loss = _epoch(towers, optimizer, inputs, parameters, rng)
        if panel is None:
            progress(epoch, parameters.epochs, f"loss {loss:.3f}")
            continue
        arrays = _arrays(towers, inputs)
        found = metrics.ndcg(panel_scores(arrays, parameters, panel), panel.eligible, panel.relevant)
        progress(epoch, parameters.epochs, f"loss {loss:.3f}, validation NDCG@10 {found:.4f}")
        if found > best:
            best, best_epoch, best_arrays = found, epoch, arrays
        elif epoch - best_epoch >= parameters.patience:
            break
    return (_arrays(towers, inputs), parameters.epochs) if panel is None else (best_arrays, best_epoch)


def _epoch(
    towers: Towers, optimizer: torch.optim.Optimizer, inputs: _Inputs, parameters: TwoTowerParameters, rng: np.random.Generator
) -> float:
    shown, hidden = split_lists(inputs.past, rng, parameters.hide_least, parameters.hide_most)
    order = rng.permutation(inputs.learners)
    losses = []
    batch = int(np.clip(order.size // LEAST_STEPS, SMALLEST_BATCH, parameters.batch))
    for start in range(0, order.size, batch):
        who = order[start : start + batch]
        loss = _loss(towers, inputs, parameters, shown, hidden, who, rng)
        optimizer.zero_grad()
        torch.autograd.backward(loss)
        optimizer.step()
        losses.append(float(loss.detach()) * who.size)
    return sum(losses) / order.size


def _loss(
    towers: Towers,
    inputs: _Inputs,
    parameters: TwoTowerParameters,
    shown: Lists,
    hidden: Lists,
    who: Ints,
    rng: np.random.Generator,
) -> Tensor:
    past, weights = _weighted(shown, who, parameters)
    weights[rng.random(who.size) < parameters.blind] = 0
    own, mask = inputs.own_attributes.first(who, MAX_ATTRIBUTES)
    mask = mask & (rng.random(who.size) >= parameters.plain)[:, None]
    bag = _mean(towers.history(inputs.features, inputs.known), past, weights)
    users = towers.users(bag, _mean(towers.attributes.rows(), own, mask.astype(np.float32)))
    items = towers.items(inputs.features, inputs.known)
    wanted = hidden.drawn(who, parameters.targets, rng)
    rows, prior = _softmax_rows(inputs, wanted, rng)
    kept, added, columns = (torch.from_numpy(side).to(users.device) for side in (rows, prior, np.searchsorted(rows, wanted)))
    logits = users @ items[kept].T / parameters.temperature + added
    return -torch.log_softmax(logits, dim=1).gather(1, columns).mean()


def _softmax_rows(inputs: _Inputs, wanted: Ints, rng: np.random.Generator) -> tuple[Ints, Floats]:
    """Rows of the softmax, ascending, and what to add to their logits.

    All items that anybody liked; of a large catalogue the wanted ones and a uniform sample of the rest, each sampled
    row standing for 1 / q others like it (log-Q correction: Bengio & Senecal 2008, Yi et al. 2019).
    """
    everything = np.flatnonzero(inputs.counts)
    if everything.size <= WHOLE_CATALOGUE:
        return everything, np.zeros(everything.size, dtype=np.float32)
    drawn = rng.choice(everything, size=SAMPLED_ITEMS, replace=False)
    rows = np.union1d(drawn, wanted)
    stands_for = np.float32(np.log(everything.size / SAMPLED_ITEMS))
    return rows, np.where(np.isin(rows, wanted), np.float32(0), stands_for).astype(np.float32)


def _weighted(past: Lists, who: Ints, parameters: TwoTowerParameters) -> tuple[Ints, Floats]:
    rows, real = past.first(who, parameters.recent)
    return rows, np.where(real, parameters.decay ** np.arange(parameters.recent), 0).astype(np.float32)


def _mean(table: Tensor, places: Ints, weights: Floats) -> Tensor:
    """(b, d) weighted means of table rows; zeros where all weights are 0."""
    share = weights / np.maximum(weights.sum(axis=1, keepdims=True), np.float32(1e-12))
    where, how_much = (torch.from_numpy(side).to(table.device) for side in (places, share))
    return (nn.functional.embedding(where, table) * how_much[..., None]).sum(dim=1)


def _arrays(towers: Towers, inputs: _Inputs) -> dict[str, AnyArray]:
    with torch.no_grad():
        made = {
            "item_vectors": towers.items(inputs.features, inputs.known),
            "history_vectors": towers.history(inputs.features, inputs.known),
            "attribute_vectors": towers.attributes.rows(),
            "layer1_weights": towers.layer1.weight.T,
            "layer1_bias": towers.layer1.bias,
            "layer2_weights": towers.layer2.weight.T,
            "layer2_bias": towers.layer2.bias,
        }
        return {name: np.array(part.cpu().numpy(), dtype=np.float32, order="C") for name, part in made.items()}


def panel_scores(arrays: dict[str, AnyArray], parameters: TwoTowerParameters, panel: Panel) -> Floats:
    """(p, n_items) scores of a panel's people, by the same numpy forward pass as serving; NaN rows: nothing known."""
    past, weights = _weighted(liked_lists(panel.material.pasts), panel.users, parameters)
    _names, own = attribute_table(panel.material.profiles)
    places, mask = own.first(panel.users, MAX_ATTRIBUTES)
    bag = _mean_rows(arrays["history_vectors"], past, weights)
    attributes = _mean_rows(arrays["attribute_vectors"], places, mask.astype(np.float32))
    hidden = np.maximum(dense(np.hstack([bag, attributes]), arrays["layer1_weights"], arrays["layer1_bias"]), 0)
    users = unit_rows(dense(hidden, arrays["layer2_weights"], arrays["layer2_bias"]))
    scores: Floats = users @ arrays["item_vectors"].T
    scores[~(weights.any(axis=1) | mask.any(axis=1))] = np.nan
    return scores


def _mean_rows(table: Floats, places: Ints, weights: Floats) -> Floats:
    share = weights / np.maximum(weights.sum(axis=1, keepdims=True), np.float32(1e-12))
    mean: Floats = np.einsum("bpd,bp->bd", table[places], share).astype(np.float32)
    return mean
