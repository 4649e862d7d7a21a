"""How far a range of bids must reach, and how well it did on bids that it was not learned from."""

from dataclasses import asdict, dataclass
from math import ceil, sqrt
from typing import Any

import numpy as np

from recommendation_service.core.numeric import AnyArray, Floats
from recommendation_service.training.pairs.bid_data import Bids
from recommendation_service.training.pairs.bid_parameters import BidParameters

Z_95 = 1.959964  # of the standard normal distribution
SHORTEST = 1e-6  # a step so short that its scale says nothing


@dataclass(frozen=True, slots=True)
class BidFigures:
    """What `n` held-out winning bids say of the advice given for them."""

    n: int
    share: float  # that was to lie between minimum and maximum
    coverage: float  # that did
    coverage_interval: tuple[float, float]  # 95 %
    below: float  # won under the minimum
    above: float  # won over the maximum
    width: float  # mean of (maximum - minimum) / optimal
    width_euros: float
    pinball: float  # of the logarithms; about the relative error, weighed
    market_coverage: float
    market_width: float
    market_pinball: float  # of the market's own quantiles: what such jobs were won for, relative to the market's rate

    def to_dict(self) -> dict[str, Any]:
        """As plain JSON values, for a manifest."""
        rounded = {name: round(value, 6) for name, value in asdict(self).items() if isinstance(value, float)}
        return {**asdict(self), **rounded, "coverage_interval": [round(one, 6) for one in self.coverage_interval]}


def measure(said: AnyArray, won: Bids, older: Bids, parameters: BidParameters) -> BidFigures:
    """Compare (n, 3) logarithms a unit with what each bid was won for; the market's quantiles are those of `older`."""
    market = market_quantiles(older, won, parameters.quantiles)
    between = inside(said, won.rates)
    relative, euros = _widths(said, won)
    return BidFigures(
        n=len(won),
        share=parameters.share,
        coverage=float(between.mean()),
        coverage_interval=wilson(int(between.sum()), len(won)),
        below=float((won.rates < said[:, 0]).mean()),
        above=float((won.rates > said[:, 2]).mean()),
        width=float(relative.mean()),
        width_euros=float(euros.mean()),
        pinball=pinball(said, won.rates, parameters.quantiles),
        market_coverage=float(inside(market, won.rates).mean()),
        market_width=float(_widths(market, won)[0].mean()),
        market_pinball=pinball(market, won.rates, parameters.quantiles),
    )


def inside(said: AnyArray, rates: AnyArray) -> AnyArray:
    """(n,) whether each lies between minimum and maximum."""
    return (rates >= said[:, 0]) & (rates <= said[:, 2])


def _widths(said: AnyArray, won: Bids) -> tuple[AnyArray, AnyArray]:
    low, middle, high = np.exp(said).T
    return (high - low) / middle, (high - low) * won.units


def pinball(said: AnyArray, rates: AnyArray, quantiles: tuple[float, float, float]) -> float:
    """Mean pinball loss of (n, 3) logarithms against (n,)."""
    missed = rates[:, None] - said
    levels = np.array(quantiles)
    return float(np.maximum(levels * missed, (levels - 1) * missed).mean())


def market_quantiles(older: Bids, won: Bids, quantiles: tuple[float, float, float]) -> AnyArray:
    """(n, 3) what one who knows only the market would say: its rate, times the quantiles that older bids won at.

    Where the market's rate is unknown, the quantiles of all older bids.
    """
    known = ~np.isnan(older.market)
    plain = np.quantile(older.rates, quantiles)
    relative = np.quantile((older.rates - older.market)[known], quantiles) if known.any() else plain
    return np.where(np.isnan(won.market)[:, None], plain, np.nan_to_num(won.market)[:, None] + relative)


def reach_of(said: AnyArray, rates: AnyArray, quantiles: tuple[float, float, float]) -> Floats:
    """(2,) factors of the steps from the middle down and up with which each side misses no more than its share.

    Each is the ceil((n + 1) * level)-th smallest of how many steps away the n bids lay; the largest where n is too small.
    """
    down = (said[:, 1] - rates) / np.maximum(said[:, 1] - said[:, 0], SHORTEST)
    up = (rates - said[:, 1]) / np.maximum(said[:, 2] - said[:, 1], SHORTEST)
    reaches = [_conformal(down, 1 - quantiles[0]), _conformal(up, quantiles[2])]
    return np.maximum(np.array(reaches, dtype=np.float32), 0)


def _conformal(scores: AnyArray, level: float) -> float:
    place = min(ceil(round((scores.size + 1) * level, 9)), scores.size)
    return float(np.sort(scores)[place - 1])


def wilson(hits: int, n: int) -> tuple[float, float]:
    """95 % interval of a share (Wilson 1927); 0 to 1 where nothing was seen."""
    if n == 0:
        return 0.0, 1.0
    share, z2 = hits / n, Z_95 * Z_95
    middle = (share + z2 / (2 * n)) / (1 + z2 / n)
    half = Z_95 * sqrt(share * (1 - share) / n + z2 / (4 * n * n)) / (1 + z2 / n)
    return max(0.0, middle - half), min(1.0, middle + half)
