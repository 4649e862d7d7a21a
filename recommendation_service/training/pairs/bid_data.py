"""Training data of the bid model: bids, with what was known about the pair when the job was posted."""

from collections.abc import Mapping
from dataclasses import dataclass, fields, replace

import numpy as np

from recommendation_service.core.numeric import AnyArray, Bools, Floats, Ints
from recommendation_service.datasets.pair_features import PairTable, features
from recommendation_service.datasets.pair_outcomes import BID, Matches
from recommendation_service.domain.side import Texts
from recommendation_service.training.parameters import BidParameters
from recommendation_service.use_cases.schema import PairConfig

COUNT, LOWEST = "bid_count", "lowest_bid"  # columns about the bids placed so far
MARKET = "market_rate"  # column of the market price per unit


@dataclass(frozen=True, slots=True, eq=False)
class Bids:
    """`n` bids of decided jobs, oldest job first."""

    rows: Ints  # (n,) in the table of matches
    times: AnyArray  # (n,) float64 seconds when the job was posted
    chosen: Bools  # (n,)
    table: Floats  # (n, f) inputs of the network, NaN where unknown
    text_columns: Mapping[str, Texts]  # (n,) for each embedded column
    units: AnyArray  # (n,) float64, > 0: the hours
    rates: AnyArray  # (n,) float64, log of the amount per unit
    market: AnyArray  # (n,) float64, log of the market price per unit at that time; NaN where unknown

    def __len__(self) -> int:
        return int(self.rows.size)

    def take(self, indices: Ints | slice) -> "Bids":
        """The bids at these indices."""
        columns = {field.name: getattr(self, field.name)[indices] for field in fields(self) if field.name != "text_columns"}
        return Bids(**columns, text_columns={name: column[indices] for name, column in self.text_columns.items()})

    def won(self) -> "Bids":
        """The winning bids."""
        return self.take(np.flatnonzero(self.chosen))


def read_bids(matches: Matches, pair_config: PairConfig, parameters: BidParameters) -> Bids:
    """Every bid of a decided job with known amount and units.

    The columns of a job are of the time it was posted, before any bid. Suggestions are requested later, so the bidding is
    simulated: a random part of the job's other bids, from none to all, counts as already placed.
    """
    pairs = bidding_so_far(matches, np.random.default_rng(parameters.seed))
    amount, units = (pairs.number(name).astype(np.float64) for name in (BID, parameters.per))
    rows = np.flatnonzero(matches.decided & (amount > 0) & (units > 0) & np.isfinite(amount * units))
    rows = rows[np.argsort(matches.times[rows], kind="stable")]
    market = pairs.number(MARKET)[rows].astype(np.float64)
    return Bids(
        rows,
        matches.times[rows],
        matches.chosen[rows],
        features(pair_config, pairs, parameters.features)[rows],
        {name: pairs.text(name)[rows] for name in pair_config.embedding_columns},
        units[rows],
        np.log(amount[rows] / units[rows]),
        np.log(np.where(market > 0, market, np.nan)),
    )


def bidding_so_far(matches: Matches, rng: np.random.Generator) -> PairTable:
    """The pairs, with the number of other bids of the job placed so far and the lowest of them; never the own bid."""
    pairs = matches.pairs()
    _, groups = np.unique(matches.groups, return_inverse=True)
    placed = rng.random(len(matches)) < rng.random(int(groups.max(initial=-1)) + 1)[groups]
    amount = np.where(placed, pairs.number(BID), np.inf)
    count = np.bincount(groups[placed], minlength=int(groups.max(initial=-1)) + 1)[groups] - placed
    lowest = _lowest_of_others(amount, groups)
    numbers = {**pairs.numbers, COUNT: count.astype(np.float32), LOWEST: lowest}
    return replace(pairs, numbers=numbers)


def _lowest_of_others(amounts: AnyArray, groups: Ints) -> Floats:
    """(n,) the lowest amount of the other rows of each row's group; NaN if there is none."""
    amounts = np.where(np.isnan(amounts), np.inf, amounts)
    order = np.lexsort((amounts, groups))
    first: Bools = np.r_[True, np.diff(groups[order]) > 0] if order.size else np.zeros(0, dtype=np.bool_)
    starts = np.flatnonzero(first)
    ends = np.r_[starts[1:], order.size]
    lowest, rival = amounts[order[starts]], np.full(starts.size, np.inf)
    several = ends - starts > 1
    rival[several] = amounts[order[starts[several] + 1]]
    result = lowest[groups]
    result[order[starts]] = rival
    return np.where(np.isfinite(result), result, np.nan).astype(np.float32)
