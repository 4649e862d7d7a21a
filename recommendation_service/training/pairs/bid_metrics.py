"""Calibration of bid ranges, and their figures on held-out bids."""

from dataclasses import asdict, dataclass
from math import ceil, sqrt
from typing import Any

import numpy as np

from recommendation_service.core.numeric import AnyArray, Floats
from recommendation_service.training.pairs.bid_data import Bids
from recommendation_service.training.pairs.bid_parameters import BidParameters

Z_95 = 1.959964  # of the standard normal distribution
SHORTEST = 1e-6  # shorter steps have no meaningful scale


@dataclass(frozen=True, slots=True)
class BidFigures:
    """Figures of the suggested ranges on `n` held-out winning bids."""

    n: int
    share: float  # of bids that should lie between minimum and maximum
    coverage: float  # of bids that did
    coverage_interval: tuple[float, float]  # 95 %
    below: float  # won under the minimum
    above: float  # won over the maximum
    width: float  # mean of (maximum - minimum) / optimal
    width_euros: float
    pinball: float  # of the logarithms: roughly a weighted relative error
    market_coverage: float
    market_width: float
    market_pinball: float  # of the quantiles of winning bids relative to the market rate

    def to_dict(self) -> dict[str, Any]:
        """As plain JSON values, for a manifest."""
        rounded = {name: round(value, 6) for name, value in asdict(self).items() if isinstance(value, float)}
        return {**asdict(self), **rounded, "coverage_interval": [round(bound, 6) for bound in self.coverage_interval]}


def measure(predicted: AnyArray, won: Bids, older: Bids, parameters: BidParameters) -> BidFigures:
    """Compare (n, 3) predicted logarithms per unit with the winning bids; market quantiles are those of `older`."""
    market = market_quantiles(older, won, parameters.quantiles)
    between = inside(predicted, won.rates)
    relative, euros = _widths(predicted, won)
    return BidFigures(
        n=len(won),
        share=parameters.share,
        coverage=float(between.mean()),
        coverage_interval=wilson(int(between.sum()), len(won)),
        below=float((won.rates < predicted[:, 0]).mean()),
        above=float((won.rates > predicted[:, 2]).mean()),
        width=float(relative.mean()),
        width_euros=float(euros.mean()),
        pinball=pinball(predicted, won.rates, parameters.quantiles),
        market_coverage=float(inside(market, won.rates).mean()),
        market_width=float(_widths(market, won)[0].mean()),
        market_pinball=pinball(market, won.rates, parameters.quantiles),
    )


def inside(predicted: AnyArray, rates: AnyArray) -> AnyArray:
    """(n,) True for rates between minimum and maximum."""
    return (rates >= predicted[:, 0]) & (rates <= predicted[:, 2])


def _widths(predicted: AnyArray, won: Bids) -> tuple[AnyArray, AnyArray]:
    low, middle, high = np.exp(predicted).T
    return (high - low) / middle, (high - low) * won.units


def pinball(predicted: AnyArray, rates: AnyArray, quantiles: tuple[float, float, float]) -> float:
    """Mean pinball loss of (n, 3) logarithms against (n,)."""
    missed = rates[:, None] - predicted
    levels = np.array(quantiles)
    return float(np.maximum(levels * missed, (levels - 1) * missed).mean())


def market_quantiles(older: Bids, won: Bids, quantiles: tuple[float, float, float]) -> AnyArray:
    """(n, 3) a baseline that knows only the market rate: the rate times the quantiles of older winning bids.

    Where the market rate is unknown, the quantiles of all older bids.
    """
    known = ~np.isnan(older.market)
    plain = np.quantile(older.rates, quantiles)
    relative = np.quantile((older.rates - older.market)[known], quantiles) if known.any() else plain
    return np.where(np.isnan(won.market)[:, None], plain, np.nan_to_num(won.market)[:, None] + relative)


def reach_of(predicted: AnyArray, rates: AnyArray, quantiles: tuple[float, float, float]) -> Floats:
    """(2,) factors of the steps down and up, so that each side misses at most its share.

    Each is the ceil((n + 1) * level)-th smallest distance of the n bids, in steps; the largest if n is too small.
    """
    down = (predicted[:, 1] - rates) / np.maximum(predicted[:, 1] - predicted[:, 0], SHORTEST)
    up = (rates - predicted[:, 1]) / np.maximum(predicted[:, 2] - predicted[:, 1], SHORTEST)
    reaches = [_conformal(down, 1 - quantiles[0]), _conformal(up, quantiles[2])]
    return np.maximum(np.array(reaches, dtype=np.float32), 0)


def _conformal(scores: AnyArray, level: float) -> float:
    index = min(ceil(round((scores.size + 1) * level, 9)), scores.size)
    return float(np.sort(scores)[index - 1])


def wilson(hits: int, n: int) -> tuple[float, float]:
    """95 % interval of a share (Wilson 1927); 0 to 1 for n = 0."""
    if n == 0:
        return 0.0, 1.0
    share, z2 = hits / n, Z_95 * Z_95
    middle = (share + z2 / (2 * n)) / (1 + z2 / n)
    half = Z_95 * sqrt(share * (1 - share) / n + z2 / (4 * n * n)) / (1 + z2 / n)
    return max(0.0, middle - half), min(1.0, middle + half)
