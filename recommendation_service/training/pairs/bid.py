"""Bid suggestions: a range in which a pair's winning bid lies, and its middle, learned from winning bids.

A network predicts three quantiles of the winning bid (pinball loss: Koenker & Bassett 1978, "Regression Quantiles"). The
steps between them pass through Softplus, so they are always in order. The two outer ones are then moved until the
configured share of newer bids, which the network did not learn from, lies between them: conformalized quantile regression
(Romano, Patterson & Candès 2019), in the form that scales the steps and so keeps the order (Kivaranovic, Johnson & Leeb
2020, "Adaptive, Distribution-Free Prediction Intervals for Deep Networks"). docs/decisions/0015 explains the choice of the
middle.
"""

import copy
from dataclasses import dataclass, replace
from itertools import pairwise

import numpy as np
import torch
from torch import Tensor, nn

from recommendation_service.core.numeric import AnyArray, Floats, mean_and_scale, standardised
from recommendation_service.datasets.pair_features import token_rows, tokens_of
from recommendation_service.datasets.pair_outcomes import Matches
from recommendation_service.domain.idmap import IdMap
from recommendation_service.training.data import NotEnough, Trained
from recommendation_service.training.models.torch_training import (
    deterministic,
    float_arrays,
    layer_tensors,
    take_step,
    train_epochs,
)
from recommendation_service.training.pairs.bid_data import Bids, read_bids
from recommendation_service.training.pairs.bid_metrics import BidFigures, measure, reach_of
from recommendation_service.training.parameters import BidParameters
from recommendation_service.training.report import Progress
from recommendation_service.use_cases.schema import PairConfig

LEAST = 200  # winning bids; with fewer, the outer tenths would be a few bids only
FITTED, STOPPED = 0.6, 0.7  # shares of bids: for learning, then for early stopping; the newest rest calibrates
HELD_OUT = 0.2  # share of the newest bids, on which a model of the older ones is measured
FIRST_STEP = -1.8  # softplus of it is about 0.15: the steps before anything is learned
EMPTY_VOCABULARY = ["="]  # an empty array cannot be published


class BidPrediction(nn.Module):
    """Three logarithms of an amount per unit, in ascending order by construction."""

    def __init__(self, inputs: int, tokens: int, columns: int, parameters: BidParameters) -> None:
        """Each pair has `inputs` numbers and `columns` categorical values out of a vocabulary of `tokens`."""
        super().__init__()
        size = inputs + columns * parameters.embedding
        self.token_vectors = nn.Parameter(torch.randn(tokens, parameters.embedding) * 0.1)
        self.layer1, self.layer2 = nn.Linear(size, parameters.hidden), nn.Linear(parameters.hidden, parameters.hidden)
        self.out, self.straight = nn.Linear(parameters.hidden, 3), nn.Linear(size, 3, bias=False)
        with torch.no_grad():
            self.straight.weight.zero_()
            self.out.bias.copy_(torch.tensor([0.0, FIRST_STEP, FIRST_STEP]))

    def forward(self, numbers: Tensor, tokens: Tensor) -> Tensor:
        """(n, 3) minimum, optimal and maximum; `tokens` is (n, columns), -1 where unknown."""
        known = (tokens >= 0)[..., None]
        known_tokens = (self.token_vectors[tokens.clamp(min=0)] * known).flatten(1)
        inputs = torch.cat([numbers, known_tokens], dim=1)
        hidden = torch.relu(self.layer2(torch.relu(self.layer1(inputs))))
        low, to_middle, to_high = (self.out(hidden) + self.straight(inputs)).unbind(dim=1)
        middle = low + nn.functional.softplus(to_middle)
        return torch.stack([low, middle, middle + nn.functional.softplus(to_high)], dim=1)


@dataclass(frozen=True, slots=True, eq=False)
class FittedBid:
    """A network with its input preparation and its calibration."""

    model: BidPrediction
    tokens: IdMap
    centers: Floats
    scales: Floats
    reference: float  # log of the median amount per unit; the network predicts the difference from it
    reaches: Floats  # (2,) factors of the steps down and up
    epochs: int

    def rates(self, won: Bids) -> AnyArray:
        """(n, 3) float64 logarithms of minimum, optimal and maximum per unit, calibrated."""
        raw = self.raw(won)
        middle = raw[:, 1:2]
        return np.asarray(middle + (raw - middle) * np.array([self.reaches[0], 1, self.reaches[1]], dtype=np.float64))

    def raw(self, won: Bids) -> AnyArray:
        """(n, 3) output of the network, not calibrated."""
        numbers, tokens = self.inputs(won)
        with torch.no_grad():
            output = self.model(numbers, tokens).numpy()
        return np.asarray(output.astype(np.float64) + self.reference)

    def inputs(self, won: Bids) -> tuple[Tensor, Tensor]:
        """The network's inputs for these pairs."""
        numbers = standardised(won.table, self.centers, self.scales)
        return torch.from_numpy(numbers), torch.from_numpy(token_rows(won.text_columns, self.tokens, len(numbers)))

    def arrays(self, parameters: BidParameters) -> dict[str, AnyArray]:
        """The arrays that serving reads; layers as (inputs, outputs)."""
        model = self.model
        tensors = {"attribute_vectors": model.token_vectors, "straight_weights": model.straight.weight.T}
        return {
            **float_arrays(tensors | layer_tensors(layer1=model.layer1, layer2=model.layer2, out=model.out)),
            "attributes": self.tokens.array,
            "features": np.array([feature.name.encode() for feature in parameters.features], dtype=np.bytes_),
            "centers": self.centers,
            "scales": self.scales,
            "reference": np.array([self.reference], dtype=np.float32),
            "reaches": self.reaches,
        }


def train_bid(
    matches: Matches, pair_config: PairConfig, parameters: BidParameters, progress: Progress | None = None
) -> Trained:
    """Train on all bids. The figures are of a model of the older bids, measured on the newest.

    Deterministic for a seed. Raises NotEnough below LEAST winning bids.
    """
    won = read_bids(matches, pair_config, parameters).won()
    enough(won)
    figures, older = held_out(won, parameters, progress=progress)
    fitted = fit(won, parameters, progress=progress)
    settings = parameters.to_dict() | {"epochs_kept": fitted.epochs, "winning_bids": len(won)}
    metrics = {"held_out": figures.to_dict(), "learned_from": older}
    worse = f"worse than the market's quantiles: pinball loss {figures.pinball:.4f} against {figures.market_pinball:.4f}"
    warnings = () if figures.pinball <= figures.market_pinball else (worse,)
    return Trained("bid", fitted.arrays(parameters), settings, metrics, warnings)


def enough(won: Bids) -> None:
    """Raise NotEnough below LEAST winning bids."""
    if len(won) < LEAST:
        raise NotEnough(f"bid needs {LEAST} winning bids; this export has {len(won)}")


def held_out(
    won: Bids, parameters: BidParameters, *, share: float = HELD_OUT, progress: Progress | None = None
) -> tuple[BidFigures, int]:
    """Figures on the newest `share` of the winning bids by a model of the older ones, and the number of older bids."""
    border = round(len(won) * (1 - share))
    return _figures(won, border, len(won), parameters, progress), border


def rolling(won: Bids, parameters: BidParameters, *, stretches: int = 5) -> list[BidFigures]:
    """Figures on each of the newest `stretches` tenths, by a model of all older bids."""
    borders = [round(len(won) * (10 - stretches + step) / 10) for step in range(stretches + 1)]
    return [_figures(won, start, end, parameters) for start, end in pairwise(borders)]


def _figures(won: Bids, start: int, end: int, parameters: BidParameters, progress: Progress | None = None) -> BidFigures:
    older, newer = won.take(slice(0, start)), won.take(slice(start, end))
    return measure(fit(older, parameters, progress=progress).rates(newer), newer, older, parameters)


def fit(won: Bids, parameters: BidParameters, *, progress: Progress | None = None) -> FittedBid:
    """Learn from the oldest bids, stop early on newer ones, calibrate on the newest."""
    first, second = round(len(won) * FITTED), round(len(won) * STOPPED)
    learned, stopping, newest = won.take(slice(0, first)), won.take(slice(first, second)), won.take(slice(second, None))
    with deterministic(parameters.seed):
        fitted = _fit(learned, stopping, parameters, progress)
        reaches = reach_of(fitted.raw(newest), newest.rates, parameters.quantiles)
    return replace(fitted, reaches=reaches)


def _fit(learned: Bids, stopping: Bids, parameters: BidParameters, progress: Progress | None) -> FittedBid:
    tokens = IdMap.of(tokens_of(learned.text_columns) or EMPTY_VOCABULARY)
    centers, scales = mean_and_scale(learned.table)
    model = BidPrediction(2 * centers.size, len(tokens), len(learned.text_columns), parameters)
    reference = float(np.median(learned.rates))
    fitted = FittedBid(model, tokens, centers, scales, reference, np.ones(2, dtype=np.float32), 0)
    optimizer = torch.optim.AdamW(model.parameters(), lr=parameters.learning_rate, weight_decay=parameters.weight_decay)
    (numbers, token_indices), wanted = fitted.inputs(learned), _offsets(learned, reference)
    stopping_inputs, stopping_wanted = fitted.inputs(stopping), _offsets(stopping, reference)

    def train_epoch(_number: int) -> str:
        order = torch.randperm(wanted.numel())
        for start in range(0, order.numel(), parameters.batch):
            rows = order[start : start + parameters.batch]
            visible = _with_hidden(numbers[rows], token_indices[rows], parameters.mask_share)
            take_step(optimizer, pinball(model(*visible), wanted[rows], parameters.quantiles))
        return ""

    def validate(_state: object) -> tuple[float, str]:
        with torch.no_grad():
            loss = float(pinball(model(*stopping_inputs), stopping_wanted, parameters.quantiles))
        return -loss, f"pinball loss {loss:.4f}"

    best, epochs = train_epochs(
        parameters.epochs,
        train_epoch,
        lambda: copy.deepcopy(model.state_dict()),
        validate=validate,
        patience=parameters.patience,
        progress=progress,
    )
    model.load_state_dict(best)
    return replace(fitted, epochs=epochs)


def _offsets(won: Bids, reference: float) -> Tensor:
    return torch.from_numpy((won.rates - reference).astype(np.float32))


def _with_hidden(numbers: Tensor, tokens: Tensor, share: float) -> tuple[Tensor, Tensor]:
    """Hide a share of the inputs, in the form that `standardised` and `token_rows` use for unknown values."""
    values, flags = numbers.chunk(2, dim=1)
    visible = torch.rand_like(values) >= share
    masked = torch.cat([values * visible, torch.maximum(flags, (~visible).float())], dim=1)
    return masked, torch.where(torch.rand(tokens.shape) >= share, tokens, -1)


def pinball(output: Tensor, wanted: Tensor, quantiles: tuple[float, float, float]) -> Tensor:
    """Mean pinball loss of (n, 3) outputs against (n,) wanted values."""
    missed = wanted[:, None] - output
    levels = torch.tensor(quantiles)
    return torch.maximum(levels * missed, (levels - 1) * missed).mean()
