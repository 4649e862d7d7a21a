"""Measured advice on bids as text: how often the winning bid lay within it, and how bids did by where they lay."""

from collections.abc import Iterator, Mapping, Sequence

import numpy as np

from recommendation_service.core.numeric import AnyArray, Bools
from recommendation_service.training.pairs.bid_data import Bids
from recommendation_service.training.pairs.bid_metrics import BidFigures, measure, wilson
from recommendation_service.training.pairs.bid_parameters import BidParameters

FEWEST = 20  # held-out bids below which a part says nothing
JOBS_DONE = "total_jobs"  # a column: 0 of a newcomer


def parts_of(won: Bids, parameters: BidParameters) -> Mapping[str, Bools]:
    """What to look at alone: every word of the embedded columns, newcomers, and where the market's rate was unknown."""
    found: dict[str, Bools] = {}
    for name, column in won.words.items():
        found |= {f"{name} {word}": column == word for word in np.unique(column).tolist() if word}
    for place, feature in enumerate(parameters.features):
        if feature.name == JOBS_DONE:
            found["no job done before"] = won.table[:, place] == np.float32(-feature.minus / feature.over)
    found["market unknown"] = np.isnan(won.market)
    return {name: rows for name, rows in found.items() if FEWEST <= rows.sum() < len(won)}


def coverage_table(said: AnyArray, won: Bids, older: Bids, parameters: BidParameters) -> Iterator[str]:
    """Markdown: all held-out winning bids, the market's own quantiles, and each part alone."""
    yield "| held-out winning bids | n | min to max | 95 % | below | above | width | width, € | pinball |"
    yield f"| --- |{' ---: |' * 8}"
    whole = measure(said, won, older, parameters)
    yield _row("all", whole)
    cells = f"{whole.market_coverage:.1%} | | | | {whole.market_width:.0%} | | {whole.market_pinball:.4f} |"
    yield f"| all, by the market's own quantiles | {whole.n:,} | {cells}"
    for name, rows in parts_of(won, parameters).items():
        places = np.flatnonzero(rows)
        yield _row(name, measure(said[places], won.take(places), older, parameters))


def rolling_line(found: Sequence[BidFigures]) -> str:
    """How often it held in each of several stretches of time, and in all of them together."""
    n = sum(one.n for one in found)
    within = sum(round(one.coverage * one.n) for one in found)
    low, high = wilson(within, n)
    each = ", ".join(f"{one.coverage:.1%}" for one in found)
    whole = f"together {within / n:.1%} of {n:,} ({low:.1%}-{high:.1%})"
    return f"each of the newest {len(found)} tenths of time, learned from all before it: {each}; {whole}"


def _row(name: str, one: BidFigures) -> str:
    low, high = one.coverage_interval
    cells = [f"{one.n:,}", f"{one.coverage:.1%}", f"{low:.1%}-{high:.1%}", f"{one.below:.1%}", f"{one.above:.1%}"]
    return f"| {name} | {' | '.join(cells)} | {one.width:.0%} | {one.width_euros:.2f} | {one.pinball:.4f} |"


def outcome_table(said: AnyArray, bids: Bids) -> Iterator[str]:
    """Markdown: of all held-out bids, how often those in each stretch of the advice won, and what one brought.

    What it brought, nothing where it lost, is told in parts of the optimal amount, so that large jobs count as small ones.
    It is no experiment: who asks more is chosen for other reasons too.
    """
    yield "| held-out bids | n | won | 95 % | brought, of the optimal |"
    yield f"| --- |{' ---: |' * 4}"
    relative = np.exp(bids.rates - said[:, 1])
    for name, rows in stretches(said, bids.rates).items():
        if rows.any():
            won = bids.chosen[rows]
            low, high = wilson(int(won.sum()), won.size)
            yield f"| {name} | {won.size:,} | {won.mean():.1%} | {low:.1%}-{high:.1%} | {(won * relative[rows]).mean():.3f} |"


def stretches(said: AnyArray, rates: AnyArray) -> dict[str, Bools]:
    """Which of (n,) bids lie where of (n, 3) advice; each lies in one stretch."""
    low, middle, high = said.T
    return {
        "below the minimum": rates < low,
        "minimum to optimal": (rates >= low) & (rates <= middle),
        "optimal to maximum": (rates > middle) & (rates <= high),
        "above the maximum": rates > high,
    }
