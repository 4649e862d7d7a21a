"""Ranking metrics at k for many users at once, over the whole catalogue without seen items; and intervals of their means.

Definitions, with h(p) = 1 when the item at position p is relevant and R the number of relevant items:
precision = hits / k; recall = hits / R; NDCG = sum h(p) / log2(p + 1) over the same sum for min(k, R) hits on top;
MAP = sum of precision(p) * h(p) / min(k, R). Users without relevant items are not in these arrays.
"""

from dataclasses import dataclass

import numpy as np
from scipy import sparse

from recommendation_service.core.numeric import AnyArray, Bools, Floats, Ints

RESAMPLES = 1000
NO_ROW = -1
SHARE = 0.95  # of a bootstrap interval
LEAST_PEOPLE = 20  # with fewer, a bootstrap says little about other users


@dataclass(frozen=True, slots=True, eq=False)
class PerPerson:
    """One value per user, (n_people,) float64 each; `diversity` is NaN for a list of fewer than two items."""

    precision: AnyArray
    recall: AnyArray
    ndcg: AnyArray
    map: AnyArray
    diversity: Floats


def ranked(scores: Floats, eligible: Bools, k: int) -> Ints:
    """(n_people, k) best rows, best first, -1 where a user has fewer; ties keep the lower row first.

    `scores` is (n_people, n_items) with NaN where unknown; `eligible` is False for items that must not be shown.
    """
    usable = np.where(eligible & ~np.isnan(scores), scores, -np.inf)
    order = np.argsort(-usable, axis=1, kind="stable")[:, :k]
    known = np.isfinite(np.take_along_axis(usable, order, axis=1))
    rows = np.full((scores.shape[0], k), NO_ROW, dtype=np.int64)
    rows[:, : order.shape[1]] = np.where(known, order, NO_ROW)
    return rows


def measure(lists: Ints, relevant: sparse.csr_array, likeness: Floats | None = None) -> PerPerson:
    """Metrics of (n_people, k) lists against a 0/1 (n_people, n_items) matrix with at least one item per user.

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
    """Mean NDCG at k of score rows."""
    return float(measure(top_k(scores, eligible, k), relevant).ndcg.mean())


def top_k(scores: Floats, eligible: Bools, k: int) -> Ints:
    """As `ranked`, in linear time: ties at the cut are broken in an arbitrary, but reproducible order."""
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


def bootstrap(figures: AnyArray, *, seed: int = 0, resamples: int = RESAMPLES, share: float = SHARE) -> tuple[float, float]:
    """Percentile interval that contains `share` of the means of resampled users."""
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


@dataclass(frozen=True, slots=True)
class Gain:
    """Mean difference of a metric between two methods for the same users, with its bootstrap interval."""

    mean: float
    low: float
    high: float
    people: int
    people_with_difference: int  # users for whom the two methods differ

    @property
    def sure(self) -> bool:
        """True if the whole interval is above 0."""
        return self.low > 0

    @property
    def surely_worse(self) -> bool:
        """True if the whole interval is below 0."""
        return self.high < 0

    def summary(self) -> str:
        """One line such as "+0.012, +0.003 to +0.021; 412 people"."""
        return f"{signed(self.mean)}, {signed(self.low)} to {signed(self.high)}; {self.people:,} people"


def gain_of(new: AnyArray, old: AnyArray, *, share: float = SHARE) -> Gain:
    """The gain of `new` over `old`, (p,) each for the same users; 0 without users."""
    if not new.size:
        return Gain(0.0, 0.0, 0.0, 0, 0)
    more = np.asarray(new - old, dtype=np.float64)
    low, high = bootstrap(more, share=share)
    return Gain(float(more.mean()), low, high, int(more.size), int(np.count_nonzero(more)))


def signed(value: float) -> str:
    """The value as text with its sign, and without a minus before zero."""
    return f"{round(value, 4) + 0.0:+.4f}"
