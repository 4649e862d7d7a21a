"""One user's list: from the cache, from the service, or from what is left when the service is not there."""

import uuid
from collections.abc import Mapping, Sequence
from contextlib import suppress
from datetime import UTC, datetime
from typing import Any

from django.db.utils import Error

from recommendation_service.domain.query import DEFAULT_LIMIT, MAX_LIMIT, Profile
from recommendation_service.domain.slate import ALL_SEEN, SEEN_EVERYTHING
from recommendation_service.errors import InvalidInput
from tandem import cache
from tandem.client import ServiceFailed, client
from tandem.model_state import service_state
from tandem.selectors.history import NOBODY, hidden_of, history_of, mark_of, seen_before
from tandem.selectors.items import require_items
from tandem.services.fallback import (
    Asked,
    Past,
    empty_answer,
    popular_again,
    popular_items,
    popular_of,
    renumbered,
    showable,
    told_seen,
)
from tandem.services.impressions import record_impression
from tandem.services.single_flight import SingleFlight
from tandem.surfaces import Place, place_of

__all__ = ["Place", "place_of", "recommend"]

SPARE = 10  # asked for beyond the limit, since some items may be gone from the catalogue
MAX_WORDS, MAX_WORD_LENGTH, MAX_NAMES = 100, 200, 50  # what the service accepts of a profile
UNKNOWN = "unknown"
NEAREST = "nearest"  # method_used where the site itself found what is near

ABOUT = {"item": "an item", "basket": "items", "context": "one of {of}"}
_flight = SingleFlight()


def recommend(
    *,
    use_case: str,
    surface: str,
    user_id: str | None = None,
    item_ids: Sequence[str] = (),
    limit: int = DEFAULT_LIMIT,
    filters: Mapping[str, Sequence[str]] | None = None,
    explain: bool = False,
    strategy: str | None = None,
) -> dict[str, Any]:
    """The answer as docs/reference/api.md says, always: `degraded` tells when it is not the service's own.

    The arguments are clean: ids by `clean_id`, a limit of 1 to 100, filters that the catalogue declares. Who may see
    whose list was decided before; without `user_id` the list is for nobody in particular. `item_ids` are what an item
    or basket surface is asked about. Raises NotFound for a surface that does not exist and for an item nobody knows,
    Gone for one that was taken away, InvalidInput for a strategy that the surface does not offer and for a surface
    about items without any; nothing else.
    """
    place = place_of(use_case, surface)
    chosen = {name: tuple(values) for name, values in (filters or {}).items()}
    asked = Asked(place, user_id, limit, chosen, explain, tuple(dict.fromkeys(item_ids)), strategy)
    _check(asked)
    asked_for = [asked.item_ids, strategy] if item_ids or strategy else []
    key = cache.key_of(use_case, place.catalogue, surface, user_id, limit, chosen, explain, *asked_for)
    mark = _mark(asked)
    kept = cache.read(key, user_id)
    if kept is not None and _is_fresh(kept, mark) and _still_whole(asked, key, kept):
        if place.surface.track_cache_hits:
            cache.count_hit(key, where=f"{use_case}:{surface}")
        return kept.answer
    turn = cache.turn_of(user_id)
    return _flight.do(f"{key}:{mark}:{turn}", lambda: _made(asked, key, mark, turn, kept))


def _is_fresh(kept: cache.Kept, mark: str) -> bool:
    """Whether nothing happened since: the user did nothing, and the service serves what it served, as far as is known."""
    unchanged = kept.fresh and mark in (kept.mark, UNKNOWN)
    return unchanged and (not kept.state or service_state() in (kept.state, ""))


def _made(asked: Asked, key: str, mark: str, turn: str, kept: cache.Kept | None) -> dict[str, Any]:
    past = _past(asked)
    try:
        answer, state = _from_service(asked, past)
    except ServiceFailed as failure:
        answer = _without_service(asked, past, failure, _usable(kept, mark))
    else:
        told, surface = _told(asked, answer), asked.place.surface
        seconds, count = surface.cache_seconds, surface.track_cache_hits
        cache.keep(key, asked.user_id, told, mark=mark, state=state, turn=turn, seconds=seconds, count=count)
    record_impression(place=asked.place, answer=answer)
    return _told(asked, answer)


def _told(asked: Asked, answer: dict[str, Any]) -> dict[str, Any]:
    """The answer as it leaves: shares of the score only for those who asked why."""
    if asked.explain or not asked.place.keeps_parts:
        return answer
    return {**answer, "stages": [], "recommendations": [{**item, "parts": {}} for item in answer["recommendations"]]}


def _check(asked: Asked) -> None:
    place = asked.place
    if asked.strategy is not None and asked.strategy not in place.surface.strategies:
        told = f"must be one of {', '.join(place.surface.strategies)}" if place.surface.strategies else "is not offered here"
        raise InvalidInput(f"strategy {told}", fields={"/strategy": told})
    if place.about != "user" and not asked.item_ids:
        told = f"name at least one: '{place.name}' is about {ABOUT[place.about].format(of=place.surface.context)}"
        raise InvalidInput(f"item_ids: {told}", fields={"/item_ids": told})
    if place.about in ("item", "context"):
        with suppress(Error):  # with the database down nothing can be checked, and the service may still know
            require_items(source=place.subject_source, item_ids=asked.item_ids)


def _from_service(asked: Asked, past: Past) -> tuple[dict[str, Any], str]:
    """The service's list, checked against today's catalogue and filled up where items are gone from it; and its state."""
    over = min(asked.limit + SPARE, MAX_LIMIT)
    answered = client().recommend(
        _ask(asked, past, over),
        use_case=asked.place.use_case.name,
        surface=asked.place.name,
        user_id=asked.user_id,
        limit=over,
        as_service=asked.place.about == "context",
    )
    return _filled(asked, past, answered.answer), answered.state


def _without_service(asked: Asked, past: Past, failure: ServiceFailed, kept: cache.Kept | None) -> dict[str, Any]:
    """The last good list of this user if there is one, else popular items; either says what failed."""
    answer = empty_answer(asked, past)
    skip = {"engine": "service", "code": failure.code, "detail": failure.detail}
    if kept is not None:
        answer = {**kept.answer, "request_id": answer["request_id"], "interaction_count": answer["interaction_count"]}
    answer.update(degraded=True, degradation=[skip, *answer["degradation"]])
    return _filled(asked, past, answer)


def _filled(asked: Asked, past: Past, answer: dict[str, Any]) -> dict[str, Any]:
    """The answer with items that may be shown, cut to the limit; popular ones take the places of those that are gone."""
    served = answer["recommendations"]
    may_show = showable(asked, past, [item["item_id"] for item in served])
    items = [item for item in served if item["item_id"] in may_show][: asked.limit]
    if len(items) < asked.limit and len(items) < max(len(served), 1):
        gone = {item["item_id"] for item in served}
        picked = popular_items(asked, past, leave_out=gone, wanted=asked.limit - len(items))
        if not items and picked.begins_near:
            answer["method_used"] = NEAREST
        if not items and picked.items:
            answer.update(degradation=[_unseen_after_all(skip) for skip in answer["degradation"]])
        items += picked.items
    answer["recommendations"] = renumbered(items) if items else _once_more(asked, past, answer)
    return answer


def _unseen_after_all(skip: dict[str, Any]) -> dict[str, Any]:
    """The skip, or what is true in its place where the site has something unseen that the service had not."""
    if skip["code"] != SEEN_EVERYTHING:
        return skip
    return {**skip, "code": "not_known_yet", "detail": "the service knew of nothing unseen; its next export brings these items"}


def _once_more(asked: Asked, past: Past, answer: dict[str, Any]) -> list[dict[str, Any]]:
    """Popular items again for somebody who has seen everything, else none; `answer` is told which of the two, and why."""
    items, popular = popular_again(asked, past, answer), popular_of(asked.place)
    if not items:
        skip = {"engine": popular, "code": "nothing_left", "detail": "every item is hidden, disliked or filtered away"}
        answer.update(degraded=True, degradation=[*answer["degradation"], skip])
    elif not told_seen(answer):
        skip = {"engine": popular, "code": SEEN_EVERYTHING, "detail": ALL_SEEN}
        answer.update(method_used=popular, model_version="", degraded=True, degradation=[*answer["degradation"], skip])
    return renumbered(items)


def _ask(asked: Asked, past: Past, limit: int) -> dict[str, Any]:
    """The Ask's JSON. What the database could not say is None: the service then looks in its own last export."""
    events = [
        {"item_id": event.item_id, "event": event.event, "time": datetime.fromtimestamp(event.time, UTC), "value": event.value}
        for event in past.events
    ]
    return {
        "user_id": asked.user_id,
        "item_ids": list(asked.item_ids),
        "strategy": asked.strategy,
        "history": events if past.known else None,
        "count": past.count,
        "profile": past.profile,
        "limit": limit,
        "filters": asked.filters,
        "exclude": [*past.hidden, *(past.older if asked.place.leaves_out_seen else ())],
        "explain": asked.explain or asked.place.keeps_parts,
        "request_id": str(uuid.uuid4()),
    }


def _past(asked: Asked) -> Past:
    place, user_id = asked.place, asked.user_id
    if user_id is None:
        return Past(profile={})
    try:
        events, count = history_of(user_id=user_id, catalogue=place.catalogue, use_case=place.use_case)
        older = seen_before(events, user_id=user_id, catalogue=place.catalogue) if count is not None else ()
        hidden = tuple(hidden_of(user_id=user_id, catalogue=place.catalogue))
        person = place.source.person(user_id)
        profile = {} if person is None else place.source.profile(person)
    except Error:
        return Past(known=False)
    return Past(events, count, hidden, tuple(older), _sendable(profile))


def _sendable(profile: Profile) -> Profile:
    """As much of a profile as the service takes, so that a long one shortens and does not refuse the whole question."""
    names = list(profile)[:MAX_NAMES]
    return {name: tuple(value[:MAX_WORD_LENGTH] for value in profile[name][:MAX_WORDS] if value) for name in names}


def _mark(asked: Asked) -> str:
    if asked.user_id is None:
        return NOBODY
    try:
        return mark_of(user_id=asked.user_id, catalogue=asked.place.catalogue)
    except Error:
        return UNKNOWN


def _usable(kept: cache.Kept | None, mark: str) -> cache.Kept | None:
    """A list of the same person: an id that was erased and given again has another key, and gets nothing of the old."""
    if kept is None or UNKNOWN in (mark, kept.mark) or kept.mark == NOBODY:
        return kept
    return kept if kept.mark.partition(":")[0] == mark.partition(":")[0] else None


def _still_whole(asked: Asked, key: str, kept: cache.Kept) -> bool:
    """Whether every item of a fresh list may still be shown; asked every few seconds, not every time."""
    if kept.checked:
        return True
    ids = [item["item_id"] for item in kept.answer["recommendations"]]
    if showable(asked, Past(), ids) != set(ids):
        return False
    cache.mark_checked(key)
    return True
