"""The neural pair model's two halves and the learned weight between them, as torch modules."""

from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor, nn

from recommendation_service.datasets.pair_network import LAYERS, Inputs
from recommendation_service.training.pairs.neural_parameters import NeuralParameters

HIDDEN = (64, 32)
START = 1.0  # length of a person's vector before the first step; from much less, who suits whom is learned after patience ends


@dataclass(frozen=True, slots=True, eq=False)
class Tensors:
    """What the network reads of `n` pairs."""

    numbers: Tensor
    tokens: Tensor
    first: Tensor
    second: Tensor
    known: Tensor  # (n,) 1 where both persons are known, else 0

    @classmethod
    def of(cls, inputs: Inputs, device: torch.device) -> "Tensors":
        """The same for torch."""
        sides = (inputs.numbers, inputs.tokens, inputs.first, inputs.second, inputs.known.astype(np.float32))
        return cls(*(torch.from_numpy(np.ascontiguousarray(side)).to(device) for side in sides))


class Collaborative(nn.Module):
    """Who asks and who offers: two vectors of `dimension`, joined, through layers of 64 and 32 to one score."""

    def __init__(self, n_first: int, n_second: int, parameters: NeuralParameters, usual: float = 0.5) -> None:
        """`usual` is the score to begin with."""
        super().__init__()
        d = parameters.dimension
        self.first = nn.Parameter(torch.randn(n_first, d) * START / d**0.5)
        self.second = nn.Parameter(torch.randn(n_second, d) * START / d**0.5)
        self.layers = _perceptron(2 * d, parameters.dropout, usual)

    def forward(self, first: Tensor, second: Tensor) -> Tensor:
        """(n,) 0 to 1, of rows of both tables."""
        return torch.sigmoid(self.layers(torch.cat([self.first[first], self.second[second]], dim=1))[:, 0])


class Content(nn.Module):
    """What the two are like: the features and a vector for each word, such as the property type, to one score."""

    def __init__(
        self, n_features: int, n_columns: int, n_tokens: int, parameters: NeuralParameters, usual: float = 0.5
    ) -> None:
        """`n_columns` of tokens, with `n_tokens` different ones in all; `usual` is the score to begin with."""
        super().__init__()
        self.token_vectors = nn.Parameter(torch.randn(n_tokens, parameters.token_dimension) * 0.1)
        self.layers = _perceptron(n_features + n_columns * parameters.token_dimension, parameters.dropout, usual)

    def forward(self, numbers: Tensor, tokens: Tensor) -> Tensor:
        """(n,) 0 to 1; `numbers` is (n, f), `tokens` (n, c) rows of the table of tokens."""
        vectors = self.token_vectors[tokens].reshape(tokens.shape[0], -1)
        return torch.sigmoid(self.layers(torch.cat([numbers, vectors], dim=1))[:, 0])

    def with_unknown(self) -> Tensor:
        """(n_tokens, e) with the mean of all tokens in row 0, which stands for those that training never saw."""
        return (
            torch.cat([self.token_vectors[1:].mean(dim=0, keepdim=True), self.token_vectors[1:]])
            if len(self.token_vectors) > 1
            else self.token_vectors
        )


class Hybrid(nn.Module):
    """alpha * collaborative + (1 - alpha) * content, with alpha the sigmoid of a number learned beside the rest."""

    def __init__(self, collaborative: Collaborative, content: Content) -> None:
        super().__init__()
        self.collaborative, self.content = collaborative, content
        self.leaning = nn.Parameter(torch.zeros(()))

    @property
    def alpha(self) -> Tensor:
        """How much the collaborative half counts where both persons are known."""
        return torch.sigmoid(self.leaning)

    def forward(self, inputs: Tensors) -> tuple[Tensor, Tensor, Tensor]:
        """(n,) each: the score, and what either half says. Where a person is unknown (row -1) the content half decides."""
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
    """Weights and biases as serving reads them: (n_in, n_out) each."""
    linear = [layer for layer in layers if isinstance(layer, nn.Linear)]
    made: dict[str, Tensor] = {}
    for k, layer in zip(LAYERS, linear, strict=True):
        made |= {f"{half}{k}_weights": layer.weight.T, f"{half}{k}_bias": layer.bias}
    return made
