"""Draws that several parts of the invented marketplace share. Chance is always an argument."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

Chance = np.random.Generator
Floats = NDArray[np.float64]
Ints = NDArray[np.int64]
Bools = NDArray[np.bool_]

HOUR_S, DAY_S = 3_600.0, 86_400.0


def apportioned(rng: Chance, shares: Sequence[float], n: int) -> Ints:
    """(n,) numbers of the kinds in an order of chance, each kind as often as its share says, to the nearest whole."""
    wanted = np.asarray(shares, dtype=np.float64) / np.sum(shares) * n
    counts = np.floor(wanted).astype(np.int64)
    counts[np.argsort(counts - wanted, kind="stable")[: n - counts.sum()]] += 1
    return np.asarray(rng.permutation(np.repeat(np.arange(len(shares)), counts)))


def drawn(rng: Chance, weights: Sequence[float] | Floats, n: int) -> Ints:
    """(n,) places drawn with these weights, each by itself."""
    steps = np.cumsum(np.asarray(weights, dtype=np.float64))
    return np.asarray(np.searchsorted(steps, rng.random(n) * steps[-1], side="right"))


def without_return(rng: Chance, weights: Floats, n: int) -> Ints:
    """`n` different places, the heavier the likelier; places of weight 0 never.

    The largest of log weight plus Gumbel noise: Vieira (2014), "Gumbel-max trick and weighted reservoir sampling".
    """
    with np.errstate(divide="ignore"):
        keys = np.log(weights) + rng.gumbel(size=weights.size)
    best = np.argsort(-keys, kind="stable")[:n]
    return best[weights[best] > 0]


def between(rng: Chance, lows: Floats, highs: Floats) -> Floats:
    """One evenly drawn number within each pair of bounds."""
    return lows + rng.random(np.shape(lows)) * (highs - lows)
