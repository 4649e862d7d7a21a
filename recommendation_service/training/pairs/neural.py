"""The neural pair model: a collaborative half, a content half, and a learned weight between them.

All pairs of a job are in one part of the split. Bids are hidden for half of the training jobs, so that the network scores an
open job as well as a job with bids. The network of the epoch with the lowest validation loss is published.
"""

from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass, replace

import numpy as np
import torch
from torch import Tensor, nn

from recommendation_service.core.numeric import AnyArray, Ints
from recommendation_service.datasets.pair_network import LAYERS, Inputs, PairNetwork, Reader
from recommendation_service.datasets.pair_outcomes import Matches
from recommendation_service.errors import PublishRefused
from recommendation_service.training.data import NotEnough, Trained
from recommendation_service.training.models.torch_training import (
    best_device,
    deterministic,
    float_arrays,
    layer_tensors,
    take_step,
    to_device,
    train_epochs,
)
from recommendation_service.training.pairs.neural_data import RECOMMENDED, PairSplit, TrainingExamples, split_pairs
from recommendation_service.training.pairs.pair_metrics import figures, loss_of
from recommendation_service.training.parameters import NeuralParameters
from recommendation_service.training.report import Progress
from recommendation_service.use_cases.schema import PairConfig

HIDDEN = (64, 32)
START = 1.0  # initial length of a person's vector; with much less, who suits whom is learned only after patience ends
LEAST_STEPS, SMALLEST_BATCH = 8, 32  # with a hundred reviews, an epoch needs more than one step
PLATEAU, SLOWER = 2, 0.5  # epochs without gain, after which the learning rate is halved
ALPHA_RATE = 10.0  # alpha is one number among thousands: with their learning rate it would hardly change
EDGE = 1e-6


@dataclass(frozen=True, slots=True, eq=False)
class Tensors:
    """The inputs of the network for `n` pairs."""

    numbers: Tensor
    tokens: Tensor
    first: Tensor
    second: Tensor
    known: Tensor  # (n,) 1 where both persons are known, else 0

    @classmethod
    def of(cls, inputs: Inputs, device: torch.device) -> "Tensors":
        """Convert the numpy inputs."""
        known = inputs.known.astype(np.float32)
        return cls(*to_device(device, inputs.numbers, inputs.tokens, inputs.first, inputs.second, known))


class Collaborative(nn.Module):
    """A score from the two persons: their vectors of `dimension`, joined, through layers of 64 and 32."""

    def __init__(self, n_first: int, n_second: int, parameters: NeuralParameters, usual: float = 0.5) -> None:
        """`usual` is the score before training."""
        super().__init__()
        d = parameters.dimension
        self.first = nn.Parameter(torch.randn(n_first, d) * START / d**0.5)
        self.second = nn.Parameter(torch.randn(n_second, d) * START / d**0.5)
        self.layers = _perceptron(2 * d, parameters.dropout, usual)

    def forward(self, first: Tensor, second: Tensor) -> Tensor:
        """(n,) 0 to 1, for rows of both tables."""
        return torch.sigmoid(self.layers(torch.cat([self.first[first], self.second[second]], dim=1))[:, 0])


class Content(nn.Module):
    """A score from what the pair is like: the features, and a vector for each token, such as a property type."""

    def __init__(
        self, n_features: int, n_columns: int, n_tokens: int, parameters: NeuralParameters, usual: float = 0.5
    ) -> None:
        """`n_columns` of tokens, with `n_tokens` different ones in all; `usual` is the score before training."""
        super().__init__()
        self.token_vectors = nn.Parameter(torch.randn(n_tokens, parameters.token_dimension) * 0.1)
        self.layers = _perceptron(n_features + n_columns * parameters.token_dimension, parameters.dropout, usual)

    def forward(self, numbers: Tensor, tokens: Tensor) -> Tensor:
        """(n,) 0 to 1; `numbers` is (n, f), `tokens` (n, c) rows of the table of tokens."""
        vectors = self.token_vectors[tokens].reshape(tokens.shape[0], -1)
        return torch.sigmoid(self.layers(torch.cat([numbers, vectors], dim=1))[:, 0])

    def with_unknown(self) -> Tensor:
        """(n_tokens, e) with the mean of all tokens in row 0, which is used for tokens that training did not see."""
        known = self.token_vectors[1:]
        return torch.cat([known.mean(dim=0, keepdim=True), known]) if len(known) else self.token_vectors


class Hybrid(nn.Module):
    """alpha * collaborative + (1 - alpha) * content, with alpha the sigmoid of a learned number."""

    def __init__(self, collaborative: Collaborative, content: Content) -> None:
        super().__init__()
        self.collaborative, self.content = collaborative, content
        self.leaning = nn.Parameter(torch.zeros(()))

    @property
    def alpha(self) -> Tensor:
        """The weight of the collaborative half where both persons are known."""
        return torch.sigmoid(self.leaning)

    def forward(self, inputs: Tensors) -> tuple[Tensor, Tensor, Tensor]:
        """(n,) each: the score, and those of both halves. Where a person is unknown (row -1), the content half decides."""
        content = self.content(inputs.numbers, inputs.tokens)
        collaborative = self.collaborative(inputs.first.clamp(min=0), inputs.second.clamp(min=0))
        alpha = self.alpha * inputs.known
        return alpha * collaborative + (1 - alpha) * content, collaborative, content


def _perceptron(width: int, dropout: float, usual: float) -> nn.Sequential:
    h, k = HIDDEN
    last = nn.Linear(k, 1)
    nn.init.constant_(last.bias, float(np.log(usual / (1 - usual))))
    first = [nn.Linear(width, h), nn.ReLU(), nn.Dropout(dropout)]
    return nn.Sequential(*first, nn.Linear(h, k), nn.ReLU(), nn.Dropout(dropout), last)


def layers_of(half: str, layers: nn.Sequential) -> dict[str, Tensor]:
    """Weights and biases as serving reads them."""
    linear = [layer for layer in layers if isinstance(layer, nn.Linear)]
    return layer_tensors(**{f"{half}{number}": layer for number, layer in zip(LAYERS, linear, strict=True)})


def train_neural(
    matches: Matches,
    pair_config: PairConfig,
    parameters: NeuralParameters,
    progress: Progress | None = None,
    *,
    trained_until: float | None = None,
) -> Trained:
    """Train the network; return its arrays, and its metrics on the validation part next to those of predicting the mean.

    `trained_until`: only matches before this time, in seconds, are used. Deterministic on CPU for a seed. Raises NotEnough
    if there are too few jobs, PublishRefused if the training diverges.
    """
    known = matches if trained_until is None else matches.take(np.flatnonzero(matches.times < trained_until))
    if not pair_config.features:
        raise NotEnough("neural needs features; name some under [pairs] in the use-case file")
    parts = split_pairs(known, pair_config, parameters)
    with deterministic(parameters.seed):
        training = _Training(pair_config, parameters, parts)
        best, epoch = train_epochs(
            parameters.epochs,
            training.epoch,
            training.arrays,
            validate=training.validate,
            patience=parameters.patience,
            progress=progress,
        )
    if not epoch:
        raise PublishRefused("neural: the validation loss is no number from the first epoch on; lower the learning rate")
    metrics = {**figures(PairNetwork.from_arrays(best), pair_config, parts, parameters), "best_epoch": epoch}
    inputs = {
        "features": [feature.model_dump() for feature in pair_config.features],
        "embedding_columns": list(pair_config.embedding_columns),
    }
    few = f"{parts.jobs:,} jobs to learn from; {RECOMMENDED:,} are recommended"
    warnings = (few,) if parts.jobs < RECOMMENDED else ()
    return Trained("neural", best, {**asdict(parameters), **inputs}, metrics, warnings)


class _Training:
    """The network in training.

    Persons with few pairs share row 0 of the vectors: the vector of an average person is better than one learned from a
    single job.
    """

    def __init__(self, pair_config: PairConfig, parameters: NeuralParameters, parts: PairSplit) -> None:
        self._parameters, self._parts, self._device = parameters, parts, best_device()
        self._feature_names = np.array([feature.name.encode() for feature in pair_config.features], dtype=np.bytes_)
        self._reader = reader = Reader.of(pair_config, parts.training.pairs)
        inputs = reader.read(pair_config, parts.training.pairs)
        self._first_rows, self._second_rows = (_vector_rows(rows, parameters.seldom) for rows in (inputs.first, inputs.second))
        first, second = (
            np.where(rows < 0, -1, vector_rows[np.maximum(rows, 0)])
            for rows, vector_rows in ((inputs.first, self._first_rows), (inputs.second, self._second_rows))
        )
        self._inputs = replace(inputs, first=first, second=second)
        self._validation = reader.read(pair_config, parts.validation.pairs)
        usual = float(np.clip(parts.training.usual_target(), 0.05, 0.95))
        n_features, n_columns = len(pair_config.features), len(pair_config.embedding_columns)
        self._model = Hybrid(
            Collaborative(len(reader.first), len(reader.second), parameters, usual),
            Content(n_features, n_columns, len(reader.tokens), parameters, usual),
        ).to(self._device)
        self._optimizer = _adam(self._model, parameters)
        self._scheduler = torch.optim.lr_scheduler.ReduceLROnPlateau(self._optimizer, factor=SLOWER, patience=PLATEAU)
        self._rng = np.random.default_rng(parameters.seed)

    def epoch(self, _number: int) -> str:
        """Train on each job once."""
        self._model.train()
        total = 0.0
        for rows in _batches(self._parts.training.starts, self._parameters.batch, self._rng):
            hybrid, halves = self._losses(rows)
            take_step(self._optimizer, hybrid + self._parameters.halves * halves)
            total += float(hybrid.detach()) * rows.size
        return f"loss {total / len(self._parts.training):.4f}"

    def validate(self, arrays: dict[str, AnyArray]) -> tuple[float, str]:
        """The validation loss, negative; it controls the learning rate, too."""
        with np.errstate(all="ignore"):  # a diverging training produces NaN and infinity
            loss = loss_of(PairNetwork.from_arrays(arrays).score_inputs(self._validation).total, self._parts.validation)
        self._scheduler.step(loss)
        alpha, rate = float(arrays["alpha"][0]), self._optimizer.param_groups[0]["lr"]
        return -loss, f"validation {loss:.4f}, alpha {alpha:.3f}, rate {rate:g}"

    def arrays(self) -> dict[str, AnyArray]:
        """The arrays that serving reads."""
        self._model.eval()
        collaborative, content = self._model.collaborative, self._model.content
        tensors = {
            "first_vectors": collaborative.first[torch.from_numpy(self._first_rows)],
            "second_vectors": collaborative.second[torch.from_numpy(self._second_rows)],
            "token_vectors": content.with_unknown(),
            "alpha": self._model.alpha.reshape(1),
            **layers_of("collaborative", collaborative.layers),
            **layers_of("content", content.layers),
        }
        return {**self._reader.arrays(), "feature_names": self._feature_names, **float_arrays(tensors)}

    def _losses(self, rows: Ints) -> tuple[Tensor, Tensor]:
        """Losses of the hybrid, and of its halves alone: each half is to be a score, not a correction of the other."""
        inputs = self._inputs.take(rows)
        first, second = (self._unnamed(persons) for persons in (inputs.first, inputs.second))
        tensors = Tensors.of(replace(inputs, first=first, second=second), self._device)
        loss = _loss_function(self._parts.training, rows, self._device)
        total, collaborative, content = self._model(tensors)
        by_persons = torch.where(tensors.known > 0, collaborative, content.detach())
        return loss(total), loss(by_persons) + loss(content)

    def _unnamed(self, persons: Ints) -> Ints:
        """A copy in which a random share of the known persons has the shared vector."""
        return np.where((persons >= 0) & (self._rng.random(persons.size) < self._parameters.unnamed), 0, persons)


def _vector_rows(rows: Ints, least: int) -> Ints:
    """(m,) the row of each person's vector: 0, which is shared, for fewer than `least` pairs."""
    counts = np.bincount(rows[rows >= 0], minlength=int(rows.max(initial=0)) + 1)
    return np.where(counts >= least, np.arange(counts.size), 0)


def _loss_function(examples: TrainingExamples, rows: Ints, device: torch.device) -> Callable[[Tensor], Tensor]:
    """The loss of (b,) scores of one batch: squared error of ratings; -log of the odds' share of the chosen bidders."""
    weights, numbers = examples.weights[rows], np.unique(examples.groups[rows], return_inverse=True)[1].astype(np.int64)
    total = max(float(weights[~examples.ranked[rows] | (examples.targets[rows] > 0)].sum()), EDGE)
    targets, weight, ranked, jobs = to_device(device, examples.targets[rows], weights, examples.ranked[rows], numbers)

    def loss(scores: Tensor) -> Tensor:
        ratings = (weight * (scores - targets) ** 2)[~ranked].sum()
        logits = torch.logit(scores, eps=EDGE)
        odds = torch.zeros(int(numbers[-1]) + 1, device=device).index_add(0, jobs, logits.exp())
        choices = (odds.log()[jobs] - logits)[ranked & (targets > 0)].sum()
        return (ratings + choices) / total

    return loss


def _batches(starts: Ints, batch: int, rng: np.random.Generator) -> Iterator[Ints]:
    """Rows of whole jobs, shuffled, about `batch` at a time."""
    size = int(np.clip(starts[-1] // LEAST_STEPS, SMALLEST_BATCH, batch))
    order = rng.permutation(starts.size - 1)
    lengths = np.diff(starts)[order]
    rows = np.repeat(starts[order] - np.cumsum(lengths) + lengths, lengths) + np.arange(int(lengths.sum()))
    numbers = np.repeat(np.cumsum(lengths) - lengths, lengths) // size
    for part in np.split(rows, np.flatnonzero(np.diff(numbers)) + 1):
        yield np.sort(part)


def _adam(model: Hybrid, parameters: NeuralParameters) -> torch.optim.Optimizer:
    rate = parameters.learning_rate
    others = [parameter for name, parameter in model.named_parameters() if name != "leaning"]
    groups: list[dict[str, object]] = [
        {"params": others, "weight_decay": parameters.weight_decay},
        {"params": [model.leaning], "lr": ALPHA_RATE * rate},
    ]
    return torch.optim.Adam(groups, lr=rate)
