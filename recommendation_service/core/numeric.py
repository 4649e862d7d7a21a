"""Numpy functions that several layers share: top rows, scaling, blending, and a dense layer."""

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float32]
Ints = NDArray[np.int64]
Bools = NDArray[np.bool_]
Bytes = NDArray[np.bytes_]
AnyArray = NDArray[Any]


LEAST_BLOCKS, LEAST_WIDTH = 256, 8  # for smaller inputs, the search for a bound takes as long as it saves


def top_rows(scores: Floats, limit: int, eligible: Bools | None = None) -> Ints:
    """Return the rows of the best `limit` known scores, best first; of equal scores, the lower row comes first.

    `scores` is (n,), NaN: unknown; `eligible` is (n,), rows that are False are never returned. There are fewer rows than
    `limit` if fewer are known and eligible. The cost is linear in n.
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
    """Return known rows, ascending: all that may be among the best `limit`, and usually few others.

    At least `limit` rows reach the `limit`-th of the best scores of all blocks, so lower scores are not among the best. The
    bound takes one pass without branches, and no partition of all n scores.
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
    """Return the known, eligible scores scaled to [0, 1] by min-max scaling, NaN elsewhere; equal scores all become 0.5."""
    unknown = np.float32(np.nan)
    values = np.array(scores, dtype=np.float32) if eligible is None else np.where(eligible, scores, unknown)
    if not values.size:
        return values
    low = np.fmin.reduce(values)  # ignores NaN
    spread = np.fmax.reduce(values) - low
    if not spread > 0:
        return np.where(np.isnan(values), unknown, np.float32(0.5))
    values -= low
    values /= spread
    return values


def blend(scaled: Sequence[Floats], weights: Sequence[float]) -> Floats:
    """Return the weighted mean per row over the members with a prediction, (n,); NaN if none has one.

    `scaled` are (n,) scores on one scale, NaN: no prediction. The weight of such a member is distributed over the others, so
    that a missing prediction neither raises nor lowers a score. Weights are >= 0; members of weight 0 are ignored.
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
    """Return each row divided by its Euclidean length; a row of zeros stays zero."""
    lengths = np.linalg.norm(matrix, axis=-1, keepdims=True)
    return np.asarray(matrix / np.maximum(lengths, np.float32(1e-12)), dtype=np.float32)


def weighted_direction(vectors: Floats, weights: Floats) -> Floats | None:
    """Return the unit vector of the sum of weights * vectors, (d,).

    `vectors` is (k, d), `weights` (k,), negative for dislikes. None if the sum is zero, such as for a like and an equal
    dislike of the same item.
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
    """Return regularization * (total + others)^scaling, the regularization of a vector with total confidence `total`.

    `others` is the number of fixed vectors, each of which counts once as an unobserved pair. With scaling 0, it is the same
    for all vectors.
    """
    return np.asarray(regularization * (total + others) ** scaling)


def dense(inputs: Floats, weights: Floats, bias: Floats) -> Floats:
    """Return one affine layer: (..., n_in) x (n_in, n_out) + (n_out,)."""
    return np.asarray(inputs @ weights + bias, dtype=np.float32)


def mean_and_scale(table: Floats) -> tuple[Floats, Floats]:
    """Return mean and standard deviation of each column's known numbers; 0 and 1 where none is known or all are equal."""
    known = ~np.isnan(table)
    count = np.maximum(known.sum(axis=0), 1)
    mean = np.where(known, table, 0).sum(axis=0, dtype=np.float64) / count
    spread = np.sqrt(np.where(known, (table - mean) ** 2, 0).sum(axis=0, dtype=np.float64) / count)
    return mean.astype(np.float32), np.where(spread > 1e-6, spread, 1).astype(np.float32)


FAR = np.float32(4)  # distance from the centre, in scales, to which larger ones are clipped


def standardised(table: Floats, centers: Floats, scales: Floats) -> Floats:
    """Return (n, 2f), the network input for an (n, f) table: distances from the centres in scales, then 1 for unknown numbers.

    An unknown number is replaced by the centre. Distances are clipped to FAR, because training has no examples beyond it.
    """
    unknown = np.isnan(table)
    values = np.clip((np.where(unknown, centers, table) - centers) / scales, -FAR, FAR)
    return np.concatenate([values, unknown], axis=1, dtype=np.float32)
