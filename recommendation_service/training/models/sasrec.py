"""Train the sequence transformer: at each position of each history it predicts the next item.

A step is divided into a fixed number of parts that run in parallel, one thread each; their gradients are summed in order.
Threads inside each small operation would wait for each other longer than they work, and the result would depend on the
number of threads.
"""

import math
import os
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict, dataclass, replace

import numpy as np
import torch
from torch import Tensor

from recommendation_service.core.numeric import AnyArray, Floats, Ints
from recommendation_service.training.data import NotEnough, Trained, TrainingData
from recommendation_service.training.evaluation import metrics
from recommendation_service.training.evaluation.evaluator import EvaluationUsers
from recommendation_service.training.models.item_to_item import Known
from recommendation_service.training.models.sampled_softmax import WHOLE_CATALOGUE, softmax_rows
from recommendation_service.training.models.sasrec_model import Transformer, next_item_loss
from recommendation_service.training.models.sasrec_parameters import SASRecParameters
from recommendation_service.training.models.sasrec_windows import Sequences, Windows
from recommendation_service.training.models.torch_setup import best_device, deterministic
from recommendation_service.training.models.two_tower_init import start_vectors
from recommendation_service.training.report import Progress

PARTS = 4  # of a step, independent of the number of cores
LEAST_TARGETS = 50
SAMPLED_ITEMS = 4_096
LEAST_STEPS, SMALLEST_BATCH = 50, 256  # small sites use small batches, so that there are enough steps
WARM = 0.05  # share of the steps over which the learning rate rises
LEAST_RATE = 0.02  # share of the learning rate at the end
NEARER = 0.8  # decay per position in the initial vectors
SHORT = 30.0  # mean items per history
STEEPEST = 5.0  # gradient norm for clipping
PEOPLE_AT_ONCE = 64


@dataclass(frozen=True, slots=True, eq=False)
class _Plan:
    """The training data and schedule."""

    known: Known
    sequences: Sequences
    windows: Windows
    batch: int
    rate: float  # the largest learning rate
    dropout: float
    epochs: int


def train_sasrec(
    material: TrainingData,
    parameters: SASRecParameters,
    *,
    panel: EvaluationUsers | None = None,
    progress: Progress | None = None,
) -> Trained:
    """Train the transformer; returns its arrays. With a panel, the epoch with the best NDCG@10 is used, with early stopping.

    The returned parameters contain the best number of epochs, so that a refit on more events can use it.
    Deterministic on CPU for a seed. Raises NotEnough for fewer than fifty items liked after another one, ValueError if
    the number of heads does not divide the dimension.
    """
    if parameters.dimension % parameters.heads:
        raise ValueError(f"dimension {parameters.dimension} does not divide into {parameters.heads} heads")
    plan = _plan(material, parameters)
    report_progress = progress or (lambda done, most, word: None)
    with deterministic(parameters.seed):
        start = start_vectors(plan.sequences.newest_first(), plan.known.rows.size, parameters.dimension, NEARER)
        model = Transformer(plan.known.rows.size, replace(parameters, dropout=plan.dropout), start).to(best_device())
        arrays, best_epochs = _fit(model, plan, parameters, panel, report_progress)
    n_items = len(material.catalogue)
    spread = {name: _spread(arrays[name], plan.known, n_items) for name in ("history_vectors", "item_vectors", "item_bias")}
    ids = {"item_ids": material.catalogue.ids.array, "item_counts": plan.known.counts.astype(np.int32)}
    return Trained("sasrec", arrays | spread | ids, asdict(replace(parameters, best_epochs=best_epochs)))


def _plan(material: TrainingData, parameters: SASRecParameters) -> _Plan:
    known = Known.of(material.histories)
    sequences = Sequences.of(material.histories, known)
    windows = sequences.windows(parameters.recent)
    if windows.targets < LEAST_TARGETS:
        raise NotEnough(f"sasrec needs {LEAST_TARGETS} items liked after another one; this export has {windows.targets}")
    whole = parameters.batch if known.rows.size <= WHOLE_CATALOGUE else 2 * parameters.batch
    batch = int(np.clip(windows.targets // LEAST_STEPS, min(SMALLEST_BATCH, whole), whole))
    epochs = max(1, min(parameters.epochs, parameters.most_targets // windows.targets))
    rate = parameters.learning_rate * min(1.0, math.sqrt(batch / parameters.batch))
    dropout = parameters.short_dropout if mean_length(sequences) < SHORT else parameters.dropout
    return _Plan(known, sequences, windows, batch, rate, dropout, epochs)


def mean_length(sequences: Sequences) -> float:
    """Mean history length of the users with an item to predict."""
    sizes = np.diff(sequences.starts)
    return float(sizes[sizes > 1].mean())


def _fit(
    model: Transformer, plan: _Plan, parameters: SASRecParameters, panel: EvaluationUsers | None, progress: Progress
) -> tuple[dict[str, AnyArray], int]:
    optimizer = torch.optim.Adam(model.parameters(), lr=plan.rate, betas=(0.9, 0.98), fused=False, foreach=False)
    rng = np.random.default_rng(parameters.seed)
    best, best_epoch, best_arrays = -1.0, 0, model.arrays()
    last = min(parameters.best_epochs or plan.epochs, plan.epochs)
    with ThreadPoolExecutor(min(PARTS, os.cpu_count() or 1)) as pool:
        for epoch in range(1, last + 1):
            loss = _epoch(model, optimizer, plan, rng, pool, epoch)
            if panel is None:
                progress(epoch, last, f"loss {loss:.3f}")
                continue
            score = metrics.ndcg(panel_scores(model, plan, parameters, panel), panel.eligible, panel.relevant)
            progress(epoch, last, f"loss {loss:.3f}, validation NDCG@10 {score:.4f}")
            if score > best:
                best, best_epoch, best_arrays = score, epoch, model.arrays()
            elif epoch - best_epoch >= parameters.patience:
                break
    return (model.arrays(), last) if panel is None else (best_arrays, best_epoch)


def _epoch(
    model: Transformer,
    optimizer: torch.optim.Optimizer,
    plan: _Plan,
    rng: np.random.Generator,
    pool: ThreadPoolExecutor,
    epoch: int,
) -> float:
    batches = list(plan.windows.batches(plan.batch, rng))
    total_loss, n_targets = 0.0, 0
    for number, which in enumerate(batches):
        done = (epoch - 1 + number / len(batches)) / plan.epochs
        for group in optimizer.param_groups:
            group["lr"] = plan.rate * rate_at(done)
        parts = [which[part::PARTS] for part in range(PARTS) if which[part::PARTS].size]
        seeds = rng.integers(2**62, size=len(parts)).tolist()
        results = list(pool.map(lambda part, seed: _part_gradients(model, plan, part, seed), parts, seeds))
        count = max(1, sum(part.targets for part in results))
        _set_gradients(model, [part.gradients for part in results], count)
        torch.nn.utils.clip_grad_norm_(model.parameters(), STEEPEST)
        optimizer.step()
        total_loss, n_targets = total_loss + sum(part.loss for part in results), n_targets + count
    return total_loss / max(n_targets, 1)


@dataclass(frozen=True, slots=True, eq=False)
class _PartResult:
    """The result of one part of a step: summed loss, number of targets, and one gradient per parameter."""

    loss: float
    targets: int
    gradients: Sequence[Tensor]


def _part_gradients(model: Transformer, plan: _Plan, which: Ints, seed: int) -> _PartResult:
    rng, device = np.random.default_rng(seed), model.item_vectors.device
    generator = torch.Generator(device).manual_seed(seed % 2**31)
    read, follows, real = plan.windows.read(which)
    wanted = follows[real]
    everything = np.arange(plan.known.rows.size)
    rows, stands_for = softmax_rows(everything, wanted, rng, whole=WHOLE_CATALOGUE, sampled=SAMPLED_ITEMS)
    states = model(torch.from_numpy(read).to(device), generator)[torch.from_numpy(real).to(device)]
    item_rows, prior, columns = (
        torch.from_numpy(array).to(device) for array in (rows, stands_for, np.searchsorted(rows, wanted))
    )
    loss = next_item_loss(states, model.item_vectors[item_rows], model.item_bias[item_rows] + prior, columns)
    return _PartResult(float(loss.detach()), wanted.size, torch.autograd.grad(loss, list(model.parameters())))


def _set_gradients(model: Transformer, gradients: Sequence[Sequence[Tensor]], count: int) -> None:
    """Set the mean gradient of a step's parts."""
    for index, parameter in enumerate(model.parameters()):
        total = gradients[0][index].clone()
        for other in gradients[1:]:
            total += other[index]
        parameter.grad = total / count


def rate_at(done: float) -> float:
    """Share of the learning rate after a share `done` of the training: linear warm-up, then cosine decay."""
    if done < WARM:
        return max(done / WARM, LEAST_RATE)
    return LEAST_RATE + (1 - LEAST_RATE) * (1 + math.cos(math.pi * (done - WARM) / (1 - WARM))) / 2


def panel_scores(model: Transformer, plan: _Plan, parameters: SASRecParameters, panel: EvaluationUsers) -> Floats:
    """(p, n_items) scores of the panel's users; NaN for items without likes and for users without a known item."""
    sequences = Sequences.of(panel.material.histories, plan.known)
    scores = np.full((len(panel), plan.known.counts.size), np.nan, dtype=np.float32)
    for start in range(0, len(panel), PEOPLE_AT_ONCE):
        read, sizes = sequences.newest(panel.users[start : start + PEOPLE_AT_ONCE], parameters.recent)
        known_users = np.flatnonzero(sizes)
        if known_users.size:
            scores[np.ix_(start + known_users, plan.known.rows)] = _score_rows(model, read[known_users], sizes[known_users])
    return scores


@torch.no_grad()
def _score_rows(model: Transformer, read: Ints, sizes: Ints) -> Floats:
    device = model.item_vectors.device
    states = model(torch.from_numpy(read).to(device))[np.arange(sizes.size), sizes - 1]
    scores = states @ model.item_vectors.T + model.item_bias
    return np.asarray(scores.cpu().numpy(), dtype=np.float32)


def _spread(values: AnyArray, known: Known, n_items: int) -> AnyArray:
    """Expand values of the known items to all items, with 0 for the others."""
    spread = np.zeros((n_items, *values.shape[1:]), dtype=np.float32)
    spread[known.rows] = values
    return spread
