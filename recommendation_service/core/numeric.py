"""Small pure-numpy pieces that several layers share: the best rows, the unit range, a dense layer."""

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float32]
Ints = NDArray[np.int64]
Bools = NDArray[np.bool_]
Bytes = NDArray[np.bytes_]
AnyArray = NDArray[Any]


LEAST_BLOCKS, LEAST_WIDTH = 256, 8  # below them, looking for a bound costs as much as it saves


def top_rows(scores: Floats, limit: int, eligible: Bools | None = None) -> Ints:
    """The rows of the best `limit` known scores, best first; ties keep the lower row first.

    `scores` is (n,), NaN where unknown; `eligible` is (n,), False rows never come back. Fewer rows than
    `limit` when fewer are known and eligible. The cost is linear in n.
    """
    known = ~np.isnan(scores)
    if eligible is not None:
        known &= eligible
    if limit <= 0:
        return np.empty(0, dtype=np.int64)
    rows = _within_reach(scores, limit, known)
    values = scores[rows]
    if rows.size > limit:
        cut = np.partition(values, rows.size - limit)[rows.size - limit]
        better = np.flatnonzero(values > cut)
        ties = np.flatnonzero(values == cut)[: limit - better.size]
        keep = np.concatenate([better, ties])
        rows, values = rows[keep], values[keep]
    return rows[np.lexsort((rows, -values))].astype(np.int64, copy=False)


def _within_reach(scores: Floats, limit: int, known: Bools) -> Ints:
    """Known rows, ascending: all that may be among the best `limit`, usually few more.

    Of many blocks' best scores, the `limit`-th is reached by that many rows at least, so nothing below it can count.
    Finding it is one pass without branches, and spares partitioning all n.
    """
    blocks = max(4 * limit, LEAST_BLOCKS)
    width = scores.size // blocks
    if width < LEAST_WIDTH:
        return np.flatnonzero(known)
    known_weight = np.where(known, scores, np.float32(-np.inf))
    best = known_weight[: width * blocks].reshape(width, blocks).max(axis=0)
    bound = np.partition(best, blocks - limit)[blocks - limit]
    return np.flatnonzero(known_weight >= bound if bound > -np.inf else known)


def unit_range(scores: Floats, eligible: Bools | None = None) -> Floats:
    """Min-max scaling of the known, eligible scores to [0, 1]; all others become NaN.

    Scores that are all equal carry no preference and become 0.5.
    """
    unknown = np.float32(np.nan)
    values = np.array(scores, dtype=np.float32) if eligible is None else np.where(eligible, scores, unknown)
    if not values.size:
        return values
    low = np.fmin.reduce(values)  # passes over NaN
    spread = np.fmax.reduce(values) - low
    if not spread > 0:
        return np.where(np.isnan(values), unknown, np.float32(0.5))
    values -= low
    values /= spread
    return values


def blend(scaled: Sequence[Floats], weights: Sequence[float]) -> Floats:
    """Weighted mean per row over the members that know it, (n,); NaN where none does.

    `scaled` are (n,) scores on one scale, NaN where a member cannot say: its weight is then shared out among the
    others, so that "cannot say" is neither praise nor blame. Weights are >= 0; a member of weight 0 is not heard.
    """
    total = np.zeros(scaled[0].shape, dtype=np.float32)
    known_weight = np.zeros(scaled[0].shape, dtype=np.float32)
    for scores, weight in zip(scaled, weights, strict=True):
        if weight > 0:
            values = scores * np.float32(weight)
            unknown = np.isnan(values)
            np.copyto(values, 0, where=unknown)  # masks as numbers: picking rows by them takes three times as long
            total += values
            known_weight += ~unknown * np.float32(weight)
    known_weight[known_weight == 0] = np.nan
    total /= known_weight
    return total


def unit_rows(matrix: Floats) -> Floats:
    """Each row divided by its Euclidean length; a row of zeros stays zero."""
    lengths = np.linalg.norm(matrix, axis=-1, keepdims=True)
    return np.asarray(matrix / np.maximum(lengths, np.float32(1e-12)), dtype=np.float32)


def weighted_direction(vectors: Floats, weights: Floats) -> Floats | None:
    """Where liked things point to together: the unit vector of the sum of weights * vectors, (d,).

    `vectors` is (k, d), `weights` (k,), negative for dislikes. None when nothing is left, such as after a like and an
    equal dislike of the same thing.
    """
    heaviest = float(np.abs(weights).max(initial=0.0))
    if heaviest == 0:
        return None
    values = np.asarray(np.asarray(weights, dtype=np.float64) / heaviest, dtype=np.float32)  # old likes may weigh 1e-30
    total = np.asarray(values @ vectors, dtype=np.float32)
    length = float(np.linalg.norm(total))
    reach = float(np.abs(values) @ np.linalg.norm(vectors, axis=1))
    return total / np.float32(length) if length > 1e-6 * reach else None


def frequency_scaled(regularization: float, scaling: float, total: AnyArray, others: int) -> AnyArray:
    """regularization * (total + others)^scaling: what holds down the vector of somebody who occurs with confidence `total`.

    `others` is how many vectors are fixed: each of them is met once, in silence. 0 leaves all regularization alike.
    """
    return np.asarray(regularization * (total + others) ** scaling)


def dense(inputs: Floats, weights: Floats, bias: Floats) -> Floats:
    """One affine layer: (..., n_in) x (n_in, n_out) + (n_out,)."""
    return np.asarray(inputs @ weights + bias, dtype=np.float32)


FAR = np.float32(4)  # scales from the centre beyond which a number counts as no further


def standardised(table: Floats, centers: Floats, scales: Floats) -> Floats:
    """(n, 2f) what a network reads of an (n, f) table: each number in scales from its centre, then 1 where it is unknown.

    An unknown number stands at the centre; one further than FAR counts as FAR, since nothing was learned of it there.
    """
    unknown = np.isnan(table)
    values = np.clip((np.where(unknown, centers, table) - centers) / scales, -FAR, FAR)
    return np.concatenate([values, unknown], axis=1, dtype=np.float32)
