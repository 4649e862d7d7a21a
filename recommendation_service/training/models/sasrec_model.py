"""A causal transformer over items, after Kang & McAuley (2018), "Self-Attentive Sequential Recommendation", in torch.

Blocks normalise before attention. Items have separate vectors as input and as prediction target, so that training can start
from vectors that already know which item follows which. The loss is the cross-entropy over the whole catalogue, which
Klenitskiy & Vasilev (2023), "Turning Dross Into Gold Loss", found to matter most.
"""

from typing import Any, cast

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional

from recommendation_service.core.numeric import AnyArray, Floats
from recommendation_service.training.models.sasrec_parameters import SASRecParameters

AT_ONCE = 256  # rows of logits that fit into a processor's cache


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

    def arrays(self) -> dict[str, AnyArray]:
        """The arrays that serving reads."""
        arrays = {name: part.detach().cpu().numpy() for name, part in self.named_parameters()}
        return {name: np.array(part, dtype=np.float32, order="C") for name, part in arrays.items()}


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
        buffer = states.new_empty(min(AT_ONCE, states.shape[0]), vectors.shape[0])
        for start in range(0, states.shape[0], AT_ONCE):
            hidden, column = states[start : start + AT_ONCE], wanted[start : start + AT_ONCE, None]
            logits = torch.addmm(bias, hidden, vectors.T, out=buffer[: hidden.shape[0]])
            logits -= logits.amax(dim=1, keepdim=True)
            right = logits.gather(1, column)
            sums = logits.exp_().sum(dim=1, keepdim=True)
            total += (sums.log() - right).sum()
            logits /= sums
            logits[torch.arange(hidden.shape[0], device=hidden.device), column[:, 0]] -= 1
            torch.mm(logits, vectors, out=by_state[start : start + AT_ONCE])
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
