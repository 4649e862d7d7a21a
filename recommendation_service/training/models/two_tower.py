"""A two-tower model: a user tower over the newest liked items and the profile, an item tower over id and features.

It is trained on cuts of histories: the tower reads the items before a cut and predicts the items after it among the whole
catalogue. A long hidden part teaches taste, the next few items teach order. No vector belongs to a user, so a new user with
six events has a vector, too.
"""

from collections.abc import Callable, Mapping
from copy import deepcopy
from dataclasses import asdict, dataclass, replace

import numpy as np
import torch
from scipy import sparse
from torch import Tensor, nn

from recommendation_service.core.numeric import AnyArray, Bools, Bytes, Floats, Ints, dense, unit_rows
from recommendation_service.domain.query import Profile
from recommendation_service.training.data import NotEnough, Trained, TrainingData
from recommendation_service.training.evaluation.evaluator import EvaluationUsers
from recommendation_service.training.models.content import item_features
from recommendation_service.training.models.sequences import (
    Cuts,
    Lists,
    learned_lists,
    liked_lists,
    start_vectors,
    steps,
    stretches,
)
from recommendation_service.training.models.torch_training import (
    WHOLE_CATALOGUE,
    best_device,
    deterministic,
    float_arrays,
    layer_tensors,
    ndcg_on,
    softmax_rows,
    sparse_tensor,
    take_step,
    to_device,
    train_epochs,
)
from recommendation_service.training.parameters import TwoTowerParameters
from recommendation_service.training.report import Progress

SAMPLED_ITEMS = 8_192
EPOCH_LOGITS = 100_000_000  # upper limit, so that an epoch takes seconds on any catalogue
LARGE_EPOCHS = 25  # upper limit with sampled softmax, so that training ends within minutes
LEAST_STEPS, SMALLEST_BATCH = 4, 16  # a site of sixty users needs more than one step per epoch
MAX_ATTRIBUTES = 32
NO_ATTRIBUTE = b""  # an attribute of no user, so that a site without profiles has an array to publish, too
SMALL = 0.1  # scale of what must not dominate the first steps
MEAN_DECAY = 0.99  # share of the running mean that each step keeps: about the last hundred steps count


class Table(nn.Module):
    """A vector of `length` numbers per row; with `width`, learned as `width` numbers that a common matrix expands."""

    def __init__(self, rows: int, length: int, width: int, scale: float, share: float = 1.0) -> None:
        super().__init__()
        self.values = nn.Parameter(torch.randn(rows, width or length) * scale * share)
        self.widen = nn.Parameter(torch.randn(width, length) * width**-0.5) if width else None

    def rows(self) -> Tensor:
        """(rows, length)."""
        return self.values if self.widen is None else torch.mm(self.values, self.widen)


class Towers(nn.Module):
    """Both towers."""

    def __init__(self, n_items: int, n_features: int, n_attributes: int, parameters: TwoTowerParameters) -> None:
        super().__init__()
        d, h = parameters.dimension, parameters.hidden
        scale = d**-0.5
        self.item_embeddings = nn.Parameter(torch.randn(n_items, d) * scale)
        self.item_features = Table(n_features, d, parameters.item_feature_dim, scale)
        self.history_embeddings = nn.Parameter(torch.randn(n_items, d) * scale)
        self.history_features = Table(n_features, d, parameters.item_feature_dim, scale)
        self.attributes = Table(n_attributes, d, parameters.user_feature_dim, scale, SMALL)
        self.layer1 = nn.Linear(2 * d, h)
        self.layer2 = nn.Linear(h, d)

    def items(self, rows: Tensor, features: Tensor) -> Tensor:
        """(n, d) unit vectors of the items in these rows, with these (n, f) sparse features."""
        return nn.functional.normalize(self.item_embeddings[rows] + features @ self.item_features.rows(), dim=1)

    def history(self, rows: Tensor, features: Tensor) -> Tensor:
        """(n, d) vectors of the items as parts of a user's history."""
        return self.history_embeddings[rows] + features @ self.history_features.rows()

    def users(self, bag: Tensor, attributes: Tensor) -> Tensor:
        """(b, d) unit vectors."""
        hidden = torch.relu(self.layer1(torch.cat([bag, attributes], dim=1)))
        return nn.functional.normalize(self.layer2(hidden), dim=1)

    def initialise(self, before: Floats, after: Floats) -> None:
        """Start from these (n, d) item vectors, and from a user tower that returns the sum of its two inputs.

        relu(x) - relu(-x) is x. A hidden layer shorter than 2 d passes on as many numbers as it can.
        """
        d, most = self.layer2.out_features, self.layer1.out_features // 2
        through = torch.eye(d)[:most]
        wide = torch.cat([through, through], dim=1)
        with torch.no_grad():
            for layer in (self.layer1, self.layer2):
                layer.weight.mul_(SMALL)
                layer.bias.zero_()
            self.layer1.weight[: 2 * through.shape[0]] += torch.cat([wide, -wide])
            self.layer2.weight[:, : 2 * through.shape[0]] += torch.cat([through, -through]).T
            for vectors, table, start in (
                (self.history_embeddings, self.history_features, before),
                (self.item_embeddings, self.item_features, after),
            ):
                vectors.mul_(SMALL).add_(torch.from_numpy(start))
                table.values.mul_(SMALL)


@dataclass(frozen=True, slots=True, eq=False)
class _Inputs:
    """The data that batches are taken from."""

    history: Lists
    attribute_names: Bytes
    attributes: Lists
    features: sparse.csr_array  # (n_items, f)
    counts: Ints  # (n_items,) users who liked the item
    learners: Ints  # users whose history is long enough to hide a part
    liked: Ints  # rows of items with at least one like
    liked_tensors: tuple[Tensor, Tensor]  # `tensors` of all liked items

    def tensors(self, rows: Ints) -> tuple[Tensor, Tensor]:
        """The item rows, and their (n, f) sparse features."""
        return self.liked_tensors if rows is self.liked else _tensors(self.features, rows, self.liked_tensors[0].device)


def train_two_tower(
    material: TrainingData,
    parameters: TwoTowerParameters,
    *,
    panel: EvaluationUsers | None = None,
    progress: Progress | None = None,
) -> Trained:
    """Train both towers; return their arrays. With a panel, the epoch with the best NDCG@10 is used, with early stopping.

    The returned parameters contain that number of epochs, so that a refit on more events can use it.
    Deterministic on CPU for a seed and a number of threads. Raises NotEnough if fewer than two users liked two items.
    """
    inputs = _inputs(material, best_device(), parameters)
    if inputs.learners.size < 2:
        raise NotEnough(f"two-tower needs 2 people who liked 2 items each; this export has {inputs.learners.size}")
    most = parameters.epochs if inputs.liked.size <= WHOLE_CATALOGUE else min(parameters.epochs, LARGE_EPOCHS)
    validate = None if panel is None else ndcg_on(panel, panel_scorer(panel, parameters))
    with deterministic(parameters.seed):
        training = _Training(inputs, parameters)
        arrays, epochs = train_epochs(
            most, training.epoch, training.arrays, validate=validate, patience=parameters.patience, progress=progress
        )
    arrays |= {"item_ids": material.catalogue.ids.array, "attributes": inputs.attribute_names}
    return Trained("two_tower", arrays, asdict(replace(parameters, epochs=epochs)))


def _inputs(material: TrainingData, device: torch.device, parameters: TwoTowerParameters) -> _Inputs:
    history = learned_lists(material, parameters.event_types, parameters.min_interactions)
    features = item_features(material.records)
    counts = np.bincount(history.values, minlength=features.shape[0])
    learners, liked = np.flatnonzero(np.diff(history.indptr) > 1), np.flatnonzero(counts)
    tensors = _tensors(features, liked, device)
    return _Inputs(history, *attribute_table(material.profiles), features, counts, learners, liked, tensors)


def _tensors(table: sparse.csr_array, rows: Ints, device: torch.device) -> tuple[Tensor, Tensor]:
    return torch.from_numpy(rows).to(device), sparse_tensor(table[rows], device)


def attribute_table(profiles: tuple[Profile, ...]) -> tuple[Bytes, Lists]:
    """(a,) sorted attribute names such as b"skills=python", and each user's attributes as indices into them."""
    lines = [
        sorted({f"{key}={value}".casefold().encode() for key, values in profile.items() for value in values})
        for profile in profiles
    ]
    names, indices = np.unique(np.array([NO_ATTRIBUTE, *(name for line in lines for name in line)]), return_inverse=True)
    return names, Lists(np.cumsum([0, *map(len, lines)], dtype=np.int64), indices[1:].astype(np.int64))


class _Training:
    """The towers in training, and their running mean: steadier than the towers of any single step (Polyak & Juditsky 1992)."""

    def __init__(self, inputs: _Inputs, parameters: TwoTowerParameters) -> None:
        self._inputs, self._parameters = inputs, parameters
        self._towers = self._new_towers().to(inputs.liked_tensors[0].device)
        self._mean, self._steps = deepcopy(self._towers), 0
        self._decay = MEAN_DECAY if parameters.counted_start else 0.0  # from a random start the mean only lags
        self._optimizer = torch.optim.Adam(
            self._towers.parameters(), lr=parameters.learning_rate, weight_decay=parameters.weight_decay
        )
        self._rng = np.random.default_rng(parameters.seed)

    def _new_towers(self) -> Towers:
        inputs, parameters = self._inputs, self._parameters
        n_items, n_features = inputs.features.shape
        towers = Towers(n_items, n_features, inputs.attribute_names.size, parameters)
        if parameters.counted_start:
            start = start_vectors(inputs.history, n_items, parameters.dimension, parameters.decay)
            if start is not None:
                towers.initialise(*start)
        with torch.no_grad():  # items without likes have only their features: these vectors get no gradient and stay 0
            for vectors in (towers.item_embeddings, towers.history_embeddings):
                vectors[np.flatnonzero(inputs.counts == 0)] = 0
        return towers

    def epoch(self, _number: int) -> str:
        """Train on each cut once."""
        cuts, losses = self._cuts(), []
        batch = int(np.clip(len(cuts) // LEAST_STEPS, SMALLEST_BATCH, self._parameters.batch))
        for start in range(0, len(cuts), batch):
            some = cuts.some(np.arange(start, min(start + batch, len(cuts))))
            losses.append(take_step(self._optimizer, self._loss(some)) * len(some))
            self._update_mean()
        return f"loss {sum(losses) / len(cuts):.3f}"

    def arrays(self) -> dict[str, AnyArray]:
        """The arrays that serving reads, of the running mean."""
        towers, everything = self._mean, self._inputs.tensors(np.arange(self._inputs.counts.size))
        with torch.no_grad():
            return float_arrays(
                {
                    "item_vectors": towers.items(*everything),
                    "history_vectors": towers.history(*everything),
                    "attribute_vectors": towers.attributes.rows(),
                    **layer_tensors(layer1=towers.layer1, layer2=towers.layer2),
                }
            )

    def _update_mean(self) -> None:
        self._steps += 1
        share = max(1 - self._decay, 10 / (self._steps + 10))
        with torch.no_grad():
            for mean, trained in zip(self._mean.parameters(), self._towers.parameters(), strict=True):
                mean.lerp_(trained, share)

    def _cuts(self) -> Cuts:
        inputs, parameters, rng = self._inputs, self._parameters, self._rng
        n = inputs.liked.size
        most = EPOCH_LOGITS // (n if n <= WHOLE_CATALOGUE else SAMPLED_ITEMS)
        if parameters.ahead:
            return steps(inputs.history, rng, parameters.ahead, min(most, parameters.cuts * inputs.learners.size))
        history = inputs.history if parameters.in_order else inputs.history.shuffled(rng)
        who = rng.permutation(inputs.learners)[:most]
        return stretches(history, who, rng, parameters.hide_least, parameters.hide_most)

    def _loss(self, cuts: Cuts) -> Tensor:
        inputs, parameters, rng, towers = self._inputs, self._parameters, self._rng, self._towers
        history, real = cuts.shown(parameters.recent)
        weights = _faded(real, parameters)
        weights[rng.random(len(cuts)) < parameters.blind] = 0
        attributes, mask = inputs.attributes.first(cuts.who, MAX_ATTRIBUTES)
        mask = mask & (rng.random(len(cuts)) >= parameters.plain)[:, None]
        wanted = cuts.wanted(parameters.targets, rng)
        rows, correction = softmax_rows(inputs.liked, wanted, rng, whole=WHOLE_CATALOGUE, sampled=SAMPLED_ITEMS)
        read = rows if rows is inputs.liked else np.unique(history)
        bag = _mean(towers.history(*inputs.tensors(read)), np.searchsorted(read, history), weights)
        users = towers.users(bag, _mean(towers.attributes.rows(), attributes, mask.astype(np.float32)))
        added, columns = to_device(users.device, correction, np.searchsorted(rows, wanted))
        logits = users @ towers.items(*inputs.tensors(rows)).T / parameters.temperature + added
        return (torch.logsumexp(logits, dim=1, keepdim=True) - logits.gather(1, columns)).mean()


def _faded(real: Bools, parameters: TwoTowerParameters) -> Floats:
    return np.where(real, parameters.decay ** np.arange(parameters.recent), 0).astype(np.float32)


def _shares(weights: Floats) -> Floats:
    shares: Floats = weights / np.maximum(weights.sum(axis=1, keepdims=True), np.float32(1e-12))
    return shares


def _mean(table: Tensor, indices: Ints, weights: Floats) -> Tensor:
    """(b, d) weighted means of table rows; zeros where all weights are 0."""
    rows, shares = to_device(table.device, indices, _shares(weights))
    return nn.functional.embedding_bag(rows, table, mode="sum", per_sample_weights=shares)


def panel_scorer(panel: EvaluationUsers, parameters: TwoTowerParameters) -> Callable[[Mapping[str, AnyArray]], Floats]:
    """Return a function of the arrays: (p, n_items) scores of the panel's users by the numpy forward pass of serving.

    The rows of users without history and profile are NaN.
    """
    history, real = liked_lists(panel.material.histories).first(panel.users, parameters.recent)
    weights = _faded(real, parameters)
    attributes, mask = attribute_table(panel.material.profiles)[1].first(panel.users, MAX_ATTRIBUTES)
    unknown = ~(weights.any(axis=1) | mask.any(axis=1))

    def mean(table: Floats, indices: Ints, table_weights: Floats) -> Floats:
        rows: Floats = np.einsum("bpd,bp->bd", table[indices], _shares(table_weights)).astype(np.float32)
        return rows

    def scores(arrays: Mapping[str, AnyArray]) -> Floats:
        bag = mean(arrays["history_vectors"], history, weights)
        profile = mean(arrays["attribute_vectors"], attributes, mask.astype(np.float32))
        hidden = np.maximum(dense(np.hstack([bag, profile]), arrays["layer1_weights"], arrays["layer1_bias"]), 0)
        users = unit_rows(dense(hidden, arrays["layer2_weights"], arrays["layer2_bias"]))
        result: Floats = users @ arrays["item_vectors"].T
        result[unknown] = np.nan
        return result

    return scores
