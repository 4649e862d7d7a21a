"""One user's list: from the cache, from the service, or from the fallback when the service does not answer."""

import threading
import uuid
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import Future
from contextlib import suppress
from copy import deepcopy
from typing import Any

from django.db.utils import Error
from pydantic import ValidationError

from recommendation_service.domain.query import Profile
from recommendation_service.domain.request import (
    DEFAULT_LIMIT,
    MAX_LIMIT,
    MAX_NAMES,
    MAX_VALUE_LENGTH,
    MAX_VALUES,
    invalid_input,
)
from recommendation_service.domain.request import RecommendationRequest as ServiceRequest
from recommendation_service.domain.slate import ALL_SEEN, SEEN_EVERYTHING
from recommendation_service.errors import InvalidInput, NotFound
from tandem import cache
from tandem.client import ServiceFailed, client
from tandem.model_state import service_state
from tandem.selectors.history import NOBODY, hidden_of, history_of, history_version, seen_before
from tandem.selectors.items import require_items
from tandem.services.fallback import (
    RecommendationRequest,
    UserHistory,
    empty_answer,
    popular_again,
    popular_items,
    popularity_engine,
    renumbered,
    repeats_seen,
    showable,
)
from tandem.services.impressions import record_impression, record_impressions
from tandem.services.pair_lists import DEGRADED_SECONDS, pair_answer, version_of
from tandem.sources import CandidateSet
from tandem.surfaces import BoundSurface, bound_surface

SPARE = 10  # requested beyond the limit, because some items may be gone from the catalogue
UNKNOWN = "unknown"
NEAREST = "nearest"  # method_used where the site itself found similar items
SUBJECTS = {"item": "an item", "basket": "items", "context": "one of {catalogue}"}


class SingleFlight:
    """Threads of one process that ask for the same key at the same time share one computation."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._running: dict[str, Future[dict[str, Any]]] = {}

    def do(self, key: str, compute: Callable[[], dict[str, Any]]) -> dict[str, Any]:
        """Return the result of `compute`; each caller gets its own copy, or the same exception."""
        with self._lock:
            running = self._running.get(key)
            future: Future[dict[str, Any]] = Future()
            if running is None:
                self._running[key] = future
        if running is not None:
            return deepcopy(running.result())
        try:
            result = compute()
            future.set_result(result)
        except BaseException as error:
            future.set_exception(error)
            raise
        finally:
            with self._lock:
                del self._running[key]
        return deepcopy(result)


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
    """Return the answer that docs/reference/api.md describes; `degraded` is True if it is not the service's own.

    The arguments are validated before: ids by `clean_id`, a limit of 1 to 100, filters that the catalogue declares, and the
    permission to see the user's list. Without `user_id` the list is not personal. `item_ids` are the subjects of an item,
    basket or context surface. Raises NotFound for a surface or item that does not exist, Gone for an item that was removed,
    InvalidInput for a strategy that the surface does not offer and for missing subjects; nothing else.
    """
    bound = bound_surface(use_case, surface)
    chosen = {name: tuple(values) for name, values in (filters or {}).items()}
    request = RecommendationRequest(bound, user_id, limit, chosen, explain, tuple(dict.fromkeys(item_ids)), strategy)
    candidates = _check(request)
    answer = _cached_or_computed(request, candidates)
    return answer if candidates is None else _shown_again(bound, [answer])[0]


def recommend_for_subjects(
    *,
    use_case: str,
    surface: str,
    subjects: Sequence[tuple[str, str]],
    limit: int = DEFAULT_LIMIT,
    filters: Mapping[str, Sequence[str]] | None = None,
    explain: bool = False,
    strategy: str | None = None,
) -> list[dict[str, Any]]:
    """Return what `recommend` returns for each (user id, subject id) of a context surface, in the same order.

    The site's candidates are read once for all subjects, and all lists are recorded as shown together. Raises as
    `recommend` does; then no list is recorded.
    """
    bound = bound_surface(use_case, surface)
    chosen = {name: tuple(values) for name, values in (filters or {}).items()}
    requests = [
        RecommendationRequest(bound, user_id, limit, chosen, explain, (subject_id,), strategy)
        for user_id, subject_id in subjects
    ]
    for request in requests[:1]:  # the others have the same strategy and surface
        _require_valid(request)
    candidates = _candidates(bound, [subject_id for _, subject_id in subjects], chosen)
    if not candidates:
        return [
            recommend(
                use_case=use_case, surface=surface, user_id=request.user_id, item_ids=request.item_ids,
                limit=limit, filters=chosen, explain=explain, strategy=strategy,
            )
            for request in requests
        ]  # fmt: skip
    answers = [_cached_or_computed(request, candidates[request.item_ids[0]]) for request in requests]
    return _shown_again(bound, answers)


def _cached_or_computed(request: RecommendationRequest, candidates: CandidateSet | None) -> dict[str, Any]:
    bound, user_id = request.bound, request.user_id
    subjects = [request.item_ids, request.strategy] if request.item_ids or request.strategy else []
    key = cache.key_of(
        bound.use_case.name, bound.catalogue, bound.name, user_id, request.limit, request.filters, request.explain, *subjects
    )
    version = _history_version(request) if candidates is None else version_of(request, candidates)
    cached = cache.read(key, user_id)
    if cached is not None and _is_fresh(cached, version) and _is_complete(request, candidates, key, cached):
        if bound.surface.track_cache_hits:
            cache.count_hit(key, where=f"{bound.use_case.name}:{bound.name}")
        return cached.answer
    cache_version = cache.cache_version(user_id)
    flight = f"{key}:{version}:{cache_version}"
    if candidates is None:
        return _flight.do(flight, lambda: _compute(request, key, version, cache_version, cached))
    return _flight.do(flight, lambda: _scored(request, candidates, key, version, cache_version))


def popular_answer(
    bound: BoundSurface, *, user_id: str | None, limit: int, filters: Mapping[str, Sequence[str]]
) -> dict[str, Any]:
    """Return popular items of the surface's catalogue, for a page whose subject the catalogue does not show. Recorded."""
    chosen = {name: tuple(values) for name, values in filters.items()}
    request = RecommendationRequest(bound, user_id, limit, chosen, explain=False)
    history = _history(request)
    answer = empty_answer(request, history)
    skip = {"engine": "service", "code": "unknown_item", "detail": "the catalogue does not show this item"}
    answer.update(degraded=True, degradation=[skip, *answer["degradation"]])
    answer = _filled(request, history, answer)
    record_impression(bound=bound, answer=answer)
    return answer


def _scored(
    request: RecommendationRequest, candidates: CandidateSet, key: str, version: str, cache_version: str
) -> dict[str, Any]:
    """Return a new list of today's candidates; the cache keeps a degraded one for a moment only."""
    answer, state = pair_answer(request, candidates)
    surface = request.bound.surface
    seconds = candidates.cache_seconds if candidates.cache_seconds is not None else surface.cache_seconds
    if answer["degraded"]:
        seconds = DEGRADED_SECONDS if seconds is None else min(seconds, DEGRADED_SECONDS)
    count = surface.track_cache_hits
    cache.save(
        key, request.user_id, answer, history_version=version, state=state, version=cache_version, seconds=seconds, count=count
    )
    return answer


def _shown_again(bound: BoundSurface, answers: Sequence[dict[str, Any]]) -> list[dict[str, Any]]:
    """Return the answers under new request ids, recorded as shown."""
    shown = [{**answer, "request_id": str(uuid.uuid4())} for answer in answers]
    record_impressions(bound=bound, answers=shown)
    return shown


def _is_fresh(cached: cache.CachedAnswer, version: str) -> bool:
    """True if neither the user's history nor, as far as is known, the service's models changed since."""
    unchanged = cached.fresh and version in (cached.history_version, UNKNOWN)
    return unchanged and (not cached.state or service_state() in (cached.state, ""))


def _compute(
    request: RecommendationRequest, key: str, version: str, cache_version: str, cached: cache.CachedAnswer | None
) -> dict[str, Any]:
    history, bound = _history(request), request.bound
    try:
        answer, state = _from_service(request, history)
    except ServiceFailed as failure:
        answer = _without_service(request, history, failure, _same_user(cached, version))
    else:
        cache.save(
            key,
            request.user_id,
            _public(request, answer),
            history_version=version,
            state=state,
            version=cache_version,
            seconds=bound.surface.cache_seconds,
            count=bound.surface.track_cache_hits,
        )
    record_impression(bound=bound, answer=answer)
    return _public(request, answer)


def _public(request: RecommendationRequest, answer: dict[str, Any]) -> dict[str, Any]:
    """Return the answer for the caller: with the parts of the scores only if an explanation was requested."""
    if request.explain or not request.bound.keeps_parts:
        return answer
    return {**answer, "stages": [], "recommendations": [{**item, "parts": {}} for item in answer["recommendations"]]}


def _check(request: RecommendationRequest) -> CandidateSet | None:
    """Raise for an invalid request; return the site's own candidates of today where it declares them."""
    bound = request.bound
    _require_valid(request)
    if bound.about == "context" and len(request.item_ids) == 1:
        candidates = _candidates(bound, request.item_ids, request.filters)
        if candidates:
            return candidates[request.item_ids[0]]
    if bound.about in ("item", "context"):
        with suppress(Error):  # without the database nothing can be checked, and the service may still know the item
            require_items(source=bound.subject_source, item_ids=request.item_ids)
    return None


def _require_valid(request: RecommendationRequest) -> None:
    """Raise InvalidInput for a strategy that the surface does not offer, and for missing subjects."""
    bound, offered = request.bound, request.bound.surface.strategies
    if request.strategy is not None and request.strategy not in offered:
        message = f"must be one of {', '.join(offered)}" if offered else "is not offered here"
        raise InvalidInput(f"strategy {message}", fields={"/strategy": message})
    if bound.about != "user" and not request.item_ids:
        subjects = SUBJECTS[bound.about].format(catalogue=bound.surface.context)
        message = f"name at least one: '{bound.name}' is about {subjects}"
        raise InvalidInput(f"item_ids: {message}", fields={"/item_ids": message})


def _candidates(bound: BoundSurface, subject_ids: Sequence[str], filters: Profile) -> Mapping[str, CandidateSet]:
    try:
        return bound.source.candidates(subject_ids, filters)
    except NotFound as error:
        with suppress(NotFound, Error):  # Gone is raised: the subject was known once
            require_items(source=bound.subject_source, item_ids=subject_ids)
        raise error


def _from_service(request: RecommendationRequest, history: UserHistory) -> tuple[dict[str, Any], str]:
    """Return the service's list, checked against the catalogue of today and filled up, and the service's state."""
    served = client().recommend(
        _service_request(request, history),
        use_case=request.bound.use_case.name,
        surface=request.bound.name,
        as_service=request.bound.about == "context",
    )
    return _filled(request, history, served.answer), served.state


def _without_service(
    request: RecommendationRequest, history: UserHistory, failure: ServiceFailed, cached: cache.CachedAnswer | None
) -> dict[str, Any]:
    """Return the user's last good list if there is one, else popular items; both report what failed."""
    answer = empty_answer(request, history)
    skip = {"engine": "service", "code": failure.code, "detail": failure.detail}
    if cached is not None:
        answer = {**cached.answer, "request_id": answer["request_id"], "interaction_count": answer["interaction_count"]}
    answer.update(degraded=True, degradation=[skip, *answer["degradation"]])
    return _filled(request, history, answer)


def _filled(request: RecommendationRequest, history: UserHistory, answer: dict[str, Any]) -> dict[str, Any]:
    """Return the answer with the items that may be shown, cut to the limit; popular items replace those that are gone."""
    served = answer["recommendations"]
    may_show = showable(request, history, [item["item_id"] for item in served])
    items = [item for item in served if item["item_id"] in may_show][: request.limit]
    if len(items) < request.limit and len(items) < max(len(served), 1):
        picked = popular_items(
            request,
            history,
            leave_out={item["item_id"] for item in served},
            wanted=request.limit - len(items),
            before=[item["item_id"] for item in items],
        )
        if not items and picked.starts_similar:
            answer["method_used"] = NEAREST
        if not items and picked.items:
            answer.update(degradation=[_corrected(skip) for skip in answer["degradation"]])
        items += picked.items
    answer["recommendations"] = renumbered(items) if items else _repeated(request, history, answer)
    return answer


def _corrected(skip: dict[str, Any]) -> dict[str, Any]:
    """Return the skip; "seen everything" becomes "not exported", because the site has an unseen item."""
    if skip["code"] != SEEN_EVERYTHING:
        return skip
    detail = "the service knew of nothing unseen; its next export brings these items"
    return {**skip, "code": "item_not_exported", "detail": detail}


def _repeated(request: RecommendationRequest, history: UserHistory, answer: dict[str, Any]) -> list[dict[str, Any]]:
    """Return popular items again for a user who has seen everything, or none; `answer` gets the reason."""
    items, engine = popular_again(request, history, answer), popularity_engine(request.bound)
    if not items:
        skip = {"engine": engine, "code": "nothing_left", "detail": "every item is hidden, disliked or filtered away"}
        answer.update(degraded=True, degradation=[*answer["degradation"], skip])
    elif not repeats_seen(answer):
        skip = {"engine": engine, "code": SEEN_EVERYTHING, "detail": ALL_SEEN}
        answer.update(method_used=engine, model_version="", degraded=True, degradation=[*answer["degradation"], skip])
    return renumbered(items)


def _service_request(request: RecommendationRequest, history: UserHistory) -> ServiceRequest:
    """Return the request to the service. What the database did not answer is None: the service then uses its last export.

    Raises ServiceFailed if the site's data does not fit the limits of a request.
    """
    try:
        return ServiceRequest(
            user_id=request.user_id,
            item_ids=request.item_ids,
            strategy=request.strategy,
            history=history.events if history.known else None,
            count=history.count,
            profile=None if history.profile is None else dict(history.profile),
            limit=min(request.limit + SPARE, MAX_LIMIT),
            filters=dict(request.filters),
            exclude=(*history.hidden, *(history.older if request.bound.leaves_out_seen else ())),
            explain=request.explain or request.bound.keeps_parts,
            request_id=str(uuid.uuid4()),
        )
    except ValidationError as error:
        raise ServiceFailed("invalid_request", invalid_input(error).message) from error


def _history(request: RecommendationRequest) -> UserHistory:
    bound, user_id = request.bound, request.user_id
    if user_id is None:
        return UserHistory(profile={})
    try:
        events, count = history_of(user_id=user_id, catalogue=bound.catalogue, use_case=bound.use_case)
        older = seen_before(events, user_id=user_id, catalogue=bound.catalogue) if count is not None else ()
        hidden = tuple(hidden_of(user_id=user_id, catalogue=bound.catalogue))
        person = bound.source.person(user_id)
        profile = {} if person is None else bound.source.profile(person)
    except Error:
        return UserHistory(known=False)
    return UserHistory(events, count, hidden, tuple(older), _shortened(profile))


def _shortened(profile: Profile) -> Profile:
    """Return as much of a profile as the service accepts, so that a long profile is not refused."""
    names = list(profile)[:MAX_NAMES]
    return {name: tuple(value[:MAX_VALUE_LENGTH] for value in profile[name][:MAX_VALUES] if value) for name in names}


def _history_version(request: RecommendationRequest) -> str:
    if request.user_id is None:
        return NOBODY
    try:
        return history_version(user_id=request.user_id, catalogue=request.bound.catalogue)
    except Error:
        return UNKNOWN


def _same_user(cached: cache.CachedAnswer | None, version: str) -> cache.CachedAnswer | None:
    """Return the cached list if it is of the same user: an id that was erased and given again has another key."""
    if cached is None or UNKNOWN in (version, cached.history_version) or cached.history_version == NOBODY:
        return cached
    return cached if cached.history_version.partition(":")[0] == version.partition(":")[0] else None


def _is_complete(request: RecommendationRequest, candidates: CandidateSet | None, key: str, cached: cache.CachedAnswer) -> bool:
    """True if every item of a cached list may still be shown; checked every few seconds, not on every call.

    The version of candidates changes with their rows, so it needs no check.
    """
    if candidates is not None or cached.checked:
        return True
    ids = [item["item_id"] for item in cached.answer["recommendations"]]
    if showable(request, UserHistory(), ids) != set(ids):
        return False
    cache.mark_checked(key)
    return True
