"""What all models trained with torch share: one loop over epochs, reproducible settings, and arrays in both directions."""

import math
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import TypeVar

import numpy as np
import torch
from scipy import sparse
from torch import Tensor, nn

from recommendation_service.core.numeric import AnyArray, Floats, Ints
from recommendation_service.training.evaluation import metrics
from recommendation_service.training.evaluation.evaluator import EvaluationUsers
from recommendation_service.training.report import Progress

THREADS = 1  # steps are small: on a busy machine a pool of four took two hundred times as long as one thread
WHOLE_CATALOGUE = 20_000  # items up to which the softmax is over all of them
SURE = 1.645  # standard errors
PATIENCE_IN_NOISE = 3
RANKED_AT_ONCE = 4_000_000  # scores, to bound the memory of a validation
State = TypeVar("State")


def best_device() -> torch.device:
    """The graphics card if there is one, else the processor."""
    return torch.device("cuda" if torch.cuda.is_available() else "cpu")


@contextmanager
def deterministic(seed: int) -> Iterator[None]:
    """Seed torch and limit it to one thread; the previous settings of the process are restored afterwards.

    On a processor only deterministic algorithms are allowed. On a graphics card equal runs may differ in the last digits.
    """
    threads, strict = torch.get_num_threads(), torch.are_deterministic_algorithms_enabled()
    torch.manual_seed(seed)
    torch.set_num_threads(THREADS)
    torch.use_deterministic_algorithms(not torch.cuda.is_available())
    try:
        yield
    finally:
        torch.set_num_threads(threads)
        torch.use_deterministic_algorithms(strict)


def train_epochs(
    epochs: int,
    train_epoch: Callable[[int], str],
    snapshot: Callable[[], State],
    *,
    validate: Callable[[State], tuple[float | AnyArray, str]] | None = None,
    patience: int = 0,
    scheduled: bool = False,
    progress: Progress | None = None,
) -> tuple[State, int]:
    """Train for at most `epochs` epochs; return the state of the best epoch, and its number.

    `train_epoch` gets the number of the epoch, from 1, and returns a text for the progress report. `validate` returns the
    score of a state, higher is better, and a text, too. Without `validate`, the last epoch is the best. The number is 0 if
    every score was NaN.

    Training stops after `patience` epochs without a better score. If `validate` returns (p,) scores of the same people, the
    best epoch must also be surely better than the present one, compared person by person: few people, or scores near
    zero, show a fall that is only noise. Then training stops after PATIENCE_IN_NOISE times `patience`. With `scheduled`, as
    for a learning rate that falls until the last epoch, the last one is returned unless an earlier one is surely better.
    """
    best, best_epoch, best_scores = snapshot(), 0, np.array([-math.inf])
    epoch, state, scores = 0, best, best_scores
    for epoch in range(1, epochs + 1):
        text = train_epoch(epoch)
        if validate is not None:
            state = snapshot()
            score, validation_text = validate(state)
            scores = np.atleast_1d(np.asarray(score, dtype=np.float64))
            text = ", ".join(filter(None, (text, validation_text)))
        if progress:
            progress(epoch, epochs, text)
        if validate is None:
            continue
        if scores.mean() > best_scores.mean():
            best, best_epoch, best_scores = state, epoch, scores
        elif epoch - best_epoch >= patience and (
            surely_better(best_scores, scores) or epoch - best_epoch >= PATIENCE_IN_NOISE * patience
        ):
            break
    if validate is None:
        return snapshot(), epochs
    if scheduled and epoch == epochs and best_epoch and not surely_better(best_scores, scores):
        return state, epoch
    return best, best_epoch


def surely_better(better: AnyArray, other: AnyArray) -> bool:
    """True if (p,) scores are better than others of the same people by more than their noise (95 %, one-sided).

    One number each, such as a loss, has no noise that is known: any difference counts. NaN is never better.
    """
    if other.size < 2 or better.size != other.size:
        return not better.mean() < other.mean()
    difference = better - other
    return not difference.mean() <= SURE * difference.std(ddof=1) / math.sqrt(difference.size)


def ndcg_on(panel: EvaluationUsers | None, scores: Callable[[State], Floats]) -> Callable[[State], tuple[AnyArray, str]] | None:
    """A `validate` for `train_epochs`: NDCG@10 of each of the panel's users by (p, n_items) `scores`; None without a panel."""
    if panel is None:
        return None

    def validate(state: State) -> tuple[AnyArray, str]:
        table = scores(state)
        people = max(1, RANKED_AT_ONCE // max(1, table.shape[1]))
        blocks = [slice(start, start + people) for start in range(0, max(1, len(panel)), people)]
        lists = np.concatenate([metrics.top_k(table[block], panel.eligible[block], 10) for block in blocks])
        values = metrics.measure(lists, panel.relevant).ndcg
        return values, f"validation NDCG@10 {values.mean():.4f}"

    return validate


def take_step(optimizer: torch.optim.Optimizer, loss: Tensor) -> float:
    """Change the parameters once along the gradient of `loss`; return its value."""
    optimizer.zero_grad()
    torch.autograd.backward(loss)
    optimizer.step()
    return float(loss.detach())


def to_device(device: torch.device, *arrays: AnyArray) -> tuple[Tensor, ...]:
    """The arrays as tensors on this device."""
    return tuple(torch.from_numpy(np.ascontiguousarray(array)).to(device) for array in arrays)


def sparse_tensor(matrix: sparse.csr_array, device: torch.device) -> Tensor:
    """A float32 COO tensor on this device."""
    table = matrix.tocoo()
    indices, values = np.stack([table.row, table.col]).astype(np.int64), table.data.astype(np.float32)
    tensor = torch.sparse_coo_tensor(torch.from_numpy(indices), torch.from_numpy(values), table.shape, check_invariants=True)
    return tensor.coalesce().to(device)


def float_arrays(tensors: Mapping[str, Tensor]) -> dict[str, AnyArray]:
    """float32 copies of the tensors, as they are published."""
    return {name: np.array(tensor.detach().cpu().numpy(), dtype=np.float32, order="C") for name, tensor in tensors.items()}


def layer_tensors(**layers: nn.Linear) -> dict[str, Tensor]:
    """`<name>_weights` (inputs, outputs) and `<name>_bias` of each layer, as serving reads them."""
    tensors: dict[str, Tensor] = {}
    for name, layer in layers.items():
        tensors |= {f"{name}_weights": layer.weight.T, f"{name}_bias": layer.bias}
    return tensors


def softmax_rows(items: Ints, wanted: Ints, rng: np.random.Generator, *, whole: int, sampled: int) -> tuple[Ints, Floats]:
    """Item rows of a softmax, ascending, and what to add to their logits.

    Up to `whole` items these are all `items` (the same array). With more, these are the wanted items and a uniform sample
    of `sampled` others, each of which represents many (log-Q correction: Bengio & Senecal 2008, Yi et al. 2019).
    """
    if items.size <= whole:
        return items, np.zeros(items.size, dtype=np.float32)
    rows = np.union1d(rng.choice(items, size=sampled, replace=False), wanted)
    correction = np.float32(np.log(items.size / sampled))
    return rows, np.where(np.isin(rows, wanted), np.float32(0), correction).astype(np.float32)
