"""Means and rates from tallies, shrunk toward the market if there are few rows. Pure functions over arrays.

`drawn` is the posterior mean of a rate under a Beta prior, and of a mean under a normal one (Gelman et al., "Bayesian Data
Analysis", 3rd edition, sections 2.4 and 2.5): (total + k * prior) / (count + k), as if there were k more rows of the market's
average. k is PRIOR = 5. The market's own average is shrunk the same way toward a first guess of MARKET_PRIOR = 20 rows, which
is the value on the first day. So one mark of 10 (drawn to about 8.1 where the market gives
7.7) does not pass a hundred of 9 (drawn to 8.9).
"""

from collections.abc import Mapping

import numpy as np

from sites.cleaning.models import PropertyType
from sites.cleaning.scoring.aggregates import MARKS, Counts, Tallies

PRIOR = 5.0
MARKET_PRIOR = 20.0
FIRST_GUESS = {  # without any rows: a mark of 1 to 10, shares, euros an hour
    "marks": 7.5,
    "completed": 0.9,
    "on_time": 0.85,
    "cancelled": 0.05,
    "with_photos": 0.5,
    "won": 0.2,
    "rate": 15.0,
}
KINDS = tuple(PropertyType.values)


def share(total: Counts, count: Counts) -> Counts:
    """Return total / count, NaN if the count is 0."""
    return np.asarray(np.divide(total, count, out=np.full(total.shape, np.nan), where=count > 0))


def drawn(total: Counts, count: Counts, toward: Counts | float, weight: float = PRIOR) -> Counts:
    """Return the mean with `weight` rows of `toward` added: see above."""
    return np.asarray((total + weight * toward) / (count + weight), dtype=np.float64)


def finished(tallies: Tallies) -> Counts:
    """Return the number of jobs that the cleaner ended; jobs that the client cancelled do not count."""
    return tallies["completed"] + tallies["cancelled"] + tallies["failed"]


def market_mark(market: Tallies, mark: str) -> Counts:
    """Return the market's mean mark, toward which a cleaner's is shrunk."""
    return drawn(market[f"marks_{mark}"], market["reviews"], FIRST_GUESS["marks"], MARKET_PRIOR)


def drawn_mark(tallies: Tallies, market: Tallies, mark: str) -> Counts:
    """Return the mean mark of 1 to 10, shrunk toward the market's."""
    return drawn(tallies[f"marks_{mark}"], tallies["reviews"], market_mark(market, mark))


def drawn_rate(tallies: Tallies, market: Tallies, name: str, count: Counts, of_all: Counts) -> Counts:
    """Return the share of 0 to 1 of `count`, shrunk toward the market's share of `of_all`."""
    return drawn(tallies[name], count, drawn(market[name], of_all, FIRST_GUESS[name], MARKET_PRIOR))


def market_rate(market: Tallies) -> Counts:
    """Return the market's mean bid in euros per hour."""
    return drawn(market["amounts"], market["hours"], FIRST_GUESS["rate"], MARKET_PRIOR)


def figures(tallies: Tallies, market: Tallies) -> Mapping[str, Counts]:
    """Return the columns of CleanerScore other than the parts, (n,) each by name; NaN if unknown.

    Scores are shrunk toward the market; rates and averages are not.
    """
    reviewed = np.where(tallies["reviews"] > 0, 10.0, np.nan)
    return {
        **{f"{mark}_score": reviewed * drawn_mark(tallies, market, mark) for mark in MARKS[1:]},
        "average_rating": share(tallies["marks_overall"], tallies["reviews"]),
        "review_count": tallies["reviews"],
        "completion_rate": share(tallies["completed"], finished(tallies)),
        "on_time_rate": share(tallies["on_time"], tallies["timed"]),
        "cancellation_rate": share(tallies["cancelled"], finished(tallies)),
        "photo_rate": share(tallies["with_photos"], tallies["completed"]),
        "bid_count": tallies["bids"],
        "win_rate": share(tallies["won"], tallies["decided"]),
        "average_bid": share(tallies["amounts"], tallies["bids"]),
        "usual_rate": share(tallies["amounts"], tallies["hours"]),
        "total_jobs": tallies["completed"],
        "total_earnings": tallies["earned"],
        "eco_percentage": 100 * share(tallies["eco"], tallies["completed"]),
        "jobs_30_days": tallies["jobs_30"],
        "jobs_90_days": tallies["jobs_90"],
        "jobs_ahead": np.maximum(tallies["taken"] - tallies["over"], 0.0),
    }


def primary_kinds(tallies: Tallies) -> np.ndarray[tuple[int], np.dtype[np.str_]]:
    """Return (n,) the most frequent kind of property, of equals the first in PropertyType; "" without jobs."""
    table = np.stack([tallies[f"kind_{kind}"] for kind in KINDS])
    return np.where(table.max(axis=0) > 0, np.array(KINDS)[table.argmax(axis=0)], "")
