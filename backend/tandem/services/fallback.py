"""What is shown when the service's own list is not there, or not long enough."""

import uuid
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from itertools import islice
from typing import Any

from django.db.utils import Error

from recommendation_service.domain.history import PastEvent
from recommendation_service.domain.query import Profile
from recommendation_service.domain.slate import SEEN_BEFORE, SEEN_EVERYTHING
from tandem.selectors.history import count_of, disliked_among, disliked_of, seen_among
from tandem.selectors.items import alive, any_items, items_by_id, matches, title_of
from tandem.selectors.popular import popular_ids
from tandem.sources import values_of
from tandem.surfaces import Place

STEP = 100
ANY_STEP = 20  # so that a long past is not asked about item by item
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
    item_ids: tuple[str, ...] = ()  # what an item, basket or context surface is asked about
    strategy: str | None = None
    seen_again: bool = False  # all that may be shown was seen: only what the person said no to stays out

    @property
    def subjects(self) -> tuple[str, ...]:
        """Those of them that are items like those shown; none where the list is for something of another catalogue."""
        return () if self.place.about == "context" else self.item_ids


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
class Picked:
    """What the last resort found."""

    wanted: int
    left_out: set[str]  # item ids that must not come, those that came already among them
    items: list[dict[str, Any]] = field(default_factory=list)
    begins_near: bool = False  # its first items are near to what was asked about, or to the person's taste

    @property
    def full(self) -> bool:
        """Whether there are enough."""
        return len(self.items) >= self.wanted

    def add(self, row: dict[str, Any]) -> None:
        """One more, that must not come again."""
        self.items.append(row)
        self.left_out.add(row["item_id"])


def showable(asked: Asked, past: Past, item_ids: list[str]) -> set[str]:
    """Which of these items may be shown to this user now: in the catalogue, not hidden, not seen where that counts.

    With the database down nothing can be checked, and everything passes.
    """
    try:
        here = alive(source=asked.place.source, item_ids=item_ids) - set(past.hidden) - set(asked.subjects)
        return here - _seen(asked, past, sorted(here))
    except Error:
        return set(item_ids) - set(past.hidden)


def popular_items(asked: Asked, past: Past, *, leave_out: Collection[str], wanted: int) -> Picked:
    """Up to `wanted` items as an answer holds them.

    What the site itself finds near comes first; around an item, popular items of its category; then the popular ones,
    and at last any others of the catalogue.
    """
    picked = Picked(wanted, set(leave_out) | set(past.hidden) | set(asked.subjects))
    if wanted <= 0:
        return picked
    ranking = popular_ids(asked.place)
    try:
        if not asked.seen_again:
            _pick_near(asked, past, picked)
            alike = _of_the_same_category(asked)
            if alike is not None:
                _pick_popular(alike, past, ranking, picked, reason=ALIKE)
            picked.begins_near = bool(picked.items)
        _pick_popular(asked, past, ranking, picked, reason=SEEN_BEFORE if asked.seen_again else LIKED_BY_MANY)
        _pick_any(asked, past, picked, reason=SEEN_BEFORE if asked.seen_again else TO_DISCOVER)
    except Error:
        picked.left_out |= disliked_of(past.events, asked.place.use_case) if asked.seen_again else past.seen
        _pick_unchecked(ranking, picked)
    return picked


def popular_again(asked: Asked, past: Past, answer: Mapping[str, Any]) -> list[dict[str, Any]]:
    """Items for somebody who has seen all there is: those that the service chose to show again, else the popular ones.

    Empty where nothing may be shown at all, and on surfaces that never leave out what was seen: there it changes nothing.
    """
    if not asked.place.leaves_out_seen or asked.user_id is None:
        return []
    again = replace(asked, seen_again=True)
    served = answer["recommendations"] if told_seen(answer) else []
    may_show = showable(again, past, [item["item_id"] for item in served])
    items = [item for item in served if item["item_id"] in may_show][: asked.limit]
    return items or popular_items(again, past, leave_out=(), wanted=asked.limit).items


def told_seen(answer: Mapping[str, Any]) -> bool:
    """Whether the answer says that what was seen comes again."""
    return any(skip["code"] == SEEN_EVERYTHING for skip in answer["degradation"])


def renumbered(items: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """The items with positions from 1, and no score above the one before it."""
    highest = float("inf")
    for place, item in enumerate(items, start=1):
        highest = min(highest, item["score"])
        item.update(position=place, score=highest)
    return items


def popular_of(place: Place) -> str:
    """The use case's own word for popular items."""
    engine = place.use_case.engine_of_kind("popularity")
    return engine[0] if engine else "popular"


def empty_answer(asked: Asked, past: Past) -> dict[str, Any]:
    """An answer without items, by the last resort."""
    count = past.count if past.count is not None else count_of(past.events, asked.place.use_case)
    return {
        "request_id": str(uuid.uuid4()),
        "use_case": asked.place.use_case.name,
        "surface": asked.place.name,
        "user_id": asked.user_id,
        "method_used": popular_of(asked.place),
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
    if asked.seen_again:
        return _disliked(asked, past, item_ids)
    if past.known and past.count is None:
        return past.seen
    return seen_among(user_id=asked.user_id, catalogue=asked.place.catalogue, item_ids=item_ids)


def _disliked(asked: Asked, past: Past, item_ids: list[str]) -> set[str]:
    place = asked.place
    if asked.user_id is None or (past.known and past.count is None):
        return disliked_of(past.events, place.use_case)
    return disliked_among(user_id=asked.user_id, catalogue=place.catalogue, item_ids=item_ids, use_case=place.use_case)


def _of_the_same_category(asked: Asked) -> Asked | None:
    """The same question among the categories of the items it is about; None where that says nothing."""
    source = asked.place.source
    if not asked.subjects or not source.category or "category" in asked.filters:
        return None
    subjects = items_by_id(source=source, item_ids=asked.subjects).values()
    categories = tuple(dict.fromkeys(str(value) for item in subjects for value in values_of(item, source.category)))
    return replace(asked, filters={**asked.filters, "category": categories}) if categories else None


def _pick_popular(asked: Asked, past: Past, ranking: list[tuple[str, float]], picked: Picked, *, reason: str) -> None:
    score_of = dict(ranking)
    for start in range(0, len(ranking), STEP):
        if picked.full:
            return
        _pick_ranked(asked, past, [item_id for item_id, _ in ranking[start : start + STEP]], score_of, picked, reason=reason)


def _pick_ranked(
    asked: Asked, past: Past, item_ids: list[str], score_of: Mapping[str, float], picked: Picked, *, reason: str
) -> None:
    here = [item_id for item_id in item_ids if item_id not in picked.left_out]
    if not here or picked.full:
        return
    source, seen = asked.place.source, _seen(asked, past, here)
    unseen = [item_id for item_id in here if item_id not in seen]
    if not asked.filters:
        unseen = unseen[: 2 * (picked.wanted - len(picked.items)) + 10]  # some may be gone from the catalogue
    offered = alive(source=source, item_ids=unseen) if source.available else set(unseen)
    found = items_by_id(source=source, item_ids=[item_id for item_id in unseen if item_id in offered])
    for item_id in unseen:
        if picked.full:
            return
        item = found.get(item_id)
        if item is not None and matches(source=source, item=item, filters=asked.filters):
            picked.add(_row(asked, item_id, item, score_of[item_id], reason))


def _pick_any(asked: Asked, past: Past, picked: Picked, *, reason: str) -> None:
    if picked.full:
        return
    source = asked.place.source
    fitting = (
        (item_id, item)
        for item_id, item in any_items(source=source, at_most=LOOKED_AT)
        if item_id not in picked.left_out and matches(source=source, item=item, filters=asked.filters)
    )
    while not picked.full and (some := list(islice(fitting, ANY_STEP))):
        seen = _seen(asked, past, [item_id for item_id, _ in some])
        unseen = [(item_id, item) for item_id, item in some if item_id not in seen]
        for item_id, item in unseen[: picked.wanted - len(picked.items)]:
            picked.add(_row(asked, item_id, item, 0.0, reason))


def _pick_near(asked: Asked, past: Past, picked: Picked) -> None:
    """What the site itself finds near: to the items asked about, or to the person's taste."""
    wanted = 2 * picked.wanted + len(picked.left_out)
    near = asked.place.source.nearest(user_id=asked.user_id, item_ids=asked.subjects, limit=wanted)
    ids = [item_id for item_id, _ in near]
    _pick_ranked(asked, past, ids, dict(near), picked, reason=ALIKE if asked.subjects else SUITS)


def _pick_unchecked(ranking: list[tuple[str, float]], picked: Picked) -> None:
    """With the database gone half way: ids alone, from the ranking this process remembers."""
    for item_id, score in ranking:
        if picked.full:
            return
        if item_id not in picked.left_out:
            picked.add(_bare(item_id, "", score, LIKED_BY_MANY))


def _row(asked: Asked, item_id: str, item: Any, score: float, reason: str) -> dict[str, Any]:
    row = _bare(item_id, title_of(source=asked.place.source, item=item), score, reason)
    if asked.explain:
        row["parts"] = {"popular": score}
    return row


def _bare(item_id: str, title: str, score: float, reason: str) -> dict[str, Any]:
    return {"item_id": item_id, "title": title, "score": score, "position": 0, "reasons": [reason], "parts": {}}
