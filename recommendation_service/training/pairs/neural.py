"""The neural pair model: a collaborative half, a content half, and a learned weight between them.

Every job is on one side of the cut; bids are hidden for half of the training jobs, so that the network reads an open job as
well as one with bids. What is published is the network of the epoch that foretold the validation part best.
"""

from collections.abc import Iterator
from dataclasses import asdict, dataclass

import numpy as np
import torch
from torch import Tensor

from recommendation_service.core.numeric import AnyArray, Ints
from recommendation_service.datasets.pair_network import Inputs, PairNetwork, Reader
from recommendation_service.datasets.pair_outcomes import Matches
from recommendation_service.errors import PublishRefused
from recommendation_service.training.data import NotEnough, Trained
from recommendation_service.training.models.torch_training import best_device, deterministic
from recommendation_service.training.pairs.neural_data import RECOMMENDED, Cut, Lessons, cut
from recommendation_service.training.pairs.neural_metrics import figures, loss_of
from recommendation_service.training.pairs.neural_model import Collaborative, Content, Hybrid, Tensors, layers_of
from recommendation_service.training.pairs.neural_parameters import KIND, NeuralParameters
from recommendation_service.training.report import Progress
from recommendation_service.use_cases.schema import PairConfig

LEAST_STEPS, SMALLEST_BATCH = 8, 32  # a hundred reviews must not be learned in one step an epoch
PLATEAU, SLOWER = 2, 0.5  # epochs without gain, then the learning rate is halved
ALPHA_RATE = 10.0  # alpha is one number among thousands: with their step it would end where it began
EDGE = 1e-6


def train_neural(
    matches: Matches,
    pair_config: PairConfig,
    parameters: NeuralParameters,
    *,
    progress: Progress | None = None,
    trained_until: float | None = None,
) -> Trained:
    """The network as arrays, with its figures on the validation part beside those of foretelling the mean.

    `trained_until`: only what was known before that moment, in seconds, is cut and learned from. Deterministic on CPU for
    a seed. Raises NotEnough when there are too few jobs to learn from.
    """
    known = matches if trained_until is None else matches.take(np.flatnonzero(matches.times < trained_until))
    if not pair_config.features:
        raise NotEnough("neural needs features; name some under [pairs] in the use-case file")
    parts = cut(known, pair_config, parameters)
    reader = Reader.of(pair_config, parts.training.pairs)
    inputs = reader.read(pair_config, parts.training.pairs)
    device = best_device()
    with deterministic(parameters.seed):
        model = _model(reader, pair_config, parameters, parts.training).to(device)
        fit = _Fit(model, reader, pair_config, parameters, parts, inputs, device)
        best, epoch = fit.run(progress or (lambda done, most, word: None))
    loss = {**figures(PairNetwork.from_arrays(best), pair_config, parts, parameters), "best_epoch": epoch}
    read = {
        "features": [entry.model_dump() for entry in pair_config.features],
        "embedding_columns": list(pair_config.embedding_columns),
    }
    few = f"{parts.jobs:,} jobs to learn from; {RECOMMENDED:,} are recommended"
    return Trained(KIND, best, {**asdict(parameters), **read}, loss, (few,) if parts.jobs < RECOMMENDED else ())


def _model(reader: Reader, pair_config: PairConfig, parameters: NeuralParameters, training: Lessons) -> Hybrid:
    marks = 0.5 if training.ranked.any() else float(training.targets[training.weights == 1].mean())
    usual = float(np.clip(marks, 0.05, 0.95))  # marks begin at their mean, the odds of being chosen even
    return Hybrid(
        Collaborative(len(reader.first), len(reader.second), parameters, usual),
        Content(len(pair_config.features), len(pair_config.embedding_columns), len(reader.tokens), parameters, usual),
    )


class _Fit:
    """One training: epochs over shuffled jobs, watched by the validation part."""

    def __init__(
        self,
        model: Hybrid,
        reader: Reader,
        pair_config: PairConfig,
        parameters: NeuralParameters,
        parts: Cut,
        inputs: Inputs,
        device: torch.device,
    ) -> None:
        self._model, self._reader, self._pair_config, self._parameters, self._parts = (
            model,
            reader,
            pair_config,
            parameters,
            parts,
        )
        self._device, self._seldom = device, _Seldom(inputs, parameters)
        self._inputs = self._seldom.named(inputs)
        self._rng = np.random.default_rng(parameters.seed)
        self._validation = reader.read(pair_config, parts.validation.pairs)

    def run(self, progress: Progress) -> tuple[dict[str, AnyArray], int]:
        """The arrays of the best epoch, and which it was."""
        parameters = self._parameters
        optimizer = _adam(self._model, parameters)
        slower = torch.optim.lr_scheduler.ReduceLROnPlateau(optimizer, factor=SLOWER, patience=PLATEAU)
        best, best_epoch, best_arrays = np.inf, 0, self._arrays()
        for epoch in range(1, parameters.epochs + 1):
            lost = self._epoch(optimizer)
            arrays = self._arrays()
            loss = self._validation_loss(arrays)
            slower.step(loss)
            alpha, rate = float(arrays["alpha"][0]), optimizer.param_groups[0]["lr"]
            status = f"loss {lost:.4f}, validation {loss:.4f}, alpha {alpha:.3f}, rate {rate:g}"
            progress(epoch, parameters.epochs, status)
            if loss < best:
                best, best_epoch, best_arrays = loss, epoch, arrays
            elif epoch - best_epoch >= parameters.patience:
                break
        if not best_epoch:
            raise PublishRefused("neural: the validation loss is no number from the first epoch on; lower the learning rate")
        return best_arrays, best_epoch

    def _validation_loss(self, arrays: dict[str, AnyArray]) -> float:
        with np.errstate(all="ignore"):  # a training that runs away ends in numbers that no network can have
            scores = PairNetwork.from_arrays(arrays).score_inputs(self._validation).total
            return loss_of(scores, self._parts.validation)

    def _epoch(self, optimizer: torch.optim.Optimizer) -> float:
        self._model.train()
        lost = 0.0
        for rows in _batches(self._parts.training.starts, self._parameters.batch, self._rng):
            together, alone = self._losses(rows)
            optimizer.zero_grad()
            torch.autograd.backward(together + self._parameters.halves * alone)
            optimizer.step()
            lost += float(together.detach()) * rows.size
        return lost / len(self._parts.training)

    def _losses(self, rows: Ints) -> tuple[Tensor, Tensor]:
        """Of the hybrid, and of its halves alone: alpha is between two scores, not between two remainders."""
        inputs = self._seldom.unnamed(self._inputs.take(rows), self._rng)
        tensors = Tensors.of(inputs, self._device)
        lesson = _Lesson.of(self._parts.training, rows, self._device)
        total, collaborative, content = self._model(tensors)
        by_persons = torch.where(tensors.known > 0, collaborative, content.detach())
        return lesson.lost(total), lesson.lost(by_persons) + lesson.lost(content)

    def _arrays(self) -> dict[str, AnyArray]:
        self._model.eval()
        with torch.no_grad():
            collaborative, content = self._model.collaborative, self._model.content
            made = {
                "first_vectors": collaborative.first[torch.from_numpy(self._seldom.first)],
                "second_vectors": collaborative.second[torch.from_numpy(self._seldom.second)],
                "token_vectors": content.with_unknown(),
                "alpha": self._model.alpha.reshape(1),
                **layers_of("collaborative", collaborative.layers),
                **layers_of("content", content.layers),
            }
            plain = {name: np.array(part.cpu().numpy(), dtype=np.float32, order="C") for name, part in made.items()}
        names = np.array([entry.name.encode() for entry in self._pair_config.features], dtype=np.bytes_)
        return {**self._reader.arrays(), "feature_names": names, **plain}


class _Seldom:
    """Persons met too seldom share row 0: what is known of people in general is better than a vector learned from one job."""

    def __init__(self, inputs: Inputs, parameters: NeuralParameters) -> None:
        self.first, self.second = (_vector_rows(rows, parameters.seldom) for rows in (inputs.first, inputs.second))
        self._share = parameters.unnamed

    def named(self, inputs: Inputs) -> Inputs:
        """With the rows of those met seldom."""
        first, second = (
            np.where(rows < 0, -1, vector_rows[np.maximum(rows, 0)])
            for rows, vector_rows in ((inputs.first, self.first), (inputs.second, self.second))
        )
        return Inputs(inputs.numbers, inputs.tokens, first, second)

    def unnamed(self, inputs: Inputs, rng: np.random.Generator) -> Inputs:
        """Some of the known persons, taken for somebody met seldom."""
        first, second = (
            np.where((rows >= 0) & (rng.random(rows.size) < self._share), 0, rows) for rows in (inputs.first, inputs.second)
        )
        return Inputs(inputs.numbers, inputs.tokens, first, second)


def _vector_rows(rows: Ints, least: int) -> Ints:
    """(m,) the row whose vector a person has: their own from `least` pairs on."""
    counts = np.bincount(rows[rows >= 0], minlength=int(rows.max(initial=0)) + 1)
    return np.where(counts >= least, np.arange(counts.size), 0)


@dataclass(frozen=True, slots=True, eq=False)
class _Lesson:
    """One batch's targets."""

    targets: Tensor
    weights: Tensor
    ranked: Tensor
    jobs: Tensor  # (b,) 0, 0, 1, ... within the batch
    total: Tensor  # of the weights of what is told pair by pair, and of the jobs that are ranked

    @classmethod
    def of(cls, lessons: Lessons, rows: Ints, device: torch.device) -> "_Lesson":
        jobs = np.unique(lessons.groups[rows], return_inverse=True)[1].astype(np.int64)
        targets, weights, ranked = lessons.targets[rows], lessons.weights[rows], lessons.ranked[rows]
        total = np.asarray(weights[~ranked | (targets > 0)].sum())
        return cls(*(torch.from_numpy(side).to(device) for side in (targets, weights, ranked, jobs, total)))

    def lost(self, scores: Tensor) -> Tensor:
        """Squared error of marks; of ranked jobs -log of the share of the odds that went to the one who was chosen."""
        marks = (self.weights * (scores - self.targets) ** 2)[~self.ranked].sum()
        logits = torch.logit(scores, eps=EDGE)
        odds = torch.zeros(int(self.jobs[-1]) + 1, device=scores.device).index_add(0, self.jobs, logits.exp())
        chosen = self.ranked & (self.targets > 0)
        ranks = (odds.log()[self.jobs] - logits)[chosen].sum()
        return (marks + ranks) / self.total.clamp(min=EDGE)


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
    others = [entry for name, entry in model.named_parameters() if name != "leaning"]
    groups: list[dict[str, object]] = [
        {"params": others, "weight_decay": parameters.weight_decay},
        {"params": [model.leaning], "lr": ALPHA_RATE * rate},
    ]
    return torch.optim.Adam(groups, lr=rate)
