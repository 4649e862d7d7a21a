"""Bid suggestions as text tables: how often the winning bid is in the range, and outcomes by position in the range."""

from collections.abc import Iterator, Mapping, Sequence

import numpy as np

from recommendation_service.core.numeric import AnyArray, Bools
from recommendation_service.training.pairs.bid_data import Bids
from recommendation_service.training.pairs.bid_metrics import BidFigures, measure, wilson
from recommendation_service.training.pairs.bid_parameters import BidParameters

FEWEST = 20  # held-out bids; smaller parts are not shown
JOBS_DONE = "total_jobs"  # a column: 0 for new cleaners


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


def coverage_table(predicted: AnyArray, won: Bids, older: Bids, parameters: BidParameters) -> Iterator[str]:
    """Markdown: all held-out winning bids, the market's own quantiles, and each part alone."""
    yield "| held-out winning bids | n | min to max | 95 % | below | above | width | width, € | pinball |"
    yield f"| --- |{' ---: |' * 8}"
    whole = measure(predicted, won, older, parameters)
    yield _row("all", whole)
    cells = f"{whole.market_coverage:.1%} | | | | {whole.market_width:.0%} | | {whole.market_pinball:.4f} |"
    yield f"| all, by the market's own quantiles | {whole.n:,} | {cells}"
    for name, rows in parts_of(won, parameters).items():
        indices = np.flatnonzero(rows)
        yield _row(name, measure(predicted[indices], won.take(indices), older, parameters))


def rolling_line(parts: Sequence[BidFigures]) -> str:
    """Coverage in each of several periods, and in all of them together."""
    n = sum(figures.n for figures in parts)
    within = sum(round(figures.coverage * figures.n) for figures in parts)
    low, high = wilson(within, n)
    each = ", ".join(f"{figures.coverage:.1%}" for figures in parts)
    whole = f"together {within / n:.1%} of {n:,} ({low:.1%}-{high:.1%})"
    return f"each of the newest {len(parts)} tenths of time, trained on everything before it: {each}; {whole}"


def _row(name: str, figures: BidFigures) -> str:
    low, high = figures.coverage_interval
    cells = [
        f"{figures.n:,}",
        f"{figures.coverage:.1%}",
        f"{low:.1%}-{high:.1%}",
        f"{figures.below:.1%}",
        f"{figures.above:.1%}",
    ]
    return f"| {name} | {' | '.join(cells)} | {figures.width:.0%} | {figures.width_euros:.2f} | {figures.pinball:.4f} |"


def outcome_table(predicted: AnyArray, bids: Bids) -> Iterator[str]:
    """Markdown: for all held-out bids in each part of the range, how often they won and what they earned on average.

    Earnings (0 for a lost bid) are relative to the optimal amount, so that all jobs count equally. This is not an
    experiment: cleaners who ask for more are also chosen for other reasons.
    """
    yield "| held-out bids | n | won | 95 % | earned, relative to optimal |"
    yield f"| --- |{' ---: |' * 4}"
    relative = np.exp(bids.rates - predicted[:, 1])
    for name, rows in stretches(predicted, bids.rates).items():
        if rows.any():
            won = bids.chosen[rows]
            low, high = wilson(int(won.sum()), won.size)
            yield f"| {name} | {won.size:,} | {won.mean():.1%} | {low:.1%}-{high:.1%} | {(won * relative[rows]).mean():.3f} |"


def stretches(predicted: AnyArray, rates: AnyArray) -> dict[str, Bools]:
    """Assign (n,) bids to the parts of (n, 3) ranges; each bid is in exactly one part."""
    low, middle, high = predicted.T
    return {
        "below the minimum": rates < low,
        "minimum to optimal": (rates >= low) & (rates <= middle),
        "optimal to maximum": (rates > middle) & (rates <= high),
        "above the maximum": rates > high,
    }
