"""One user's list: from the cache, from the service, or from the fallback when the service does not answer."""

import threading
import uuid
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import Future
from contextlib import suppress
from copy import deepcopy
from functools import partial
from typing import Any

from asgiref.sync import sync_to_async
from django.db.utils import Error

from recommendation_service.domain.query import Profile
from recommendation_service.domain.request import DEFAULT_LIMIT
from recommendation_service.errors import InvalidInput, NotFound
from tandem import cache
from tandem.identity import user_id_or_none
from tandem.selectors.deadlines import list_deadline
from tandem.selectors.history import NOBODY, UNKNOWN, UserHistory, user_history, version_if_known
from tandem.selectors.items import require_items
from tandem.selectors.transactions import contained
from tandem.service_client.client import ServiceFailed, client
from tandem.service_client.model_state import service_state
from tandem.services.fallback import filled, showable, without_service
from tandem.services.impressions import record_shown
from tandem.services.pair_lists import DEGRADED_SECONDS, pair_answer, version_of
from tandem.services.recommendation_request import RecommendationRequest
from tandem.sources import CandidateSet, ItemSource
from tandem.surfaces import BoundSurface, bound_surface


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
    exclude: Sequence[str] = (),
) -> dict[str, Any]:
    """Return the answer that docs/reference/api.md describes; `degraded` is True if it is not the service's own.

    The arguments are validated before: a limit of 1 to 100, filters that the catalogue declares, and the
    permission to see the user's list. Without `user_id` the list is not personal. `item_ids` are the subjects of an item,
    basket or context surface; `exclude` are ids that must not be shown, such as those of another list.
    Raises NotFound for a surface or item that does not exist, Gone for an item that was removed, InvalidInput for a strategy
    that the surface does not offer and for missing subjects; nothing else.
    """
    bound = bound_surface(use_case, surface)
    chosen = {name: tuple(values) for name, values in (filters or {}).items()}
    request = RecommendationRequest(
        bound,
        user_id_or_none(user_id),
        limit,
        chosen,
        explain,
        _ids(bound.subject_source, item_ids),
        strategy,
        _excluded(bound, exclude),
    )
    request.require_valid()
    with list_deadline():
        candidates = _candidates_of(request)
        answer = _cached_or_computed(request, candidates)
        return answer if candidates is None else _shown_again(bound, [answer])[0]


arecommend = sync_to_async(recommend, thread_sensitive=True)  # for async views


def recommend_for_subjects(
    *,
    use_case: str,
    surface: str,
    subjects: Sequence[tuple[str, str]],
    limit: int = DEFAULT_LIMIT,
    filters: Mapping[str, Sequence[str]] | None = None,
    explain: bool = False,
    strategy: str | None = None,
    exclude: Sequence[str] = (),
) -> list[dict[str, Any]]:
    """Return what `recommend` returns for each (user id, subject id) of a context surface, in the same order.

    The site's candidates are read once for all subjects, and all lists are recorded as shown together. Raises as
    `recommend` does; then no list is recorded.
    """
    bound = bound_surface(use_case, surface)
    chosen = {name: tuple(values) for name, values in (filters or {}).items()}
    requests = [
        RecommendationRequest(
            bound,
            user_id_or_none(user_id),
            limit,
            chosen,
            explain,
            _ids(bound.subject_source, [subject_id]),
            strategy,
            _excluded(bound, exclude),
        )
        for user_id, subject_id in subjects
    ]
    for request in requests[:1]:  # the others have the same strategy and surface
        request.require_valid()
    with list_deadline():
        candidates = _candidates(bound, [request.item_ids[0] for request in requests], chosen)
        if candidates:
            answers = [_cached_or_computed(request, candidates[request.item_ids[0]]) for request in requests]
            return _shown_again(bound, answers)
    return [
        recommend(
            use_case=use_case, surface=surface, user_id=request.user_id, item_ids=request.item_ids,
            limit=limit, filters=chosen, explain=explain, strategy=strategy, exclude=exclude,
        )
        for request in requests
    ]  # fmt: skip


def _ids(source: type[ItemSource], item_ids: Sequence[str]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(source.spelled_item_id(item_id) for item_id in item_ids))


def _excluded(bound: BoundSurface, item_ids: Sequence[str]) -> tuple[str, ...]:
    """Return the ids; text that no item can have excludes nothing."""
    ids: dict[str, None] = {}
    for item_id in item_ids:
        with suppress(InvalidInput):
            ids[bound.source.spelled_item_id(item_id)] = None
    return tuple(ids)


def popular_answer(
    bound: BoundSurface,
    *,
    user_id: str | None,
    limit: int,
    filters: Mapping[str, Sequence[str]],
    exclude: Sequence[str] = (),
) -> dict[str, Any]:
    """Return popular items of the surface's catalogue, for a page whose subject the catalogue does not show. Recorded."""
    chosen = {name: tuple(values) for name, values in filters.items()}
    request = RecommendationRequest(bound, user_id, limit, chosen, explain=False, exclude=_excluded(bound, exclude))
    failure = ServiceFailed("unknown_item", "the catalogue does not show this item")
    with list_deadline():
        answer = without_service(request, user_history(bound, user_id), failure, None)
        record_shown(bound=bound, answers=[answer])
    return answer


def _cached_or_computed(request: RecommendationRequest, candidates: CandidateSet | None) -> dict[str, Any]:
    bound, user_id, use_case = request.bound, request.user_id, request.bound.use_case.name
    more = (request.item_ids, request.strategy, sorted(request.exclude))
    subjects = list(more) if any(more) else []
    key = cache.key_of(
        use_case, bound.catalogue, bound.name, user_id, request.limit, request.filters, request.explain, *subjects
    )
    version = version_if_known(bound, user_id) if candidates is None else version_of(request, candidates)
    cached = cache.read(key, user_id)
    complete = candidates is not None  # their version changes with their rows
    if cached is not None and _is_fresh(cached, version) and (complete or cached.checked or _is_complete(request, key, cached)):
        if bound.surface.track_cache_hits:
            cache.count_hit(key, where=f"{use_case}:{bound.name}")
        return cached.answer
    cache_version = cache.cache_version(user_id)
    count = bound.surface.track_cache_hits
    store = partial(cache.save, key, user_id, history_version=version, version=cache_version, count=count)
    flight = f"{key}:{version}:{cache_version}"
    if candidates is None:
        return _flight.do(flight, partial(_serve, request, store, cached, version))
    return _flight.do(flight, partial(_score, request, store, candidates))


def _serve(
    request: RecommendationRequest, store: Callable[..., None], cached: cache.CachedAnswer | None, version: str
) -> dict[str, Any]:
    """Return the service's list, checked against the catalogue of today and filled up, or the fallback."""
    bound, history = request.bound, user_history(request.bound, request.user_id)
    last_good = cached.answer if cached is not None and _is_same_user(cached, version) else None
    state = None
    try:
        served = client().recommend(
            request.to_service(history),
            use_case=bound.use_case.name,
            surface=bound.name,
            as_service=bound.about == "context",
        )
    except ServiceFailed as failure:
        answer = without_service(request, history, failure, last_good)
    else:
        answer, state = filled(request, history, served.answer), served.state
    public = request.public(answer)
    if state is not None:
        store(public, state=state, seconds=bound.surface.cache_seconds)
    record_shown(bound=bound, answers=[answer])
    return public


def _score(request: RecommendationRequest, store: Callable[..., None], candidates: CandidateSet) -> dict[str, Any]:
    """Return a new list of today's candidates; the cache keeps a degraded one for a moment only."""
    answer, state = pair_answer(request, candidates)
    seconds = request.bound.surface.cache_seconds if candidates.cache_seconds is None else candidates.cache_seconds
    if answer["degraded"]:
        seconds = DEGRADED_SECONDS if seconds is None else min(seconds, DEGRADED_SECONDS)
    store(answer, state=state, seconds=seconds)
    return answer


def _shown_again(bound: BoundSurface, answers: Sequence[dict[str, Any]]) -> list[dict[str, Any]]:
    """Return the answers under new request ids, recorded as shown."""
    shown = [{**answer, "request_id": str(uuid.uuid4())} for answer in answers]
    record_shown(bound=bound, answers=shown)
    return shown


def _candidates_of(request: RecommendationRequest) -> CandidateSet | None:
    """Return the site's own candidates of today where it declares them. Raises NotFound or Gone for an unknown subject."""
    bound = request.bound
    if bound.about == "context" and len(request.item_ids) == 1:
        candidates = _candidates(bound, request.item_ids, request.filters)
        if candidates:
            return candidates[request.item_ids[0]]
    if bound.about in ("item", "context"):
        with (
            suppress(Error),
            contained(),
        ):  # without the database nothing can be checked, and the service may still know the item
            require_items(source=bound.subject_source, item_ids=request.item_ids)
    return None


def _candidates(bound: BoundSurface, subject_ids: Sequence[str], filters: Profile) -> Mapping[str, CandidateSet]:
    try:
        return bound.source.candidates(subject_ids, filters)
    except NotFound as error:
        with suppress(NotFound, Error), contained():  # Gone is raised: the subject was known once
            require_items(source=bound.subject_source, item_ids=subject_ids)
        raise error


def _is_fresh(cached: cache.CachedAnswer, version: str) -> bool:
    """True if neither the user's history nor, as far as is known, the service's models changed since."""
    unchanged = cached.fresh and version in (cached.history_version, UNKNOWN)
    return unchanged and (not cached.state or service_state() in (cached.state, ""))


def _is_same_user(cached: cache.CachedAnswer, version: str) -> bool:
    """True unless the cached list is of another user with the same id: an id that was erased and given again."""
    if UNKNOWN in (version, cached.history_version) or cached.history_version == NOBODY:
        return True
    return cached.history_version.partition(":")[0] == version.partition(":")[0]


def _is_complete(request: RecommendationRequest, key: str, cached: cache.CachedAnswer) -> bool:
    """True if every item of a cached list may still be shown; checked every few seconds, not on every call."""
    ids = [item["item_id"] for item in cached.answer["recommendations"]]
    if showable(request, UserHistory(), ids) != set(ids):
        return False
    cache.mark_checked(key)
    return True
