"""Segments of users by the number of their earlier interactions, because the best method may differ between them."""

import numpy as np

from recommendation_service.core.numeric import Ints
from recommendation_service.training.evaluation.evaluator import SEGMENTS

QUARTERS = (0.25, 0.5, 0.75)
NEARLY_ALL = 0.95  # of the people in one segment: the others say little, and it hides what differs inside it


def segments_of(counts: Ints) -> dict[str, Ints]:
    """Return the indices of the users of each segment by its name, fewest interactions first.

    `counts` is (p,), the interactions of each user before the test. The segments are those of routing and evaluation.
    If one of them holds NEARLY_ALL users, quarters of the users are used instead, named by their bounds. Users with
    equal counts are always in the same segment, so there may be fewer than four.
    """
    ends = [high for name, (_low, high) in SEGMENTS.items() if name != "all" and high is not None]
    usual = _cut(counts, ends)
    if max(people.size for people in usual.values()) < NEARLY_ALL * counts.size:
        names = [name for name in SEGMENTS if name != "all"]
        return {names[place]: people for place, people in usual.items()}
    quarters = _cut(counts, sorted({int(np.quantile(counts, share)) for share in QUARTERS}))
    return {_named(counts[people]): people for people in quarters.values()}


def _cut(counts: Ints, ends: list[int]) -> dict[int, Ints]:
    """Return the indices of each part, which ends at its bound. Parts without users are left out."""
    parts = np.searchsorted(ends, counts, side="left")
    return {int(part): np.flatnonzero(parts == part) for part in np.unique(parts)}


def _named(counts: Ints) -> str:
    low, high = int(counts.min()), int(counts.max())
    return f"{low}-{high}" if low < high else f"{low}"
