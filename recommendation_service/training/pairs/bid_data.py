"""What the bid model learns from and is measured on: bids, with what was known of the pair when the job was posted."""

from collections.abc import Mapping
from dataclasses import dataclass, replace

import numpy as np

from recommendation_service.core.numeric import AnyArray, Bools, Floats, Ints
from recommendation_service.datasets.pair_features import Pairs, features
from recommendation_service.datasets.pair_outcomes import BID, Matches
from recommendation_service.domain.side import Words
from recommendation_service.training.pairs.bid_parameters import BidParameters
from recommendation_service.use_cases.schema import Pairing

COUNT, LOWEST = "bid_count", "lowest_bid"  # columns of how far the bidding had come
MARKET = "market_rate"  # column of what one unit cost on the market


@dataclass(frozen=True, slots=True, eq=False)
class Bids:
    """`n` bids of jobs that were decided, oldest job first."""

    rows: Ints  # (n,) in the table of matches
    times: AnyArray  # (n,) float64 seconds when the job was posted
    chosen: Bools  # (n,)
    table: Floats  # (n, f) what the network reads, NaN where unknown
    words: Mapping[str, Words]  # (n,) for each embedded column
    units: AnyArray  # (n,) float64, > 0: the hours
    rates: AnyArray  # (n,) float64, log of what was asked for one of them
    market: AnyArray  # (n,) float64, log of what one cost on the market by then; NaN where unknown

    def __len__(self) -> int:
        return int(self.rows.size)

    def take(self, places: Ints | slice) -> "Bids":
        """These of them."""
        words = {name: column[places] for name, column in self.words.items()}
        rest = (getattr(self, name)[places] for name in ("units", "rates", "market"))
        return Bids(self.rows[places], self.times[places], self.chosen[places], self.table[places], words, *rest)

    def won(self) -> "Bids":
        """Those that were chosen."""
        return self.take(np.flatnonzero(self.chosen))


def read_bids(matches: Matches, pairing: Pairing, parameters: BidParameters) -> Bids:
    """Every bid of a job that was decided, with its amount and its units known.

    A job's columns are of the moment it was posted, when nobody had bid. Advice is asked for at any moment after, so the
    bidding is played again: of the job's other bids, some by chance are taken as placed already, from none to all.
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
        features(pairing, pairs, parameters.features)[rows],
        {name: pairs.word(name)[rows] for name in pairing.embedded},
        units[rows],
        np.log(amount[rows] / units[rows]),
        np.log(np.where(market > 0, market, np.nan)),
    )


def bidding_so_far(matches: Matches, rng: np.random.Generator) -> Pairs:
    """The pairs, each told how many others of its job had bid already, and the lowest of those; never its own bid."""
    pairs = matches.pairs()
    _, groups = np.unique(matches.groups, return_inverse=True)
    placed = rng.random(len(matches)) < rng.random(int(groups.max(initial=-1)) + 1)[groups]
    amount = np.where(placed, pairs.number(BID), np.inf)
    count = np.bincount(groups[placed], minlength=int(groups.max(initial=-1)) + 1)[groups] - placed
    lowest = _lowest_of_others(amount, groups)
    numbers = {**pairs.numbers, COUNT: count.astype(np.float32), LOWEST: lowest}
    return replace(pairs, numbers=numbers)


def _lowest_of_others(amounts: AnyArray, groups: Ints) -> Floats:
    """(n,) the lowest amount of each row's group, its own left out; NaN where there is none."""
    amounts = np.where(np.isnan(amounts), np.inf, amounts)
    order = np.lexsort((amounts, groups))
    first: Bools = np.r_[True, np.diff(groups[order]) > 0] if order.size else np.zeros(0, dtype=np.bool_)
    starts = np.flatnonzero(first)
    ends = np.r_[starts[1:], order.size]
    lowest, rival = amounts[order[starts]], np.full(starts.size, np.inf)
    several = ends - starts > 1
    rival[several] = amounts[order[starts[several] + 1]]
    found = lowest[groups]
    found[order[starts]] = rival
    return np.where(np.isfinite(found), found, np.nan).astype(np.float32)
