"""A two-tower model: a user tower over the newest liked items and the profile, an item tower over id and features.

It is trained on cuts of histories: the tower reads the items before a cut and predicts the items after it among the whole
catalogue. A long hidden part teaches taste, the next few items teach order. No vector belongs to a user, so a new user with
six events has a vector, too.
"""

from dataclasses import asdict, dataclass, replace

import numpy as np
import torch
from scipy import sparse
from torch import Tensor, nn

from recommendation_service.core.numeric import AnyArray, Bools, Floats, Ints, dense, unit_rows
from recommendation_service.training.data import NotEnough, Trained, TrainingData
from recommendation_service.training.evaluation import metrics
from recommendation_service.training.evaluation.evaluator import EvaluationUsers
from recommendation_service.training.models.sampled_softmax import WHOLE_CATALOGUE, softmax_rows
from recommendation_service.training.models.torch_setup import best_device, deterministic
from recommendation_service.training.models.two_tower_data import (
    Cuts,
    Lists,
    attribute_table,
    item_features,
    learned_lists,
    liked_lists,
    steps,
    stretches,
)
from recommendation_service.training.models.two_tower_init import start_vectors
from recommendation_service.training.models.two_tower_network import MEAN_OF, Averaged, Towers
from recommendation_service.training.parameters import TwoTowerParameters
from recommendation_service.training.report import Progress

SAMPLED_ITEMS = 8_192
EPOCH_LOGITS = 100_000_000  # upper limit, so that an epoch takes seconds on any catalogue
LARGE_EPOCHS = 25  # upper limit with sampled softmax, so that training ends within minutes
LEAST_STEPS, SMALLEST_BATCH = 4, 16  # a site of sixty users needs more than one step per epoch
MAX_ATTRIBUTES = 32


@dataclass(frozen=True, slots=True, eq=False)
class _Inputs:
    """The data that batches are taken from."""

    history: Lists
    user_attributes: Lists
    attribute_names: AnyArray
    features: sparse.csr_array  # (n_items, f)
    counts: Ints  # (n_items,) users who liked the item
    learners: Ints  # users whose history is long enough to hide a part
    liked: Ints  # rows of items with at least one like
    device: torch.device

    whole: tuple[Tensor, Tensor]  # the result of `of` for all liked items

    def of(self, rows: Ints) -> tuple[Tensor, Tensor]:
        """Items' rows, and their (n, f) sparse features."""
        return self.whole if rows is self.liked else _tensors(self.features, rows, self.device)


def train_two_tower(
    material: TrainingData,
    parameters: TwoTowerParameters,
    *,
    panel: EvaluationUsers | None = None,
    progress: Progress | None = None,
) -> Trained:
    """Train both towers; returns their arrays. With a panel, the epoch with the best NDCG@10 is used, with early stopping.

    The returned parameters contain that number of epochs, so that a refit on more events can use it.
    Deterministic on CPU for a seed and a number of threads. Raises NotEnough if fewer than two users liked two items.
    """
    inputs = _inputs(material, best_device(), parameters)
    if inputs.learners.size < 2:
        raise NotEnough(f"two-tower needs 2 people who liked 2 items each; this export has {inputs.learners.size}")
    with deterministic(parameters.seed):
        towers = _towers(inputs, parameters)
        arrays, epochs = _fit(towers, inputs, parameters, panel, progress or (lambda done, most, word: None))
    arrays |= {"item_ids": material.catalogue.ids.array, "attributes": inputs.attribute_names}
    return Trained("two_tower", arrays, asdict(replace(parameters, epochs=epochs)))


def _inputs(material: TrainingData, device: torch.device, parameters: TwoTowerParameters) -> _Inputs:
    history = learned_lists(material, parameters.event_types, parameters.min_interactions)
    names, attributes = attribute_table(material.profiles)
    features = item_features(material)
    counts = np.bincount(history.values, minlength=features.shape[0])
    learners, liked = np.flatnonzero(np.diff(history.indptr) > 1), np.flatnonzero(counts)
    return _Inputs(history, attributes, names, features, counts, learners, liked, device, _tensors(features, liked, device))


def _tensors(table: sparse.csr_array, rows: Ints, device: torch.device) -> tuple[Tensor, Tensor]:
    block = sparse.coo_array(table[rows])
    indices = torch.from_numpy(np.stack([block.row, block.col]).astype(np.int64))
    features = torch.sparse_coo_tensor(indices, torch.from_numpy(block.data), block.shape, check_invariants=True)
    return torch.from_numpy(rows).to(device), features.coalesce().to(device)


def _towers(inputs: _Inputs, parameters: TwoTowerParameters) -> Towers:
    n_items, n_features = inputs.features.shape
    towers = Towers(n_items, n_features, inputs.attribute_names.size, parameters)
    if parameters.counted_start:
        start = start_vectors(inputs.history, n_items, parameters.dimension, parameters.decay)
        if start is not None:
            towers.initialise(*start)
    towers.leave_out(torch.from_numpy(np.flatnonzero(inputs.counts == 0)))
    return towers.to(inputs.device)


def _fit(
    towers: Towers, inputs: _Inputs, parameters: TwoTowerParameters, panel: EvaluationUsers | None, progress: Progress
) -> tuple[dict[str, AnyArray], int]:
    optimizer = torch.optim.Adam(towers.parameters(), lr=parameters.learning_rate, weight_decay=parameters.weight_decay)
    rng = np.random.default_rng(parameters.seed)
    averaged = Averaged(towers, MEAN_OF if parameters.counted_start else 0.0)  # from a random start the mean only lags
    people = None if panel is None else _People.of(panel, parameters)
    best, best_epoch, best_arrays = -1.0, 0, _arrays(towers, inputs)
    most = parameters.epochs if inputs.liked.size <= WHOLE_CATALOGUE else min(parameters.epochs, LARGE_EPOCHS)
    for epoch in range(1, most + 1):
        loss = _epoch(averaged, optimizer, inputs, parameters, rng)
        if panel is None or people is None:
            progress(epoch, most, f"loss {loss:.3f}")
            continue
        arrays = _arrays(averaged.mean, inputs)
        score = metrics.ndcg(people.scores(arrays), panel.eligible, panel.relevant)
        progress(epoch, most, f"loss {loss:.3f}, validation NDCG@10 {score:.4f}")
        if score > best:
            best, best_epoch, best_arrays = score, epoch, arrays
        elif epoch - best_epoch >= parameters.patience:
            break
    return (_arrays(averaged.mean, inputs), most) if panel is None else (best_arrays, best_epoch)


def _epoch(
    averaged: Averaged,
    optimizer: torch.optim.Optimizer,
    inputs: _Inputs,
    parameters: TwoTowerParameters,
    rng: np.random.Generator,
) -> float:
    cuts = _cuts(inputs, parameters, rng)
    losses = []
    batch = int(np.clip(len(cuts) // LEAST_STEPS, SMALLEST_BATCH, parameters.batch))
    for start in range(0, len(cuts), batch):
        some = cuts.some(np.arange(start, min(start + batch, len(cuts))))
        loss = _loss(averaged.trained, inputs, parameters, some, rng)
        optimizer.zero_grad()
        torch.autograd.backward(loss)
        optimizer.step()
        averaged.follow()
        losses.append(float(loss.detach()) * len(some))
    return sum(losses) / len(cuts)


def _cuts(inputs: _Inputs, parameters: TwoTowerParameters, rng: np.random.Generator) -> Cuts:
    n = inputs.liked.size
    most = EPOCH_LOGITS // (n if n <= WHOLE_CATALOGUE else SAMPLED_ITEMS)
    if parameters.ahead:
        return steps(inputs.history, rng, parameters.ahead, min(most, parameters.cuts * inputs.learners.size))
    history = inputs.history if parameters.in_order else inputs.history.shuffled(rng)
    who = rng.permutation(inputs.learners)[:most]
    return stretches(history, who, rng, parameters.hide_least, parameters.hide_most)


def _loss(towers: Towers, inputs: _Inputs, parameters: TwoTowerParameters, cuts: Cuts, rng: np.random.Generator) -> Tensor:
    history, real = cuts.shown(parameters.recent)
    weights = _faded(real, parameters)
    weights[rng.random(len(cuts)) < parameters.blind] = 0
    attributes, mask = inputs.user_attributes.first(cuts.who, MAX_ATTRIBUTES)
    mask = mask & (rng.random(len(cuts)) >= parameters.plain)[:, None]
    wanted = cuts.wanted(parameters.targets, rng)
    rows, prior = softmax_rows(inputs.liked, wanted, rng, whole=WHOLE_CATALOGUE, sampled=SAMPLED_ITEMS)
    read = rows if rows is inputs.liked else np.unique(history)
    bag = _mean(towers.history(*inputs.of(read)), np.searchsorted(read, history), weights)
    users = towers.users(bag, _mean(towers.attributes.rows(), attributes, mask.astype(np.float32)))
    added, columns = (torch.from_numpy(side).to(users.device) for side in (prior, np.searchsorted(rows, wanted)))
    logits = users @ towers.items(*inputs.of(rows)).T / parameters.temperature + added
    return (torch.logsumexp(logits, dim=1, keepdim=True) - logits.gather(1, columns)).mean()


def _faded(real: Bools, parameters: TwoTowerParameters) -> Floats:
    return np.where(real, parameters.decay ** np.arange(parameters.recent), 0).astype(np.float32)


def _mean(table: Tensor, indices: Ints, weights: Floats) -> Tensor:
    """(b, d) weighted means of table rows; zeros where all weights are 0."""
    share = weights / np.maximum(weights.sum(axis=1, keepdims=True), np.float32(1e-12))
    rows, row_weights = (torch.from_numpy(side).to(table.device) for side in (indices, share))
    return nn.functional.embedding_bag(rows, table, mode="sum", per_sample_weights=row_weights)


def _arrays(towers: Towers, inputs: _Inputs) -> dict[str, AnyArray]:
    everything = inputs.of(np.arange(inputs.counts.size))
    with torch.no_grad():
        made = {
            "item_vectors": towers.items(*everything),
            "history_vectors": towers.history(*everything),
            "attribute_vectors": towers.attributes.rows(),
            "layer1_weights": towers.layer1.weight.T,
            "layer1_bias": towers.layer1.bias,
            "layer2_weights": towers.layer2.weight.T,
            "layer2_bias": towers.layer2.bias,
        }
        return {name: np.array(part.cpu().numpy(), dtype=np.float32, order="C") for name, part in made.items()}


@dataclass(frozen=True, slots=True, eq=False)
class _People:
    """A panel's users as inputs of the towers."""

    history: Ints  # (p, recent) item rows
    weights: Floats  # (p, recent)
    attributes: Ints  # (p, MAX_ATTRIBUTES) indices
    mask: Bools  # (p, MAX_ATTRIBUTES)

    @classmethod
    def of(cls, panel: EvaluationUsers, parameters: TwoTowerParameters) -> "_People":
        history, real = liked_lists(panel.material.histories).first(panel.users, parameters.recent)
        _names, attributes = attribute_table(panel.material.profiles)
        return cls(history, _faded(real, parameters), *attributes.first(panel.users, MAX_ATTRIBUTES))

    def scores(self, arrays: dict[str, AnyArray]) -> Floats:
        """(p, n_items) scores; NaN rows for users without history and profile."""
        bag = _mean_rows(arrays["history_vectors"], self.history, self.weights)
        attributes = _mean_rows(arrays["attribute_vectors"], self.attributes, self.mask.astype(np.float32))
        hidden = np.maximum(dense(np.hstack([bag, attributes]), arrays["layer1_weights"], arrays["layer1_bias"]), 0)
        users = unit_rows(dense(hidden, arrays["layer2_weights"], arrays["layer2_bias"]))
        scores: Floats = users @ arrays["item_vectors"].T
        scores[~(self.weights.any(axis=1) | self.mask.any(axis=1))] = np.nan
        return scores


def panel_scores(arrays: dict[str, AnyArray], parameters: TwoTowerParameters, panel: EvaluationUsers) -> Floats:
    """(p, n_items) scores of the panel's users by the numpy forward pass of serving; NaN rows: nothing known."""
    return _People.of(panel, parameters).scores(arrays)


def _mean_rows(table: Floats, indices: Ints, weights: Floats) -> Floats:
    share = weights / np.maximum(weights.sum(axis=1, keepdims=True), np.float32(1e-12))
    mean: Floats = np.einsum("bpd,bp->bd", table[indices], share).astype(np.float32)
    return mean
