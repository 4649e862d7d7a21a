"""Calibration of bid ranges, and their figures on held-out bids, with the tables that show them."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from math import ceil
from typing import Any

import numpy as np
from scipy.stats import binomtest

from recommendation_service.core.numeric import AnyArray, Bools, Floats
from recommendation_service.training.pairs.bid_data import Bids
from recommendation_service.training.parameters import BidParameters
from recommendation_service.training.text_tables import markdown_table

FEWEST = 20  # held-out bids; smaller parts are not shown
JOBS_DONE = "total_jobs"  # a column: 0 for new cleaners
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
    low, high = binomtest(hits, n).proportion_ci(method="wilson")
    return float(low), float(high)


def parts_of(won: Bids, parameters: BidParameters) -> Mapping[str, Bools]:
    """Subsets to report: each value of the embedded columns, new cleaners, and bids without a market rate."""
    parts: dict[str, Bools] = {}
    for name, column in won.text_columns.items():
        parts |= {f"{name} {value}": column == value for value in np.unique(column).tolist() if value}
    for index, feature in enumerate(parameters.features):
        if feature.name == JOBS_DONE:
            parts["no job done before"] = won.table[:, index] == np.float32(-feature.offset / feature.scale)
    parts["market unknown"] = np.isnan(won.market)
    return {name: rows for name, rows in parts.items() if FEWEST <= rows.sum() < len(won)}


def coverage_table(predicted: AnyArray, won: Bids, older: Bids, parameters: BidParameters) -> str:
    """Return a Markdown table of the held-out winning bids: all of them, all by the market's quantiles, and each part alone."""
    titles = ["held-out winning bids", "n", "min to max", "95 %", "below", "above", "width", "width, €", "pinball"]
    whole = measure(predicted, won, older, parameters)
    market = [f"{whole.market_coverage:.1%}", "", "", "", f"{whole.market_width:.0%}", "", f"{whole.market_pinball:.4f}"]
    cells = [titles, _row("all", whole), ["all, by the market's own quantiles", f"{whole.n:,}", *market]]
    for name, rows in parts_of(won, parameters).items():
        indices = np.flatnonzero(rows)
        cells.append(_row(name, measure(predicted[indices], won.take(indices), older, parameters)))
    return markdown_table(cells, right=range(1, len(titles)))


def rolling_line(parts: Sequence[BidFigures]) -> str:
    """Coverage in each of several periods, and in all of them together."""
    n = sum(figures.n for figures in parts)
    within = sum(round(figures.coverage * figures.n) for figures in parts)
    low, high = wilson(within, n)
    each = ", ".join(f"{figures.coverage:.1%}" for figures in parts)
    whole = f"together {within / n:.1%} of {n:,} ({low:.1%}-{high:.1%})"
    return f"each of the newest {len(parts)} tenths of time, trained on everything before it: {each}; {whole}"


def _row(name: str, figures: BidFigures) -> list[str]:
    low, high = figures.coverage_interval
    shares = [f"{figures.coverage:.1%}", f"{low:.1%}-{high:.1%}", f"{figures.below:.1%}", f"{figures.above:.1%}"]
    return [name, f"{figures.n:,}", *shares, f"{figures.width:.0%}", f"{figures.width_euros:.2f}", f"{figures.pinball:.4f}"]


def outcome_table(predicted: AnyArray, bids: Bids) -> str:
    """Return a Markdown table: for each part of the range, how often the held-out bids won and their mean earnings.

    Earnings (0 for a lost bid) are relative to the optimal amount, so that all jobs count equally. This is not an
    experiment: cleaners who ask for more are also chosen for other reasons.
    """
    cells = [["held-out bids", "n", "won", "95 %", "earned, relative to optimal"]]
    relative = np.exp(bids.rates - predicted[:, 1])
    for name, rows in stretches(predicted, bids.rates).items():
        if rows.any():
            won = bids.chosen[rows]
            low, high = wilson(int(won.sum()), won.size)
            earned = f"{(won * relative[rows]).mean():.3f}"
            cells.append([name, f"{won.size:,}", f"{won.mean():.1%}", f"{low:.1%}-{high:.1%}", earned])
    return markdown_table(cells, right=range(1, 5))


def stretches(predicted: AnyArray, rates: AnyArray) -> dict[str, Bools]:
    """Assign (n,) bids to the parts of (n, 3) ranges; each bid is in exactly one part."""
    low, middle, high = predicted.T
    return {
        "below the minimum": rates < low,
        "minimum to optimal": (rates >= low) & (rates <= middle),
        "optimal to maximum": (rates > middle) & (rates <= high),
        "above the maximum": rates > high,
    }
