"""Items for a list when the service gives none, or not enough."""

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import replace
from functools import partial
from itertools import islice
from typing import Any, Self

from django.db.utils import Error

from recommendation_service.domain.query import Profile
from recommendation_service.domain.rules import ListCaps
from recommendation_service.domain.slate import ALL_SEEN, SEEN_BEFORE, SEEN_EVERYTHING
from tandem.selectors.history import UserHistory, count_of, disliked_among, disliked_of, seen_among
from tandem.selectors.items import any_items, available_ids, facet_values, items_by_id, matches, title_of
from tandem.selectors.popular import popular_ids, shared_items
from tandem.selectors.transactions import contained
from tandem.service_client.client import ServiceFailed
from tandem.services.recommendation_request import RecommendationRequest
from tandem.surfaces import BoundSurface

CHUNK = 100
UNORDERED_CHUNK = 20  # small, so that a long history is checked for few items at a time
MAX_UNORDERED = 2000
NEAREST = "nearest"  # method_used where the site itself found similar items
LIKED_BY_MANY = "Popular with many people here"
TO_DISCOVER = "New to you"
SIMILAR_TO_SUBJECT = "Similar to what you look at"
SIMILAR_TO_LIKED = "Similar to what you chose here"
NOTHING_LEFT = "every item is hidden, disliked or filtered away"
NOTHING_KNOWN = "without the site's database, no item is known"
NO_DATABASE = {
    "engine": "database",
    "code": "unreachable",
    "detail": "the site's database did not answer in time; what the user did since the last export may be missing",
}

Scored = tuple[str, float]  # item id and score


def filled(request: RecommendationRequest, history: UserHistory, answer: dict[str, Any]) -> dict[str, Any]:
    """Return the answer with the items that may be shown, cut to the limit; popular items replace those that are gone."""
    served = answer["recommendations"]
    items = _shown(request, history, served)
    if len(items) < request.limit and len(items) < max(len(served), 1):
        picked = FallbackItems(
            request,
            history,
            wanted=request.limit - len(items),
            leave_out=[item["item_id"] for item in served],
            before=[item["item_id"] for item in items],
        ).pick()
        if not items and picked.starts_similar:
            answer["method_used"] = NEAREST
        if not items and picked.items:
            answer["degradation"] = [_corrected(skip) for skip in answer["degradation"]]
        items += picked.items
        _report_relaxed(answer, picked)
    answer["recommendations"] = _renumbered(items or _repeated(request, history, answer))
    if not history.known:
        answer.update(degraded=True, degradation=[*answer["degradation"], NO_DATABASE])
    return answer


def without_service(
    request: RecommendationRequest, history: UserHistory, failure: ServiceFailed, last_good: Mapping[str, Any] | None
) -> dict[str, Any]:
    """Return the user's last good list if there is one, else popular items; both report what failed."""
    bound, count = request.bound, history.count
    if count is None:
        count = count_of(history.events, bound.use_case, bound.source)
    answer = request.empty_answer(popularity_engine(bound), count)
    if last_good is not None:
        answer = {**last_good, "request_id": answer["request_id"], "interaction_count": count, "degraded": True}
    answer["degradation"] = [{"engine": "service", "code": failure.code, "detail": failure.detail}, *answer["degradation"]]
    return filled(request, history, answer)


def showable(request: RecommendationRequest, history: UserHistory, item_ids: list[str]) -> set[str]:
    """Return the items that may be shown now: in the catalogue, not hidden, and not seen if the surface leaves those out.

    If the database is down, nothing can be checked and all items pass, or none if `visible_to` decides.
    """
    try:
        with contained():
            available = available_ids(source=request.bound.source, item_ids=item_ids, user_id=request.user_id)
            available -= {*history.hidden, *request.subjects, *request.exclude}
            return available - _seen(request, history, sorted(available))
    except Error:
        return set() if request.bound.source.limits_visibility() else set(item_ids) - {*history.hidden, *request.exclude}


def popularity_engine(bound: BoundSurface) -> str:
    """Return the use case's name for its popularity engine."""
    engine = bound.use_case.engine_of_kind("popularity")
    return engine[0] if engine else "popular"


class FallbackItems:
    """Items picked by the surface's own rules, to follow the items `before` in the list. Its caps count those too."""

    def __init__(
        self,
        request: RecommendationRequest,
        history: UserHistory,
        *,
        wanted: int,
        leave_out: Collection[str] = (),
        before: Sequence[str] = (),
    ) -> None:
        self.items: list[dict[str, Any]] = []
        self.starts_similar = False  # the first items are similar to the subjects, or to what the user liked
        self._request, self._history, self._source = request, history, request.bound.source
        self._wanted, self._before = wanted, before
        self._excluded = {*leave_out, *history.hidden, *request.subjects, *request.exclude}
        self.relaxed: list[dict[str, str]] = []  # rules that would have left too few items
        surface = request.bound.surface
        self._caps = ListCaps([(rule.kind, rule.options) for rule in surface.rules], surface.relax)

    def pick(self) -> Self:
        """Pick what the site finds similar, then popular items of a subject's category, popular items, and other items."""
        request, again = self._request, self._request.include_seen
        ranking = popular_ids(request.bound)
        try:
            with contained():
                self._count_before()
                self._pick_checked(ranking, again=again)
                while self._missing > 0 and (cap := self._caps.relax()):
                    before = len(self.items)
                    self._pick_checked(ranking, again=again)
                    if len(self.items) > before:
                        self.relaxed.append({"rule": cap[0], "detail": cap[1]})
        except Error:
            self._pick_unchecked(ranking)
        return self

    def _pick_checked(self, ranking: Sequence[Scored], *, again: bool) -> None:
        if not again:
            starts = not self.items
            self._pick_similar()
            self._pick_ranked(ranking, SIMILAR_TO_SUBJECT, self._category_filters())
            self.starts_similar = self.starts_similar or (starts and bool(self.items))
        self._pick_ranked(ranking, SEEN_BEFORE if again else LIKED_BY_MANY, self._request.filters)
        self._pick_unordered(SEEN_BEFORE if again else TO_DISCOVER)

    @property
    def _missing(self) -> int:
        return self._wanted - len(self.items)

    def _count_before(self) -> None:
        items = items_by_id(source=self._source, item_ids=self._before) if self._caps and self._before else {}
        for item in items.values():
            self._count(item)

    def _count(self, item: Any) -> None:
        self._caps.add(partial(facet_values, self._source, item))

    def _category_filters(self) -> Profile | None:
        """Return the filters with the categories of the subjects, or None if there are none or a category was requested."""
        request, source = self._request, self._source
        if not request.subjects or "category" not in source.facet_names() or "category" in request.filters:
            return None
        subjects = items_by_id(source=source, item_ids=request.subjects).values()
        categories = tuple(dict.fromkeys(value for item in subjects for value in facet_values(source, item, "category")))
        return {**request.filters, "category": categories} if categories else None

    def _pick_similar(self) -> None:
        request = self._request
        limit = 2 * self._wanted + len(self._excluded)
        similar = self._source.nearest(user_id=request.user_id, item_ids=request.subjects, limit=limit)
        self._pick_ranked(list(similar), SIMILAR_TO_SUBJECT if request.subjects else SIMILAR_TO_LIKED, request.filters)

    def _pick_ranked(self, ranking: Sequence[Scored], reason: str, filters: Profile | None) -> None:
        """Pick from a ranking, best first. Without filters (None), pick nothing."""
        for start in range(0, len(ranking) if filters is not None else 0, CHUNK):
            if self._missing <= 0:
                return
            score_of = dict(ranking[start : start + CHUNK])
            allowed = [item_id for item_id in score_of if item_id not in self._excluded]
            seen = _seen(self._request, self._history, allowed) if allowed else set()
            unseen = [item_id for item_id in allowed if item_id not in seen]
            if not filters and not self._caps:
                unseen = unseen[: 2 * self._missing + 10]  # some may be gone from the catalogue
            offered: Collection[str] = unseen
            if self._source.limits_offers():
                offered = available_ids(source=self._source, item_ids=unseen, user_id=self._request.user_id)
            items = items_by_id(source=self._source, item_ids=offered)
            rows = [(item_id, items[item_id]) for item_id in unseen if item_id in items]
            matching = [row for row in rows if matches(source=self._source, item=row[1], filters=filters or {})]
            self._add(matching, reason, score_of)

    def _pick_unordered(self, reason: str) -> None:
        """Pick from the newest items of the catalogue, or from all items if it has no time."""
        candidates = (
            (item_id, item)
            for item_id, item in any_items(source=self._source, at_most=MAX_UNORDERED, user_id=self._request.user_id)
            if item_id not in self._excluded and matches(source=self._source, item=item, filters=self._request.filters)
        )
        while self._missing > 0 and (chunk := list(islice(candidates, UNORDERED_CHUNK))):
            seen = _seen(self._request, self._history, [item_id for item_id, _ in chunk])
            self._add([row for row in chunk if row[0] not in seen], reason, {})

    def _pick_unchecked(self, ranking: Sequence[Scored]) -> None:
        """Pick from the ranking that this process or the cache remembers: the database failed on the way."""
        history, request = self._history, self._request
        if self._source.limits_visibility():
            return
        seen = disliked_of(history.events, request.bound.use_case) if request.include_seen else history.seen
        shared = {item_id: (score, title) for item_id, score, title in shared_items(request.bound)}
        scores = dict(ranking) or {item_id: score for item_id, (score, _) in shared.items()}
        allowed = [item_id for item_id in scores if item_id not in self._excluded | seen]
        self.items += [
            _row(item_id, shared.get(item_id, (0.0, ""))[1], scores[item_id], LIKED_BY_MANY if scores[item_id] else TO_DISCOVER)
            for item_id in allowed[: self._missing]
        ]

    def _add(self, rows: Iterable[tuple[str, Any]], reason: str, score_of: Mapping[str, float]) -> None:
        """Append the items that the surface's caps allow, until there are enough."""
        for item_id, item in rows:
            if self._missing <= 0:
                return
            if self._caps.allows(partial(facet_values, self._source, item)):
                row = _row(item_id, title_of(source=self._source, item=item), score_of.get(item_id, 0.0), reason)
                self.items.append(row | ({"parts": {"popular": row["score"]}} if self._request.explain else {}))
                self._excluded.add(item_id)
                self._count(item)


def _shown(request: RecommendationRequest, history: UserHistory, items: Sequence[dict[str, Any]]) -> list[dict[str, Any]]:
    may_show = showable(request, history, [item["item_id"] for item in items])
    return [item for item in items if item["item_id"] in may_show][: request.limit]


def _repeated(request: RecommendationRequest, history: UserHistory, answer: dict[str, Any]) -> list[dict[str, Any]]:
    """Return items again for a user who has seen everything: those that the service repeats, else popular ones.

    Empty if nothing may be shown, and on surfaces that show seen items anyway. `answer` gets the reason.
    """
    engine, items = popularity_engine(request.bound), list[dict[str, Any]]()
    repeats = any(skip["code"] == SEEN_EVERYTHING for skip in answer["degradation"])
    if request.bound.leaves_out_seen and request.user_id is not None:
        again = replace(request, include_seen=True)
        items = _shown(again, history, answer["recommendations"] if repeats else [])
        if not items:
            picked = FallbackItems(again, history, wanted=request.limit).pick()
            items = picked.items
            _report_relaxed(answer, picked)
    skip = {"engine": engine, "code": "nothing_left", "detail": NOTHING_LEFT if history.known else NOTHING_KNOWN}
    if items and not repeats:
        skip = {"engine": engine, "code": SEEN_EVERYTHING, "detail": ALL_SEEN}
        answer.update(method_used=engine, model_version="")
    if not items or not repeats:
        answer.update(degraded=True, degradation=[*answer["degradation"], skip])
    return items


def _report_relaxed(answer: dict[str, Any], picked: FallbackItems) -> None:
    reported = answer.get("relaxed", [])
    answer["relaxed"] = [*reported, *(rule for rule in picked.relaxed if rule not in reported)]


def _corrected(skip: dict[str, Any]) -> dict[str, Any]:
    """Return the skip; "seen everything" becomes "not exported", because the site has an unseen item."""
    if skip["code"] != SEEN_EVERYTHING:
        return skip
    detail = "the service knew of nothing unseen; its next export brings these items"
    return {**skip, "code": "item_not_exported", "detail": detail}


def _renumbered(items: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Return the items with positions from 1, and with no score above the one before it."""
    highest = float("inf")
    for position, item in enumerate(items, start=1):
        highest = min(highest, item["score"])
        item.update(position=position, score=highest)
    return items


def _seen(request: RecommendationRequest, history: UserHistory, item_ids: list[str]) -> set[str]:
    """Return those of the items that must stay out because the user has seen them, or dislikes them.

    If the tables of interactions do not answer, only what is known of the user's history stays out.
    """
    bound, user_id = request.bound, request.user_id
    if not bound.leaves_out_seen or user_id is None:
        return set()
    if history.known and history.count is None:
        return disliked_of(history.events, bound.use_case) if request.include_seen else history.seen
    chosen = partial(disliked_among, use_case=bound.use_case) if request.include_seen else seen_among
    try:
        with contained():
            return chosen(user_id=user_id, catalogue=bound.catalogue, item_ids=item_ids)
    except Error:
        return set(history.seen)


def _row(item_id: str, title: str, score: float, reason: str) -> dict[str, Any]:
    return {"item_id": item_id, "title": title, "score": score, "position": 0, "reasons": [reason], "parts": {}}
