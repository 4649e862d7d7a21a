"""What is shown when the service's own list is not there, or not long enough."""

import uuid
from collections.abc import Collection
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from django.db.utils import Error

from recommendation_service.domain.history import PastEvent
from recommendation_service.domain.query import Profile
from recommendations.places import Place
from recommendations.selectors.history import count_of, seen_among
from recommendations.selectors.items import alive, any_items, items_by_id, matches, title_of
from recommendations.selectors.popular import popular_ids

STEP = 100
LOOKED_AT = 2000
LIKED_BY_MANY = "Liked by many people here"
TO_DISCOVER = "New to you"
ALIKE = "Similar to what you look at"
SUITS = "Similar to what you liked"


@dataclass(frozen=True, slots=True)
class Asked:
    """One question to `recommend`, after the place was found."""

    place: Place
    user_id: str | None  # None: nobody in particular
    limit: int
    filters: Profile
    explain: bool
    item_ids: tuple[str, ...] = ()  # what an item or basket surface is asked about
    strategy: str | None = None


@dataclass(frozen=True, slots=True)
class Past:
    """What the database says of the asker; `known` is False when the database did not answer."""

    events: tuple[PastEvent, ...] = ()
    count: int | None = None  # set only where there are more events than `events` holds
    hidden: tuple[str, ...] = ()
    older: tuple[str, ...] = ()  # items seen before those of `events`
    profile: Profile | None = None
    known: bool = True

    @property
    def seen(self) -> set[str]:
        """Items of the events held here; not all there are when `count` is set."""
        return {event.item_id for event in self.events}


@dataclass(slots=True)
class _Picked:
    wanted: int
    items: list[dict[str, Any]] = field(default_factory=list)

    @property
    def full(self) -> bool:
        return len(self.items) >= self.wanted


def showable(asked: Asked, past: Past, item_ids: list[str]) -> set[str]:
    """Which of these items may be shown to this user now: in the catalogue, not hidden, not seen where that counts.

    With the database down nothing can be checked, and everything passes.
    """
    try:
        here = alive(source=asked.place.source, item_ids=item_ids) - set(past.hidden) - set(asked.item_ids)
        return here - _seen(asked, past, sorted(here))
    except Error:
        return set(item_ids) - set(past.hidden)


def popular_items(asked: Asked, past: Past, *, leave_out: Collection[str], wanted: int) -> list[dict[str, Any]]:
    """Up to `wanted` items as an answer holds them: the popular ones first, then any others of the catalogue."""
    picked = _Picked(wanted)
    if wanted <= 0:
        return []
    ranking = popular_ids(asked.place)
    score_of = dict(ranking)
    left_out = set(leave_out) | set(past.hidden) | set(asked.item_ids)
    try:
        _pick_near(asked, past, left_out, picked)
        if picked.full:
            return picked.items
        left_out |= {item["item_id"] for item in picked.items}
        for start in range(0, len(ranking), STEP):
            step = [item_id for item_id, _ in ranking[start : start + STEP] if item_id not in left_out]
            _pick_ranked(asked, past, step, score_of, picked)
            if picked.full:
                return picked.items
        _pick_any(asked, past, left_out | set(score_of), picked)
    except Error:
        _pick_unchecked(ranking, left_out | past.seen, picked)
    return picked.items


def renumbered(items: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """The items with positions from 1, and no score above the one before it."""
    highest = float("inf")
    for place, item in enumerate(items, start=1):
        highest = min(highest, item["score"])
        item.update(position=place, score=highest)
    return items


def empty_answer(asked: Asked, past: Past) -> dict[str, Any]:
    """An answer without items, by the last resort."""
    engine = asked.place.use_case.engine_of_kind("popularity")
    count = past.count if past.count is not None else count_of(past.events, asked.place.use_case)
    return {
        "request_id": str(uuid.uuid4()),
        "use_case": asked.place.use_case.name,
        "surface": asked.place.name,
        "user_id": asked.user_id,
        "method_used": engine[0] if engine else "popular",
        "degraded": True,
        "degradation": [],
        "model_version": "",
        "generated_at": datetime.now(UTC).isoformat(),
        "interaction_count": count,
        "probabilities": {},
        "stages": [],
        "recommendations": [],
    }


def _seen(asked: Asked, past: Past, item_ids: list[str]) -> set[str]:
    if not asked.place.leaves_out_seen or asked.user_id is None:
        return set()
    if past.known and past.count is None:
        return past.seen
    return seen_among(user_id=asked.user_id, catalogue=asked.place.catalogue, item_ids=item_ids)


def _pick_ranked(
    asked: Asked,
    past: Past,
    item_ids: list[str],
    score_of: dict[str, float],
    picked: _Picked,
    *,
    reason: str = LIKED_BY_MANY,
) -> None:
    if not item_ids:
        return
    seen = _seen(asked, past, item_ids)
    unseen = [item_id for item_id in item_ids if item_id not in seen]
    if not asked.filters:
        unseen = unseen[: 2 * (picked.wanted - len(picked.items)) + 10]  # some may be gone from the catalogue
    here = alive(source=asked.place.source, item_ids=unseen) if asked.place.source.available else set(unseen)
    found = items_by_id(source=asked.place.source, item_ids=[item_id for item_id in unseen if item_id in here])
    for item_id in unseen:
        if picked.full:
            return
        item = found.get(item_id)
        if item is not None and matches(source=asked.place.source, item=item, filters=asked.filters):
            picked.items.append(_row(asked, item_id, item, score_of[item_id], reason))


def _pick_any(asked: Asked, past: Past, left_out: set[str], picked: _Picked) -> None:
    source = asked.place.source
    fitting = (
        (item_id, item)
        for item_id, item in any_items(source=source, at_most=LOOKED_AT)
        if item_id not in left_out and matches(source=source, item=item, filters=asked.filters)
    )
    for item_id, item in fitting:
        if picked.full:
            return
        if item_id not in _seen(asked, past, [item_id]):
            picked.items.append(_row(asked, item_id, item, 0.0, TO_DISCOVER))


def _pick_near(asked: Asked, past: Past, left_out: set[str], picked: _Picked) -> None:
    """What the site itself finds near: to the items asked about, or to the person's taste."""
    wanted = 2 * picked.wanted + len(left_out)
    near = asked.place.source.nearest(user_id=asked.user_id, item_ids=asked.item_ids, limit=wanted)
    ids = [item_id for item_id, _ in near if item_id not in left_out]
    _pick_ranked(asked, past, ids, dict(near), picked, reason=ALIKE if asked.item_ids else SUITS)


def _pick_unchecked(ranking: list[tuple[str, float]], left_out: set[str], picked: _Picked) -> None:
    """With the database gone half way: ids alone, from the ranking this process remembers."""
    have = left_out | {item["item_id"] for item in picked.items}
    for item_id, score in ranking:
        if picked.full:
            return
        if item_id not in have:
            picked.items.append(_bare(item_id, "", score, LIKED_BY_MANY))


def _row(asked: Asked, item_id: str, item: Any, score: float, reason: str) -> dict[str, Any]:
    row = _bare(item_id, title_of(source=asked.place.source, item=item), score, reason)
    if asked.explain:
        row["parts"] = {"popular": score}
    return row


def _bare(item_id: str, title: str, score: float, reason: str) -> dict[str, Any]:
    return {"item_id": item_id, "title": title, "score": score, "position": 0, "reasons": [reason], "parts": {}}
