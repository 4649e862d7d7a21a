"""A causal transformer over items, after Kang & McAuley (2018), "Self-Attentive Sequential Recommendation", in torch.

Blocks normalise before they attend. What an item says when it is read and what foretells it are vectors of their own, so
that training can begin at vectors that already tell what follows what. The loss is the cross-entropy over the whole
catalogue, which Klenitskiy & Vasilev (2023), "Turning Dross Into Gold Loss", found to matter most.
"""

from typing import Any, cast

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional

from recommendation_service.core.numeric import AnyArray, Floats
from recommendation_service.training.models.sasrec_parameters import SASRecParameters

AT_ONCE = 256  # rows of logits that stay in a processor's cache


class Transformer(nn.Module):
    """All parameters under the names of the published arrays, a block's stacked by block."""

    def __init__(self, n_items: int, parameters: SASRecParameters, start: tuple[Floats, Floats] | None = None) -> None:
        """`start`: (n_items, d) of each item as one that was liked before, and as one that is liked next; None: drawn."""
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
        self.told_weights, self.told_bias = _layers(blocks, d, d)
        self.dense_norm = _norms(blocks, d)
        self.dense1_weights, self.dense1_bias = _layers(blocks, d, d)
        self.dense2_weights, self.dense2_bias = _layers(blocks, d, d)
        self.last_norm = nn.Parameter(torch.stack([torch.ones(d), torch.zeros(d)]))

    def forward(self, read: Tensor, chance: torch.Generator | None = None) -> Tensor:
        """(b, t, d) the state after each of (b, t) items, oldest first; `chance` draws what is dropped, None: nothing."""
        states = functional.embedding(read, self.history_vectors) + self.positions[: read.shape[1]]
        states = self._dropped(states, chance)
        for block in range(self.read_weights.shape[0]):
            states = states + self._dropped(self._attended(states, block), chance)
            own = normalised(states, self.dense_norm[block])
            own = torch.relu(own @ self.dense1_weights[block] + self.dense1_bias[block])
            states = states + self._dropped(own @ self.dense2_weights[block] + self.dense2_bias[block], chance)
        return normalised(states, self.last_norm)

    def _attended(self, states: Tensor, block: int) -> Tensor:
        people, steps, d = states.shape
        own = normalised(states, self.attention_norm[block]) @ self.read_weights[block] + self.read_bias[block]
        query, key, value = own.view(people, steps, 3, self.heads, d // self.heads).permute(2, 0, 3, 1, 4)
        mixed = functional.scaled_dot_product_attention(query, key, value, is_causal=True)
        together = mixed.transpose(1, 2).reshape(people, steps, d)
        return together @ self.told_weights[block] + self.told_bias[block]

    def _dropped(self, states: Tensor, chance: torch.Generator | None) -> Tensor:
        if chance is None or not self.dropout:
            return states
        kept = torch.empty_like(states).bernoulli_(1 - self.dropout, generator=chance)
        return states * kept.mul_(1 / (1 - self.dropout))

    def arrays(self) -> dict[str, AnyArray]:
        """What serving reads."""
        told = {name: part.detach().cpu().numpy() for name, part in self.named_parameters()}
        return {name: np.array(part, dtype=np.float32, order="C") for name, part in told.items()}


def normalised(states: Tensor, norm: Tensor) -> Tensor:
    """Layer normalisation; `norm` is (2, d): scale and shift."""
    return functional.layer_norm(states, states.shape[-1:], norm[0], norm[1])


class _Foretold(torch.autograd.Function):
    """Summed cross-entropy of states against item vectors, and its gradients, some rows at a time.

    The logits of a whole step would be hundreds of megabytes, walked through memory a dozen times.
    """

    @staticmethod
    def forward(ctx: Any, states: Tensor, vectors: Tensor, bias: Tensor, wanted: Tensor) -> Tensor:
        by_state, by_vector, by_bias = torch.empty_like(states), torch.zeros_like(vectors), torch.zeros_like(bias)
        total = states.new_zeros(())
        room = states.new_empty(min(AT_ONCE, states.shape[0]), vectors.shape[0])
        for start in range(0, states.shape[0], AT_ONCE):
            own, column = states[start : start + AT_ONCE], wanted[start : start + AT_ONCE, None]
            logits = torch.addmm(bias, own, vectors.T, out=room[: own.shape[0]])
            logits -= logits.amax(dim=1, keepdim=True)
            right = logits.gather(1, column)
            sums = logits.exp_().sum(dim=1, keepdim=True)
            total += (sums.log() - right).sum()
            logits /= sums
            logits[torch.arange(own.shape[0], device=own.device), column[:, 0]] -= 1
            torch.mm(logits, vectors, out=by_state[start : start + AT_ONCE])
            by_vector.addmm_(logits.T, own)
            by_bias += logits.sum(dim=0)
        ctx.save_for_backward(by_state, by_vector, by_bias)
        return total

    @staticmethod
    def backward(ctx: Any, *gradients: Any) -> Any:
        by_state, by_vector, by_bias = ctx.saved_tensors
        return gradients[0] * by_state, gradients[0] * by_vector, gradients[0] * by_bias, None


def foretold(states: Tensor, vectors: Tensor, bias: Tensor, wanted: Tensor) -> Tensor:
    """Sum over (b, d) states of the cross-entropy of softmax(states @ vectors.T + bias) against (b,) wanted columns."""
    return cast(Tensor, _Foretold.apply(states, vectors, bias, wanted))  # type: ignore[no-untyped-call]  # torch's own


def _norms(blocks: int, d: int) -> nn.Parameter:
    return nn.Parameter(torch.stack([torch.ones(d), torch.zeros(d)]).repeat(blocks, 1, 1))


def _layers(blocks: int, wide: int, narrow: int) -> tuple[nn.Parameter, nn.Parameter]:
    bound = wide**-0.5
    weights = torch.empty(blocks, wide, narrow).uniform_(-bound, bound)
    return nn.Parameter(weights), nn.Parameter(torch.zeros(blocks, narrow))
