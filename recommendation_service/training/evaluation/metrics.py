"""Ranking metrics at k, for many people at once. Full ranking; what a person has seen is never ranked.

Definitions, with h(p) = 1 when the item at position p is relevant and R the number of relevant items:
precision = hits / k; recall = hits / R; NDCG = sum h(p) / log2(p + 1) over the same sum for min(k, R) hits on top;
MAP = sum of precision(p) * h(p) / min(k, R). A person without relevant items has no place in these arrays.
"""

from dataclasses import dataclass

import numpy as np
from scipy import sparse

from recommendation_service.core.numeric import AnyArray, Bools, Floats, Ints

RESAMPLES = 1000
NO_ROW = -1


@dataclass(frozen=True, slots=True, eq=False)
class PerPerson:
    """One figure a person, (n_people,) float64 each; `diversity` is NaN for a list of fewer than two items."""

    precision: AnyArray
    recall: AnyArray
    ndcg: AnyArray
    map: AnyArray
    diversity: Floats


def ranked(scores: Floats, eligible: Bools, k: int) -> Ints:
    """(n_people, k) best rows, best first, -1 where a person has fewer; ties keep the lower row first.

    `scores` is (n_people, n_items) with NaN where unknown; `eligible` is False where an item must not be shown.
    """
    usable = np.where(eligible & ~np.isnan(scores), scores, -np.inf)
    order = np.argsort(-usable, axis=1, kind="stable")[:, :k]
    known = np.isfinite(np.take_along_axis(usable, order, axis=1))
    rows = np.full((scores.shape[0], k), NO_ROW, dtype=np.int64)
    rows[:, : order.shape[1]] = np.where(known, order, NO_ROW)
    return rows


def measure(lists: Ints, relevant: sparse.csr_array, likeness: Floats | None = None) -> PerPerson:
    """Metrics of (n_people, k) lists against a 0/1 (n_people, n_items) matrix with at least one item a person.

    `likeness` is (n_items, n_features) of unit rows for the diversity, 1 minus the mean cosine of a list's pairs.
    """
    hits = _hits(lists, relevant)
    k = lists.shape[1]
    total = np.diff(relevant.indptr)
    reachable = np.minimum(total, k)
    discount = 1 / np.log2(np.arange(2, k + 2))
    ideal = np.concatenate([[0.0], np.cumsum(discount)])[reachable]
    known = hits.sum(axis=1)
    precision_at = np.cumsum(hits, axis=1) / np.arange(1, k + 1)
    return PerPerson(
        precision=known / k,
        recall=known / total,
        ndcg=hits @ discount / ideal,
        map=(precision_at * hits).sum(axis=1) / reachable,
        diversity=diversity(lists, likeness),
    )


def ndcg(scores: Floats, eligible: Bools, relevant: sparse.csr_array, k: int = 10) -> float:
    """Mean NDCG at k of score rows: the figure that training steers by."""
    return float(measure(top_k(scores, eligible, k), relevant).ndcg.mean())


def top_k(scores: Floats, eligible: Bools, k: int) -> Ints:
    """As `ranked`, by partition first: linear in the number of items, ties at the cut broken arbitrarily but surely."""
    n_items = scores.shape[1]
    if n_items <= 4 * k:
        return ranked(scores, eligible, k)
    usable = np.where(eligible & ~np.isnan(scores), scores, -np.inf)
    rows = np.sort(np.argpartition(-usable, k, axis=1)[:, :k], axis=1)
    best = np.take_along_axis(usable, rows, axis=1)
    order = np.argsort(-best, axis=1, kind="stable")
    rows, best = np.take_along_axis(rows, order, axis=1), np.take_along_axis(best, order, axis=1)
    return np.where(np.isfinite(best), rows, NO_ROW).astype(np.int64)


def catalogue_coverage(lists: Ints, n_items: int) -> float:
    """Share of the catalogue that appears in at least one list."""
    return np.unique(lists[lists >= 0]).size / n_items


def bootstrap(figures: AnyArray, *, seed: int = 0, resamples: int = RESAMPLES, share: float = 0.95) -> tuple[float, float]:
    """Interval that holds `share` of the means, by drawing people again with replacement (percentiles of the means)."""
    rng = np.random.default_rng(seed)
    draws = rng.integers(0, figures.size, size=(resamples, figures.size))
    low, high = np.percentile(figures[draws].mean(axis=1), [50 - 50 * share, 50 + 50 * share])
    return float(low), float(high)


def diversity(lists: Ints, likeness: Floats | None) -> Floats:
    """(n_people,) 1 minus the mean cosine of a list's pairs; NaN for fewer than two items, and without `likeness`."""
    if likeness is None:
        return np.full(lists.shape[0], np.nan, dtype=np.float32)
    shown = lists >= 0
    size = shown.sum(axis=1)
    vectors = np.where(shown[..., None], likeness[np.maximum(lists, 0)], 0)
    together = np.square(vectors.sum(axis=1)).sum(axis=1)
    alone = np.square(vectors).sum(axis=(1, 2))
    pairs = size * (size - 1)
    with np.errstate(invalid="ignore", divide="ignore"):
        return np.where(pairs > 0, 1 - (together - alone) / pairs, np.nan).astype(np.float32)


def _hits(lists: Ints, relevant: sparse.csr_array) -> AnyArray:
    n_items = relevant.shape[1]
    people = np.repeat(np.arange(relevant.shape[0]), np.diff(relevant.indptr))
    wanted = people * n_items + relevant.indices
    shown = np.arange(lists.shape[0])[:, None] * n_items + lists
    return np.isin(shown, wanted) & (lists >= 0)
