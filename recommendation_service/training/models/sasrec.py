"""Trains the sequence transformer: at each place of everybody's past it must foretell the item that comes next.

A step is cut into a fixed number of parts that run beside each other, each on one thread, and their gradients are summed
in order: threads inside every small operation wait for each other longer than they work, and the result would depend on
how many there are.
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
from recommendation_service.training.data import Material, NotEnough, Trained
from recommendation_service.training.evaluation import metrics
from recommendation_service.training.evaluation.evaluator import Panel
from recommendation_service.training.models.item_to_item import Known
from recommendation_service.training.models.sampled_softmax import WHOLE_CATALOGUE, softmax_rows
from recommendation_service.training.models.sasrec_model import Transformer, foretold
from recommendation_service.training.models.sasrec_parameters import SASRecParameters
from recommendation_service.training.models.sasrec_windows import Sequences, Windows
from recommendation_service.training.models.torch_setup import best_device, deterministic
from recommendation_service.training.models.two_tower_init import start_vectors
from recommendation_service.training.report import Progress

PARTS = 4  # of a step; the same whatever the number of cores
LEAST_TARGETS = 50
SAMPLED_ITEMS = 4_096
LEAST_STEPS, SMALLEST_BATCH = 50, 256  # a small site learns in small steps, or there would be too few of them
WARM = 0.05  # share of the steps over which the learning rate rises
LEAST_RATE = 0.02  # of the learning rate, at the end
NEARER = 0.8  # what an item one place further back counts in the start
SHORT = 30.0  # items of a past, on average
STEEPEST = 5.0  # norm of a gradient beyond which it is shortened
PEOPLE_AT_ONCE = 64


@dataclass(frozen=True, slots=True, eq=False)
class _Course:
    """What is learned from, and for how long."""

    known: Known
    sequences: Sequences
    windows: Windows
    batch: int
    rate: float  # the largest learning rate
    dropout: float
    epochs: int


def train_sasrec(
    material: Material, parameters: SASRecParameters, *, panel: Panel | None = None, progress: Progress | None = None
) -> Trained:
    """The transformer as arrays. With a panel, keeps the epoch of the best NDCG@10 and stops `patience` epochs after it.

    The parameters given back say how many epochs were kept, so that a refit on more events can do as many.
    Deterministic on CPU for a seed. Raises NotEnough for fewer than fifty items liked after another one, ValueError for
    heads that do not divide the dimension.
    """
    if parameters.dimension % parameters.heads:
        raise ValueError(f"dimension {parameters.dimension} does not divide into {parameters.heads} heads")
    course = _course(material, parameters)
    told = progress or (lambda done, most, word: None)
    with deterministic(parameters.seed):
        start = start_vectors(course.sequences.newest_first(), course.known.rows.size, parameters.dimension, NEARER)
        model = Transformer(course.known.rows.size, replace(parameters, dropout=course.dropout), start).to(best_device())
        arrays, kept = _fit(model, course, parameters, panel, told)
    n_items = len(material.catalogue)
    spread = {name: _spread(arrays[name], course.known, n_items) for name in ("history_vectors", "item_vectors", "item_bias")}
    ids = {"item_ids": material.catalogue.ids.array, "item_counts": course.known.counts.astype(np.int32)}
    return Trained("sasrec", arrays | spread | ids, asdict(replace(parameters, kept_epochs=kept)))


def _course(material: Material, parameters: SASRecParameters) -> _Course:
    known = Known.of(material.pasts)
    sequences = Sequences.of(material.pasts, known)
    windows = sequences.windows(parameters.recent)
    if windows.targets < LEAST_TARGETS:
        raise NotEnough(f"sasrec needs {LEAST_TARGETS} items liked after another one; this export has {windows.targets}")
    whole = parameters.batch if known.rows.size <= WHOLE_CATALOGUE else 2 * parameters.batch
    batch = int(np.clip(windows.targets // LEAST_STEPS, min(SMALLEST_BATCH, whole), whole))
    epochs = max(1, min(parameters.epochs, parameters.most_targets // windows.targets))
    rate = parameters.learning_rate * min(1.0, math.sqrt(batch / parameters.batch))
    dropout = parameters.short_dropout if mean_length(sequences) < SHORT else parameters.dropout
    return _Course(known, sequences, windows, batch, rate, dropout, epochs)


def mean_length(sequences: Sequences) -> float:
    """Items of a past, on average over the people who have one to foretell."""
    sizes = np.diff(sequences.starts)
    return float(sizes[sizes > 1].mean())


def _fit(
    model: Transformer, course: _Course, parameters: SASRecParameters, panel: Panel | None, progress: Progress
) -> tuple[dict[str, AnyArray], int]:
    optimizer = torch.optim.Adam(model.parameters(), lr=course.rate, betas=(0.9, 0.98), fused=False, foreach=False)
    rng = np.random.default_rng(parameters.seed)
    best, best_epoch, best_arrays = -1.0, 0, model.arrays()
    last = min(parameters.kept_epochs or course.epochs, course.epochs)
    with ThreadPoolExecutor(min(PARTS, os.cpu_count() or 1)) as pool:
        for epoch in range(1, last + 1):
            loss = _epoch(model, optimizer, course, rng, pool, epoch)
            if panel is None:
                progress(epoch, last, f"loss {loss:.3f}")
                continue
            found = metrics.ndcg(panel_scores(model, course, parameters, panel), panel.eligible, panel.relevant)
            progress(epoch, last, f"loss {loss:.3f}, validation NDCG@10 {found:.4f}")
            if found > best:
                best, best_epoch, best_arrays = found, epoch, model.arrays()
            elif epoch - best_epoch >= parameters.patience:
                break
    return (model.arrays(), last) if panel is None else (best_arrays, best_epoch)


def _epoch(
    model: Transformer,
    optimizer: torch.optim.Optimizer,
    course: _Course,
    rng: np.random.Generator,
    pool: ThreadPoolExecutor,
    epoch: int,
) -> float:
    batches = list(course.windows.batches(course.batch, rng))
    told, asked = 0.0, 0
    for number, which in enumerate(batches):
        done = (epoch - 1 + number / len(batches)) / course.epochs
        for group in optimizer.param_groups:
            group["lr"] = course.rate * rate_at(done)
        parts = [which[part::PARTS] for part in range(PARTS) if which[part::PARTS].size]
        seeds = rng.integers(2**62, size=len(parts)).tolist()
        found = list(pool.map(lambda part, seed: _part(model, course, part, seed), parts, seeds))
        count = max(1, sum(one.targets for one in found))
        _give(model, [one.gradients for one in found], count)
        torch.nn.utils.clip_grad_norm_(model.parameters(), STEEPEST)
        optimizer.step()
        told, asked = told + sum(one.loss for one in found), asked + count
    return told / max(asked, 1)


@dataclass(frozen=True, slots=True, eq=False)
class _Part:
    """What one part of a step found: summed loss, how many next items it is of, and a gradient a parameter."""

    loss: float
    targets: int
    gradients: Sequence[Tensor]


def _part(model: Transformer, course: _Course, which: Ints, seed: int) -> _Part:
    rng, device = np.random.default_rng(seed), model.item_vectors.device
    chance = torch.Generator(device).manual_seed(seed % 2**31)
    read, follows, real = course.windows.read(which)
    wanted = follows[real]
    everything = np.arange(course.known.rows.size)
    rows, stands_for = softmax_rows(everything, wanted, rng, whole=WHOLE_CATALOGUE, sampled=SAMPLED_ITEMS)
    states = model(torch.from_numpy(read).to(device), chance)[torch.from_numpy(real).to(device)]
    kept, added, columns = (torch.from_numpy(one).to(device) for one in (rows, stands_for, np.searchsorted(rows, wanted)))
    loss = foretold(states, model.item_vectors[kept], model.item_bias[kept] + added, columns)
    return _Part(float(loss.detach()), wanted.size, torch.autograd.grad(loss, list(model.parameters())))


def _give(model: Transformer, gradients: Sequence[Sequence[Tensor]], count: int) -> None:
    """The mean gradient of a step's parts."""
    for place, parameter in enumerate(model.parameters()):
        total = gradients[0][place].clone()
        for other in gradients[1:]:
            total += other[place]
        parameter.grad = total / count


def rate_at(done: float) -> float:
    """Share of the learning rate when a share `done` of the training is over: up in a straight line, down as a cosine."""
    if done < WARM:
        return max(done / WARM, LEAST_RATE)
    return LEAST_RATE + (1 - LEAST_RATE) * (1 + math.cos(math.pi * (done - WARM) / (1 - WARM))) / 2


def panel_scores(model: Transformer, course: _Course, parameters: SASRecParameters, panel: Panel) -> Floats:
    """(p, n_items) scores of a panel's people, NaN for items nobody liked and in rows of people without a known item."""
    sequences = Sequences.of(panel.material.pasts, course.known)
    found = np.full((len(panel), course.known.counts.size), np.nan, dtype=np.float32)
    for start in range(0, len(panel), PEOPLE_AT_ONCE):
        read, sizes = sequences.newest(panel.users[start : start + PEOPLE_AT_ONCE], parameters.recent)
        own = np.flatnonzero(sizes)
        if own.size:
            found[np.ix_(start + own, course.known.rows)] = _said(model, read[own], sizes[own])
    return found


@torch.no_grad()
def _said(model: Transformer, read: Ints, sizes: Ints) -> Floats:
    device = model.item_vectors.device
    states = model(torch.from_numpy(read).to(device))[np.arange(sizes.size), sizes - 1]
    scores = states @ model.item_vectors.T + model.item_bias
    return np.asarray(scores.cpu().numpy(), dtype=np.float32)


def _spread(told: AnyArray, known: Known, n_items: int) -> AnyArray:
    """Values of the known items as values of all, 0 for the others."""
    found = np.zeros((n_items, *told.shape[1:]), dtype=np.float32)
    found[known.rows] = told
    return found
