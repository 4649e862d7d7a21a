"""Items for a list when the service gives none, or not enough."""

import uuid
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from itertools import islice
from typing import Any

from django.db.utils import Error

from recommendation_service.domain.history import PastEvent
from recommendation_service.domain.query import Profile
from recommendation_service.domain.rules import CAPS, ValueCap
from recommendation_service.domain.slate import SEEN_BEFORE, SEEN_EVERYTHING
from tandem.selectors.history import count_of, disliked_among, disliked_of, seen_among
from tandem.selectors.items import any_items, available_ids, facet_values, items_by_id, matches, title_of
from tandem.selectors.popular import popular_ids
from tandem.sources import values_of
from tandem.surfaces import BoundSurface

CHUNK = 100
UNORDERED_CHUNK = 20  # small, so that a long history is checked for few items at a time
MAX_UNORDERED = 2000
LIKED_BY_MANY = "Liked by many people here"
TO_DISCOVER = "New to you"
SIMILAR_TO_SUBJECT = "Similar to what you look at"
SIMILAR_TO_LIKED = "Similar to what you liked"


@dataclass(frozen=True, slots=True)
class RecommendationRequest:
    """One call of `recommend`, with its surface."""

    bound: BoundSurface
    user_id: str | None
    limit: int
    filters: Profile
    explain: bool
    item_ids: tuple[str, ...] = ()  # the subjects of an item, basket or context surface
    strategy: str | None = None
    include_seen: bool = False  # the user has seen everything: only disliked and hidden items stay out

    @property
    def subjects(self) -> tuple[str, ...]:
        """The subjects that are items of the surface's own catalogue; a context is of another catalogue."""
        return () if self.bound.about == "context" else self.item_ids


@dataclass(frozen=True, slots=True)
class UserHistory:
    """The user's history in the database; `known` is False when the database did not answer."""

    events: tuple[PastEvent, ...] = ()
    count: int | None = None  # set only if the database has more events than `events`
    hidden: tuple[str, ...] = ()
    older: tuple[str, ...] = ()  # items seen before those of `events`
    profile: Profile | None = None
    known: bool = True

    @property
    def seen(self) -> set[str]:
        """Items of `events`; not all seen items if `count` is set."""
        return {event.item_id for event in self.events}


@dataclass(slots=True)
class FallbackItems:
    """Items picked for the end of a list; the surface's caps count the items before them too."""

    wanted: int
    excluded: set[str]  # item ids that must not be picked, those picked already included
    source: Any
    caps: Sequence[ValueCap] = ()
    items: list[dict[str, Any]] = field(default_factory=list)
    starts_similar: bool = False  # the first items are similar to the subjects, or to what the user liked

    @property
    def full(self) -> bool:
        """True if there are enough."""
        return len(self.items) >= self.wanted

    def allows(self, item: Any) -> bool:
        """True if the surface's caps allow one more item like this."""
        return all(cap.allows(facet_values(self.source, item, cap.facet)) for cap in self.caps)

    def count(self, item: Any) -> None:
        """Count an item of the list for the caps."""
        for cap in self.caps:
            cap.add(facet_values(self.source, item, cap.facet))

    def add(self, row: dict[str, Any], item: Any | None = None) -> None:
        """Append one item; without `item` (the database is down) no cap counts it."""
        self.items.append(row)
        self.excluded.add(row["item_id"])
        if item is not None:
            self.count(item)


def showable(request: RecommendationRequest, history: UserHistory, item_ids: list[str]) -> set[str]:
    """Return the items that may be shown now: in the catalogue, not hidden, and not seen if the surface leaves those out.

    If the database is down, nothing can be checked and all items pass.
    """
    try:
        available = available_ids(source=request.bound.source, item_ids=item_ids) - set(history.hidden) - set(request.subjects)
        return available - _seen(request, history, sorted(available))
    except Error:
        return set(item_ids) - set(history.hidden)


def popular_items(
    request: RecommendationRequest,
    history: UserHistory,
    *,
    leave_out: Collection[str],
    wanted: int,
    before: Sequence[str] = (),
) -> FallbackItems:
    """Pick up to `wanted` items by the surface's own rules, to follow the items `before` in the list.

    The order: items that the site itself finds similar; popular items of a subject's category; popular items; the other
    items of the catalogue.
    """
    source, rules = request.bound.source, request.bound.surface.rules
    caps = [CAPS[rule.kind](**rule.options) for rule in rules if rule.kind in CAPS]
    picked = FallbackItems(wanted, set(leave_out) | set(history.hidden) | set(request.subjects), source, caps)
    if wanted <= 0:
        return picked
    ranking = popular_ids(request.bound)
    try:
        if caps and before:
            for item in items_by_id(source=source, item_ids=before).values():
                picked.count(item)
        if not request.include_seen:
            _pick_similar(request, history, picked)
            same_category = _within_same_category(request)
            if same_category is not None:
                _pick_popular(same_category, history, ranking, picked, reason=SIMILAR_TO_SUBJECT)
            picked.starts_similar = bool(picked.items)
        _pick_popular(request, history, ranking, picked, reason=SEEN_BEFORE if request.include_seen else LIKED_BY_MANY)
        _pick_unordered(request, history, picked, reason=SEEN_BEFORE if request.include_seen else TO_DISCOVER)
    except Error:
        disliked = disliked_of(history.events, request.bound.use_case)
        picked.excluded |= disliked if request.include_seen else history.seen
        _pick_unchecked(ranking, picked)
    return picked


def popular_again(request: RecommendationRequest, history: UserHistory, answer: Mapping[str, Any]) -> list[dict[str, Any]]:
    """Return items for a user who has seen everything: those the service chose to repeat, else the popular ones.

    Empty if nothing may be shown, and on surfaces that show seen items anyway.
    """
    if not request.bound.leaves_out_seen or request.user_id is None:
        return []
    again = replace(request, include_seen=True)
    served = answer["recommendations"] if repeats_seen(answer) else []
    may_show = showable(again, history, [item["item_id"] for item in served])
    items = [item for item in served if item["item_id"] in may_show][: request.limit]
    return items or popular_items(again, history, leave_out=(), wanted=request.limit).items


def repeats_seen(answer: Mapping[str, Any]) -> bool:
    """True if the answer reports that it shows seen items again."""
    return any(skip["code"] == SEEN_EVERYTHING for skip in answer["degradation"])


def renumbered(items: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Return the items with positions from 1, and with no score above the one before it."""
    highest = float("inf")
    for position, item in enumerate(items, start=1):
        highest = min(highest, item["score"])
        item.update(position=position, score=highest)
    return items


def popularity_engine(bound: BoundSurface) -> str:
    """Return the use case's name for its popularity engine."""
    engine = bound.use_case.engine_of_kind("popularity")
    return engine[0] if engine else "popular"


def empty_answer(request: RecommendationRequest, history: UserHistory) -> dict[str, Any]:
    """Return an answer without items, made by the fallback."""
    count = (
        history.count if history.count is not None else count_of(history.events, request.bound.use_case, request.bound.source)
    )
    return {
        "request_id": str(uuid.uuid4()),
        "use_case": request.bound.use_case.name,
        "surface": request.bound.name,
        "user_id": request.user_id,
        "method_used": popularity_engine(request.bound),
        "degraded": True,
        "degradation": [],
        "model_version": "",
        "generated_at": datetime.now(UTC).isoformat(),
        "interaction_count": count,
        "probabilities": {},
        "stages": [],
        "recommendations": [],
    }


def _seen(request: RecommendationRequest, history: UserHistory, item_ids: list[str]) -> set[str]:
    bound, user_id = request.bound, request.user_id
    if not bound.leaves_out_seen or user_id is None:
        return set()
    complete = history.known and history.count is None
    if request.include_seen:
        if complete:
            return disliked_of(history.events, bound.use_case)
        return disliked_among(user_id=user_id, catalogue=bound.catalogue, item_ids=item_ids, use_case=bound.use_case)
    return history.seen if complete else seen_among(user_id=user_id, catalogue=bound.catalogue, item_ids=item_ids)


def _within_same_category(request: RecommendationRequest) -> RecommendationRequest | None:
    """Return the request limited to the categories of its subjects, or None if there are none or it has that filter."""
    source = request.bound.source
    if not request.subjects or not source.category or "category" in request.filters:
        return None
    subjects = items_by_id(source=source, item_ids=request.subjects).values()
    categories = tuple(dict.fromkeys(str(value) for item in subjects for value in values_of(item, source.category)))
    return replace(request, filters={**request.filters, "category": categories}) if categories else None


def _pick_popular(
    request: RecommendationRequest,
    history: UserHistory,
    ranking: list[tuple[str, float]],
    picked: FallbackItems,
    *,
    reason: str,
) -> None:
    score_of = dict(ranking)
    for start in range(0, len(ranking), CHUNK):
        if picked.full:
            return
        chunk = [item_id for item_id, _ in ranking[start : start + CHUNK]]
        _pick_ranked(request, history, chunk, score_of, picked, reason=reason)


def _pick_ranked(
    request: RecommendationRequest,
    history: UserHistory,
    item_ids: list[str],
    score_of: Mapping[str, float],
    picked: FallbackItems,
    *,
    reason: str,
) -> None:
    allowed = [item_id for item_id in item_ids if item_id not in picked.excluded]
    if not allowed or picked.full:
        return
    source, seen = request.bound.source, _seen(request, history, allowed)
    unseen = [item_id for item_id in allowed if item_id not in seen]
    if not request.filters and not picked.caps:
        unseen = unseen[: 2 * (picked.wanted - len(picked.items)) + 10]  # some may be gone from the catalogue
    offered = available_ids(source=source, item_ids=unseen) if source.available else set(unseen)
    items = items_by_id(source=source, item_ids=[item_id for item_id in unseen if item_id in offered])
    for item_id in unseen:
        if picked.full:
            return
        item = items.get(item_id)
        if item is not None and matches(source=source, item=item, filters=request.filters) and picked.allows(item):
            picked.add(_row(request, item_id, item, score_of[item_id], reason), item)


def _pick_unordered(request: RecommendationRequest, history: UserHistory, picked: FallbackItems, *, reason: str) -> None:
    if picked.full:
        return
    source = request.bound.source
    candidates = (
        (item_id, item)
        for item_id, item in any_items(source=source, at_most=MAX_UNORDERED)
        if item_id not in picked.excluded and matches(source=source, item=item, filters=request.filters)
    )
    while not picked.full and (chunk := list(islice(candidates, UNORDERED_CHUNK))):
        seen = _seen(request, history, [item_id for item_id, _ in chunk])
        for item_id, item in chunk:
            if not picked.full and item_id not in seen and picked.allows(item):
                picked.add(_row(request, item_id, item, 0.0, reason), item)


def _pick_similar(request: RecommendationRequest, history: UserHistory, picked: FallbackItems) -> None:
    """Pick what the site itself finds similar: to the subjects, or to what the user liked."""
    limit = 2 * picked.wanted + len(picked.excluded)
    similar = request.bound.source.nearest(user_id=request.user_id, item_ids=request.subjects, limit=limit)
    reason = SIMILAR_TO_SUBJECT if request.subjects else SIMILAR_TO_LIKED
    _pick_ranked(request, history, [item_id for item_id, _ in similar], dict(similar), picked, reason=reason)


def _pick_unchecked(ranking: list[tuple[str, float]], picked: FallbackItems) -> None:
    """Pick ids from the ranking that this process remembers: the database failed on the way."""
    for item_id, score in ranking:
        if picked.full:
            return
        if item_id not in picked.excluded:
            picked.add(_bare_row(item_id, "", score, LIKED_BY_MANY))


def _row(request: RecommendationRequest, item_id: str, item: Any, score: float, reason: str) -> dict[str, Any]:
    row = _bare_row(item_id, title_of(source=request.bound.source, item=item), score, reason)
    if request.explain:
        row["parts"] = {"popular": score}
    return row


def _bare_row(item_id: str, title: str, score: float, reason: str) -> dict[str, Any]:
    return {"item_id": item_id, "title": title, "score": score, "position": 0, "reasons": [reason], "parts": {}}
