"""A causal transformer over items: at each position of each history it predicts the next item.

After Kang & McAuley (2018), "Self-Attentive Sequential Recommendation". Blocks normalise before attention. Items have
separate vectors as input and as prediction target, so that training can start from vectors that already know which item
follows which. The loss is the cross-entropy over the whole catalogue, which Klenitskiy & Vasilev (2023), "Turning Dross Into
Gold Loss", found to matter most.

A step is divided into a fixed number of parts that run in parallel, one thread each; their gradients are summed in order.
Threads inside each small operation would wait for each other longer than they work, and the result would depend on the
number of threads.
"""

import math
import os
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict, dataclass, replace
from typing import Any, cast

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional

from recommendation_service.core.numeric import Floats, Ints
from recommendation_service.training.data import NotEnough, Trained, TrainingData
from recommendation_service.training.evaluation.evaluator import EvaluationUsers
from recommendation_service.training.models.item_to_item import Known
from recommendation_service.training.models.sequences import Lists, Windows, sequences_of, start_vectors
from recommendation_service.training.models.torch_training import (
    WHOLE_CATALOGUE,
    best_device,
    deterministic,
    float_arrays,
    ndcg_on,
    softmax_rows,
    to_device,
    train_epochs,
)
from recommendation_service.training.parameters import SASRecParameters
from recommendation_service.training.report import Progress

PARTS = 4  # of a step, independent of the number of cores
LEAST_TARGETS = 50
SAMPLED_ITEMS = 4_096
LEAST_STEPS, SMALLEST_BATCH = 50, 256  # small sites use small batches, so that there are enough steps
LOGITS_AT_ONCE = 256  # rows of logits that fit into a processor's cache
WARM = 0.05  # share of the steps over which the learning rate rises
LEAST_RATE = 0.02  # share of the learning rate at the end
DECAY = 0.8  # per position in the initial vectors
SHORT = 30.0  # mean items per history
STEEPEST = 5.0  # gradient norm for clipping
PEOPLE_AT_ONCE = 64


class Transformer(nn.Module):
    """Parameters named as the published arrays; those of the blocks are stacked."""

    def __init__(self, n_items: int, parameters: SASRecParameters, start: tuple[Floats, Floats] | None = None) -> None:
        """`start` holds the initial (n_items, d) input and target vectors; None: random."""
        super().__init__()
        d, blocks = parameters.dimension, parameters.layers
        self.heads, self.dropout = parameters.heads, parameters.dropout
        before, after = map(torch.from_numpy, start) if start else torch.randn(2, n_items, d) * d**-0.5
        self.history_vectors = nn.Parameter(before.clone())
        self.item_vectors = nn.Parameter(after.clone())
        self.item_bias = nn.Parameter(torch.zeros(n_items))
        self.positions = nn.Parameter(torch.randn(parameters.recent, d) * 0.02)
        self.attention_norm = _norms(blocks, d)
        self.read_weights, self.read_bias = _layers(blocks, d, 3 * d)
        self.output_weights, self.output_bias = _layers(blocks, d, d)
        self.dense_norm = _norms(blocks, d)
        self.dense1_weights, self.dense1_bias = _layers(blocks, d, d)
        self.dense2_weights, self.dense2_bias = _layers(blocks, d, d)
        self.last_norm = nn.Parameter(torch.stack([torch.ones(d), torch.zeros(d)]))

    def forward(self, read: Tensor, generator: torch.Generator | None = None) -> Tensor:
        """(b, t, d) states after each of (b, t) items, oldest first; `generator` draws the dropout mask, None: no dropout."""
        states = functional.embedding(read, self.history_vectors) + self.positions[: read.shape[1]]
        states = self._dropped(states, generator)
        for block in range(self.read_weights.shape[0]):
            states = states + self._dropped(self._attended(states, block), generator)
            hidden = normalised(states, self.dense_norm[block])
            hidden = torch.relu(hidden @ self.dense1_weights[block] + self.dense1_bias[block])
            states = states + self._dropped(hidden @ self.dense2_weights[block] + self.dense2_bias[block], generator)
        return normalised(states, self.last_norm)

    def _attended(self, states: Tensor, block: int) -> Tensor:
        people, steps, d = states.shape
        hidden = normalised(states, self.attention_norm[block]) @ self.read_weights[block] + self.read_bias[block]
        query, key, value = hidden.view(people, steps, 3, self.heads, d // self.heads).permute(2, 0, 3, 1, 4)
        mixed = functional.scaled_dot_product_attention(query, key, value, is_causal=True)
        together = mixed.transpose(1, 2).reshape(people, steps, d)
        return together @ self.output_weights[block] + self.output_bias[block]

    def _dropped(self, states: Tensor, generator: torch.Generator | None) -> Tensor:
        if generator is None or not self.dropout:
            return states
        mask = torch.empty_like(states).bernoulli_(1 - self.dropout, generator=generator)
        return states * mask.mul_(1 / (1 - self.dropout))


def normalised(states: Tensor, norm: Tensor) -> Tensor:
    """Layer normalisation; `norm` is (2, d): scale and shift."""
    return functional.layer_norm(states, states.shape[-1:], norm[0], norm[1])


class _NextItemLoss(torch.autograd.Function):
    """Summed cross-entropy of states against item vectors, with its gradients, computed in blocks of rows.

    The logits of a whole step would take hundreds of megabytes and be read from memory a dozen times.
    """

    @staticmethod
    def forward(ctx: Any, states: Tensor, vectors: Tensor, bias: Tensor, wanted: Tensor) -> Tensor:
        by_state, by_vector, by_bias = torch.empty_like(states), torch.zeros_like(vectors), torch.zeros_like(bias)
        total = states.new_zeros(())
        buffer = states.new_empty(min(LOGITS_AT_ONCE, states.shape[0]), vectors.shape[0])
        for start in range(0, states.shape[0], LOGITS_AT_ONCE):
            hidden, column = states[start : start + LOGITS_AT_ONCE], wanted[start : start + LOGITS_AT_ONCE, None]
            logits = torch.addmm(bias, hidden, vectors.T, out=buffer[: hidden.shape[0]])
            logits -= logits.amax(dim=1, keepdim=True)
            right = logits.gather(1, column)
            sums = logits.exp_().sum(dim=1, keepdim=True)
            total += (sums.log() - right).sum()
            logits /= sums
            logits[torch.arange(hidden.shape[0], device=hidden.device), column[:, 0]] -= 1
            torch.mm(logits, vectors, out=by_state[start : start + LOGITS_AT_ONCE])
            by_vector.addmm_(logits.T, hidden)
            by_bias += logits.sum(dim=0)
        ctx.save_for_backward(by_state, by_vector, by_bias)
        return total

    @staticmethod
    def backward(ctx: Any, *gradients: Any) -> Any:
        by_state, by_vector, by_bias = ctx.saved_tensors
        return gradients[0] * by_state, gradients[0] * by_vector, gradients[0] * by_bias, None


def next_item_loss(states: Tensor, vectors: Tensor, bias: Tensor, wanted: Tensor) -> Tensor:
    """Sum over (b, d) states of the cross-entropy of softmax(states @ vectors.T + bias) against (b,) wanted columns."""
    return cast(Tensor, _NextItemLoss.apply(states, vectors, bias, wanted))  # type: ignore[no-untyped-call]  # torch's own


def _norms(blocks: int, d: int) -> nn.Parameter:
    return nn.Parameter(torch.stack([torch.ones(d), torch.zeros(d)]).repeat(blocks, 1, 1))


def _layers(blocks: int, wide: int, narrow: int) -> tuple[nn.Parameter, nn.Parameter]:
    bound = wide**-0.5
    weights = torch.empty(blocks, wide, narrow).uniform_(-bound, bound)
    return nn.Parameter(weights), nn.Parameter(torch.zeros(blocks, narrow))


@dataclass(frozen=True, slots=True, eq=False)
class _Plan:
    """The training data and schedule."""

    known: Known
    sequences: Lists  # oldest first, of known items
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
    """Train the transformer; return its arrays. With a panel, the epoch with the best NDCG@10 is used, with early stopping.

    The returned parameters contain the best number of epochs, so that a refit on more events can use it.
    Deterministic on CPU for a seed. Raises NotEnough for fewer than fifty items liked after another one, ValueError if
    the number of heads does not divide the dimension.
    """
    if parameters.dimension % parameters.heads:
        raise ValueError(f"dimension {parameters.dimension} does not divide into {parameters.heads} heads")
    plan = _plan(material, parameters)
    n_known, n_items = plan.known.rows.size, len(material.catalogue)
    with deterministic(parameters.seed), ThreadPoolExecutor(min(PARTS, os.cpu_count() or 1)) as pool:
        start = start_vectors(plan.sequences.reversed(), n_known, parameters.dimension, DECAY)
        model = Transformer(n_known, replace(parameters, dropout=plan.dropout), start).to(best_device())
        training = _Training(model, plan, parameters, pool)
        arrays, best_epochs = train_epochs(
            min(parameters.best_epochs or plan.epochs, plan.epochs),
            training.epoch,
            lambda: float_arrays(dict(model.named_parameters())),
            validate=None if panel is None else ndcg_on(panel, lambda _arrays: panel_scores(model, plan, parameters, panel)),
            patience=parameters.patience,
            scheduled=True,
            progress=progress,
        )
    for name in ("history_vectors", "item_vectors", "item_bias"):  # from the known items to all, with 0 for the others
        spread = np.zeros((n_items, *arrays[name].shape[1:]), dtype=np.float32)
        spread[plan.known.rows] = arrays[name]
        arrays[name] = spread
    arrays |= {"item_ids": material.catalogue.ids.array, "item_counts": plan.known.counts.astype(np.int32)}
    return Trained("sasrec", arrays, asdict(replace(parameters, best_epochs=best_epochs)))


def _plan(material: TrainingData, parameters: SASRecParameters) -> _Plan:
    known = Known.of(material.histories)
    sequences = sequences_of(material.histories, known)
    windows = Windows.of(sequences, parameters.recent)
    if windows.targets < LEAST_TARGETS:
        raise NotEnough(f"sasrec needs {LEAST_TARGETS} items liked after another one; this export has {windows.targets}")
    whole = parameters.batch if known.rows.size <= WHOLE_CATALOGUE else 2 * parameters.batch
    batch = int(np.clip(windows.targets // LEAST_STEPS, min(SMALLEST_BATCH, whole), whole))
    epochs = max(1, min(parameters.epochs, parameters.most_targets // windows.targets))
    rate = parameters.learning_rate * min(1.0, math.sqrt(batch / parameters.batch))
    sizes = np.diff(sequences.indptr)
    dropout = parameters.short_dropout if sizes[sizes > 1].mean() < SHORT else parameters.dropout
    return _Plan(known, sequences, windows, batch, rate, dropout, epochs)


class _Training:
    """The transformer in training."""

    def __init__(self, model: Transformer, plan: _Plan, parameters: SASRecParameters, pool: ThreadPoolExecutor) -> None:
        self._model, self._plan, self._pool = model, plan, pool
        self._optimizer = torch.optim.Adam(model.parameters(), lr=plan.rate, betas=(0.9, 0.98), fused=False, foreach=False)
        self._rng = np.random.default_rng(parameters.seed)

    def epoch(self, number: int) -> str:
        """Train on each window once."""
        plan, rng = self._plan, self._rng
        batches = list(plan.windows.batches(plan.batch, rng))
        total_loss, n_targets = 0.0, 0
        for index, windows in enumerate(batches):
            rate = plan.rate * rate_at((number - 1 + index / len(batches)) / plan.epochs)
            for group in self._optimizer.param_groups:
                group["lr"] = rate
            parts = [part for start in range(PARTS) if (part := windows[start::PARTS]).size]
            seeds = rng.integers(2**62, size=len(parts)).tolist()
            losses, targets, gradients = zip(*self._pool.map(self._part_gradients, parts, seeds), strict=True)
            count = max(1, sum(targets))
            for parameter, *parts_of_gradient in zip(self._model.parameters(), *gradients, strict=True):
                parameter.grad = sum(parts_of_gradient[1:], parts_of_gradient[0]) / count
            torch.nn.utils.clip_grad_norm_(self._model.parameters(), STEEPEST)
            self._optimizer.step()
            total_loss, n_targets = total_loss + sum(losses), n_targets + count
        return f"loss {total_loss / max(n_targets, 1):.3f}"

    def _part_gradients(self, windows: Ints, seed: int) -> tuple[float, int, Sequence[Tensor]]:
        """Summed loss, number of targets, and one gradient per parameter, of one part of a step."""
        model, plan = self._model, self._plan
        rng, device = np.random.default_rng(seed), model.item_vectors.device
        generator = torch.Generator(device).manual_seed(seed % 2**31)
        read, follows, real = plan.windows.read(windows)
        wanted, everything = follows[real], np.arange(plan.known.rows.size)
        rows, correction = softmax_rows(everything, wanted, rng, whole=WHOLE_CATALOGUE, sampled=SAMPLED_ITEMS)
        items, real_positions, item_rows, added, columns = to_device(
            device, read, real, rows, correction, np.searchsorted(rows, wanted)
        )
        states = model(items, generator)[real_positions]
        loss = next_item_loss(states, model.item_vectors[item_rows], model.item_bias[item_rows] + added, columns)
        return float(loss.detach()), wanted.size, torch.autograd.grad(loss, list(model.parameters()))


def rate_at(done: float) -> float:
    """Share of the learning rate after a share `done` of the training: linear warm-up, then cosine decay."""
    if done < WARM:
        return max(done / WARM, LEAST_RATE)
    return LEAST_RATE + (1 - LEAST_RATE) * (1 + math.cos(math.pi * (done - WARM) / (1 - WARM))) / 2


@torch.no_grad()
def panel_scores(model: Transformer, plan: _Plan, parameters: SASRecParameters, panel: EvaluationUsers) -> Floats:
    """(p, n_items) scores of the panel's users; NaN for items without likes and for users without a known item."""
    sequences = sequences_of(panel.material.histories, plan.known)
    scores = np.full((len(panel), plan.known.counts.size), np.nan, dtype=np.float32)
    for start in range(0, len(panel), PEOPLE_AT_ONCE):
        items, sizes = sequences.last(panel.users[start : start + PEOPLE_AT_ONCE], parameters.recent)
        users = np.flatnonzero(sizes)
        if users.size:
            states = model(*to_device(model.item_vectors.device, items[users]))[np.arange(users.size), sizes[users] - 1]
            user_scores = states @ model.item_vectors.T + model.item_bias
            scores[np.ix_(start + users, plan.known.rows)] = user_scores.cpu().numpy()
    return scores
