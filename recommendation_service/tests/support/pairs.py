"""Pairs of jobs and cleaners for tests of what carries them: row k is job k with cleaner k."""

import numpy as np

from recommendation_service.core.numeric import Floats
from recommendation_service.datasets.pair_features import join_pairs
from recommendation_service.datasets.pair_outcomes import BID, Matches
from recommendation_service.domain.side import PairSide
from recommendation_service.use_cases.loader import load

CLEANING = load("cleaning")
OF_CLEANERS = ("communication_score", "professionalism_score", "timeliness_score", "completion_rate", "on_time_rate")


def job_columns(n: int) -> dict[str, Floats]:
    """What a pair network reads of jobs, different in every row."""
    names = ("latitude", "longitude", "size_m2", "hours", "eco_wanted", "hour_of_day", "day_of_week")
    return {name: np.arange(n, dtype=np.float32) + place for place, name in enumerate(names)}


def cleaner_columns(n: int) -> dict[str, Floats]:
    """What a pair network reads of cleaners, different in every row."""
    names = ("base_latitude", "base_longitude", "overall_score", "quality_score", *OF_CLEANERS, "total_jobs", "average_rating")
    return {name: np.arange(n, dtype=np.float32) * 2 + place for place, name in enumerate(names)}


def table(n: int) -> Matches:
    """`n` offers, each for a job of its own, every one accepted and rated."""
    pair_config = CLEANING.pairs
    assert pair_config is not None
    ids = tuple(str(row) for row in range(n))
    kinds = np.array(["villa" if row % 2 else "apartment" for row in range(n)], dtype=np.str_)
    clients = np.array([f"client {row}" for row in range(n)], dtype=np.str_)
    first = PairSide(ids, job_columns(n), {"property_type": kinds, "client_id": clients})
    second = PairSide(ids, {**cleaner_columns(n), BID: np.arange(n, dtype=np.float32) + 20}, {})
    pairs = join_pairs(pair_config, first, second)
    return Matches(
        names=tuple(pairs.numbers),
        numbers=np.stack(list(pairs.numbers.values()), axis=1),
        text_columns=pairs.text_columns,
        groups=np.arange(n, dtype=np.int64),
        times=np.arange(n, dtype=np.float64),
        ratings=np.full(n, 0.5, dtype=np.float32),
        chosen=np.ones(n, dtype=np.bool_),
        decided=np.ones(n, dtype=np.bool_),
        verdicts=np.full(n, np.nan, dtype=np.float32),
    )
