"""Looks at an export before anything is trained on it: what is too small, and what looks wrong."""

from dataclasses import dataclass

import numpy as np

from recommendation_service.datasets.reader import Dataset, Events
from recommendation_service.datasets.weighting import DAY_S

LOUD_ITEM = 0.5  # share of the positive events on one item
LOUD_USER = 0.5  # share of the positive events by one person
FEW_EVENTS = 100
TEXT_KINDS = frozenset({"content", "embedding"})  # kinds of models that learn from items alone, and need nobody
LEAST_LEARNERS = 10  # of fewer people, what one of them did decides what everybody is shown


@dataclass(frozen=True, slots=True)
class Counts:
    """The size of an export in the terms models care about."""

    users: int
    items: int
    events: int
    positive: int
    active_users: int  # with a positive event
    active_items: int
    days: float  # between the oldest and the newest event
    learners: int  # people who liked two items or more


@dataclass(frozen=True, slots=True)
class Checked:
    """`blocking`: why nothing can be learned from it; `warnings`: what to look at."""

    counts: Counts
    blocking: tuple[str, ...]
    warnings: tuple[str, ...]


def check(dataset: Dataset, events: Events, *, now: float) -> Checked:
    """All findings about one export; `now` tells events dated in the future, in epoch seconds."""
    liked = events.weights > 0
    users, items = len(dataset.user_ids), int(dataset.array("item_ids").size)
    span = float(np.ptp(events.times)) / DAY_S if events.times.size else 0.0
    active_users, active_items = np.unique(events.users[liked]).size, np.unique(events.items[liked]).size
    counts = Counts(users, items, events.times.size, int(liked.sum()), active_users, active_items, span, learners(dataset))
    return Checked(counts, tuple(_blocking(counts)), tuple(_warnings(counts, events, now)))


def learners(dataset: Dataset) -> int:
    """People who liked two items or more: only they tell what goes with what."""
    liked = dataset.interactions() > 0
    return int((np.diff(liked.indptr) >= 2).sum())


def shortage(people: int) -> str:
    """Why models of what so many learners did would be made of chance; empty when there are enough."""
    if people >= LEAST_LEARNERS:
        return ""
    told = f"{people or 'no'} {'person' if people == 1 else 'people'} liked two items or more"
    return f"{told}; {LEAST_LEARNERS} are needed to learn from what people do"


def _blocking(counts: Counts) -> list[str]:
    if counts.items == 0:
        return ["there are no items"]
    if counts.positive == 0:
        return ["there are no positive interactions"]
    return []


def _warnings(counts: Counts, events: Events, now: float) -> list[str]:
    found = []
    liked = events.weights > 0
    short = shortage(counts.learners)
    if short and counts.positive:
        found.append(f"not enough data: {short}; until then items' own words and what is popular make the lists")
    elif 0 < counts.positive < FEW_EVENTS:
        found.append(f"only {counts.positive} positive interactions: expect little from any model")
    for side, rows, limit in (("item", events.items[liked], LOUD_ITEM), ("person", events.users[liked], LOUD_USER)):
        share = np.bincount(rows).max() / rows.size if rows.size else 0.0
        if share > limit and counts.positive >= FEW_EVENTS:
            found.append(f"one {side} has {share:.0%} of the positive interactions")
    future = int((events.times > now + DAY_S).sum())
    if future:
        found.append(f"{future:,} interactions are dated more than a day in the future; they count as today's")
    if not np.isfinite(events.weights).all():
        found.append("some weights are not finite")
    if counts.positive and counts.positive == counts.active_users:
        found.append("nobody has a second positive interaction: collaborative models have nothing to compare")
    return found
