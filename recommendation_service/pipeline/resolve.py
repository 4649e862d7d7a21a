"""Resolve a request in external ids to a query in catalogue rows."""

import logging
from collections.abc import Sequence
from dataclasses import dataclass, replace
from hashlib import sha256
from typing import Protocol

import numpy as np

from recommendation_service.core.numeric import Ints
from recommendation_service.datasets.weighting import history_of
from recommendation_service.domain.answer import Skip
from recommendation_service.domain.catalogue import Catalogue
from recommendation_service.domain.history import PastEvent
from recommendation_service.domain.idmap import IdMap
from recommendation_service.domain.query import Profile, Query
from recommendation_service.domain.request import Offer, RecommendationRequest
from recommendation_service.domain.side import PairSide
from recommendation_service.errors import InvalidInput, NotFound, Unavailable
from recommendation_service.pipeline.rules import apply_masks
from recommendation_service.pipeline.surface_pipeline import Plan
from recommendation_service.use_cases.schema import Surface, UseCase

CONTEXT = "context"  # value of a surface's `about`

log = logging.getLogger("recommendation_service")


class HistorySource(Protocol):
    """Reads histories that a request does not contain. May raise Unavailable; then the history counts as empty."""

    def history(self, user_id: str) -> tuple[PastEvent, ...] | None:
        """Return the user's events in any order; None for an unknown user."""
        ...

    def profile(self, user_id: str) -> Profile:
        """Return the user's attributes; empty if there are none."""
        ...


@dataclass(frozen=True, slots=True, eq=False)
class Resolved:
    """The query, and what was not available for it."""

    query: Query
    skips: tuple[Skip, ...] = ()


def resolve(
    request: RecommendationRequest,
    plan: Plan,
    use_case: UseCase,
    catalogue: Catalogue,
    source: HistorySource | None,
    contexts: Catalogue | None = None,
    *,
    now: float,
) -> Resolved:
    """Return the request in rows, with the items that may be shown as `eligible`. `now` is in Unix seconds.

    Items of the history that left the catalogue are ignored. On a surface about a context, `contexts` is the catalogue of
    contexts, no history is read, and offers replace the catalogue. Raises InvalidInput for a strategy, filter, context or
    offers that the surface does not take, NotFound for an unknown subject, Unavailable if a context needs a missing export.
    """
    _check(request, plan.name, plan.surface)
    context, side = context_of(request, plan.surface, contexts), None
    if request.offers is not None:
        catalogue, side = offered(request.offers, catalogue.name)
    events, profile, skips = _history_and_profile(request, None if plan.surface.about == CONTEXT else source)
    history = history_of(use_case, catalogue, events, now)
    if request.count is not None:
        history = replace(history, count=request.count)
    query = Query(
        catalogue=catalogue,
        history=history,
        limit=request.limit,
        now=now,
        eligible=np.ones(len(catalogue), dtype=np.bool_),
        user_id=request.user_id,
        profile=profile,
        subject=_subject(request, plan.surface, catalogue),
        explain=request.explain,
        strategy=request.strategy,
        context=context,
        offered=side,
        chance=chance_of(request.request_id),
    )
    excluded = catalogue.known_rows(request.exclude)
    return Resolved(apply_masks(query, request.filters, excluded, plan.masks, plan.masks_again), skips)


def chance_of(request_id: str | None) -> float:
    """Return a number in [0, 1): always the same for one request id, uniform over many; 0 without an id."""
    if request_id is None:
        return 0.0
    return int.from_bytes(sha256(request_id.encode()).digest()[:6], "big") / 2**48


def _check(request: RecommendationRequest, name: str, surface: Surface) -> None:
    """Raise InvalidInput, which names the field, for what surface `name` does not take or misses."""
    if request.strategy is not None and request.strategy not in surface.strategies:
        offered = f"offers {', '.join(surface.strategies)}" if surface.strategies else "offers no choice of strategy"
        raise _refused("/strategy", f"surface '{name}' {offered}")
    if surface.about in ("item", "basket") and not request.item_ids:
        raise _refused("/item_ids", f"surface '{name}' is about {surface.about} ids: name at least one")
    if surface.about == CONTEXT:
        _check_context(request, name, surface)
        return
    for field in ("context", "offers"):
        if getattr(request, field) is not None:
            raise _refused(f"/{field}", f"surface '{name}' is about {surface.about} ids, so it takes no {field}")


def _check_context(request: RecommendationRequest, name: str, surface: Surface) -> None:
    if request.context is None and len(request.item_ids) != 1:
        raise _refused("/item_ids", f"surface '{name}' is about one of {surface.context}: send `context`, or name one id")
    if request.context is not None and request.item_ids and request.item_ids != (request.context.id,):
        raise _refused("/context/id", f"differs from the id of {surface.context} that the path or item_ids name")


def _subject(request: RecommendationRequest, surface: Surface, catalogue: Catalogue) -> Ints:
    if surface.about == CONTEXT:  # its ids are of the other catalogue
        return np.empty(0, dtype=np.int64)
    rows = catalogue.ids.rows(list(dict.fromkeys(request.item_ids)))
    if surface.about == "item" and (rows < 0).any():
        raise NotFound(f"{catalogue.name} has no item with that id")
    return rows[rows >= 0]


def _history_and_profile(
    request: RecommendationRequest, source: HistorySource | None
) -> tuple[tuple[PastEvent, ...], Profile, tuple[Skip, ...]]:
    events = request.history
    profile: Profile | None = request.profile
    if request.user_id is not None and source is not None and (events is None or profile is None):
        try:
            events = source.history(request.user_id) if events is None else events
            profile = source.profile(request.user_id) if profile is None else profile
        except Unavailable as error:
            log.warning("history unavailable: %s", error.message, extra={"code": error.code})
            return events or (), profile or {}, (Skip(engine="history", code="failed", detail=error.message),)
    return events or (), profile or {}, ()


def context_of(request: RecommendationRequest, surface: Surface, contexts: Catalogue | None) -> PairSide | None:
    """Return the columns of the context; None on other surfaces, and if the export has no columns.

    `contexts` is the catalogue of contexts, None while it has no export. Raises NotFound for an unknown id.
    """
    if surface.about != CONTEXT:
        return None
    if request.context is not None:
        return PairSide.of([request.context.id], [request.context.numbers], [request.context.text_columns])
    if contexts is None:
        raise Unavailable(f"no export of {surface.context} yet, so send `context`, or run: manage.py generate_all_datasets")
    row = contexts.ids.row(request.item_ids[0])
    if row is None:
        raise NotFound(f"{contexts.name} has no item with that id")
    return None if contexts.side is None else contexts.side.take(np.array([row]))


def offered(offers: Sequence[Offer], catalogue: str) -> tuple[Catalogue, PairSide]:
    """Return a catalogue of the offers alone, in id order, and their columns; ids must differ."""
    ordered = sorted(offers, key=lambda offer: offer.item_id.encode())
    ids = [offer.item_id for offer in ordered]
    unknown = np.full(len(ids), np.nan, dtype=np.float32)
    titles = tuple(offer.title for offer in ordered)
    items = Catalogue(catalogue, IdMap.of(ids), titles, popularity=np.zeros(len(ids), dtype=np.float32), created=unknown)
    return items, PairSide.of(ids, [offer.numbers for offer in ordered], [offer.text_columns for offer in ordered])


def _refused(pointer: str, detail: str) -> InvalidInput:
    return InvalidInput(f"{pointer.removeprefix('/')}: {detail}", fields={pointer: detail})
