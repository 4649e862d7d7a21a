"""A made-up marketplace whose winning bids are known: what they depend on, and how far they scatter."""

import numpy as np

from recommendation_service.core.numeric import AnyArray
from recommendation_service.datasets.pair_features import join_pairs
from recommendation_service.datasets.pair_outcomes import BID, Matches
from recommendation_service.domain.side import PairSide
from recommendation_service.use_cases.loader import load
from recommendation_service.use_cases.schema import PairConfig

KINDS = {"apartment": 1.0, "office": 1.15, "villa": 1.4}  # what an hour costs there, against an apartment's
DAY_S = 86_400.0


def pair_config() -> PairConfig:
    found = load("cleaning").pairs
    assert found is not None
    return found


def expected_rate(kind: AnyArray, usual: AnyArray, market: AnyArray) -> AnyArray:
    """€ an hour at which half of such jobs are won: between what the cleaner usually asks and the market."""
    return np.sqrt(usual * market) * np.array([KINDS[one] for one in kind.tolist()])


def auctions(jobs: int, *, bids: int = 4, seed: int = 0, scatter: float = 0.15, uneven: bool = True) -> Matches:
    """`bids` offers for each job, one accepted. Its amount scatters log-normally, more for large places where `uneven`."""
    rng = np.random.default_rng(seed)
    n = jobs * bids
    job = np.repeat(np.arange(jobs), bids)
    size, kind = rng.uniform(30, 300, jobs)[job], rng.choice(list(KINDS), jobs)[job]
    hours = np.round(np.clip(size / 30, 1, 10) * 2) / 2
    market, usual = rng.uniform(14, 18, jobs)[job], rng.uniform(9, 32, n)
    spread = scatter * (0.5 + size / 200 if uneven else 1.0)
    rate = expected_rate(kind, usual, market) * np.exp(rng.normal(0, 1, n) * spread)
    numbers: dict[str, AnyArray] = {
        "size_m2": size,
        "hours": hours,
        "market_rate": market,
        "usual_rate": usual,
        "hourly_rate": usual,
        "budget": market * hours,
        "win_rate": rng.uniform(0, 0.5, n),
        BID: rate * hours,
    }
    numbers = {one.name: np.full(n, np.nan) for one in pair_config().features if one.name != "distance_km"} | numbers
    first = PairSide(tuple(map(str, job)), {name: column.astype(np.float32) for name, column in numbers.items()})
    text_columns = {"property_type": kind, "client_id": np.array([f"c{one % 50}" for one in job])}
    pairs = join_pairs(
        pair_config(), PairSide(first.ids, first.numbers, text_columns), PairSide(tuple(f"k{one % 40}" for one in range(n)))
    )
    names = tuple(sorted(pairs.numbers))
    chosen = np.zeros(n, dtype=np.bool_)
    chosen[np.arange(jobs) * bids + rng.integers(0, bids, jobs)] = True
    unknown = np.full(n, np.nan, dtype=np.float32)
    return Matches(
        names=names,
        numbers=np.stack([pairs.numbers[name] for name in names], axis=1),
        text_columns={name: np.asarray(column) for name, column in pairs.text_columns.items()},
        groups=job.astype(np.int64),
        times=1_700_000_000.0 + job * DAY_S / 10,
        ratings=unknown,
        chosen=chosen,
        decided=np.ones(n, dtype=np.bool_),
        verdicts=unknown.copy(),
    )
