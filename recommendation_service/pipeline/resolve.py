"""Resolve a request in external ids to a query in catalogue rows."""

import logging
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from hashlib import sha256
from typing import Protocol

import numpy as np

from recommendation_service.core.numeric import Bools, Ints
from recommendation_service.datasets.weighting import history_of
from recommendation_service.domain.catalogue import Catalogue
from recommendation_service.domain.history import PastEvent
from recommendation_service.domain.idmap import IdMap
from recommendation_service.domain.query import MAX_LIMIT, MAX_OFFERS, Ask, Profile, Query
from recommendation_service.domain.side import PairItem, PairSide
from recommendation_service.domain.slate import Skip
from recommendation_service.errors import InvalidInput, NotFound, Unavailable
from recommendation_service.pipeline.rules import exclude_rows, wanted
from recommendation_service.pipeline.surface_pipeline import Mask, Plan
from recommendation_service.use_cases.schema import Surface, UseCase

log = logging.getLogger("recommendation_service")


class HistorySource(Protocol):
    """Where a user's past comes from when the Ask brings none. May raise Unavailable; then the past counts as empty."""

    def history(self, user_id: str) -> tuple[PastEvent, ...] | None:
        """The user's events in any order; None for an unknown user."""
        ...

    def profile(self, user_id: str) -> Profile:
        """What the site knows of the user; empty when that is nothing."""
        ...


@dataclass(frozen=True, slots=True, eq=False)
class Resolved:
    """The Query, and what could not be found out for it."""

    query: Query
    skips: tuple[Skip, ...] = ()


def resolve(
    ask: Ask,
    plan: Plan,
    use_case: UseCase,
    catalogue: Catalogue,
    source: HistorySource | None,
    contexts: Catalogue | None = None,
) -> Resolved:
    """The Ask in rows, with everything that must not be shown masked away.

    Whoever has seen all that could be shown may see it again. Items of the history that left the catalogue are dropped in
    silence. On a surface about a context, `met` is the
    catalogue that contexts are of, nobody's past is looked up, and offers take the place of the catalogue. Raises
    InvalidInput for a limit outside 1..100, a negative count, an unknown filter or offers that repeat, NotFound for an
    unknown subject, Unavailable for a context of a catalogue without an export.
    """
    _check(ask, plan)
    context, side = context_of(ask, plan.surface, contexts), None
    if ask.offers is not None:
        catalogue, side = offered(ask.offers, catalogue.name)
    events, profile, skips = _history_and_profile(ask, None if plan.surface.about == CONTEXT else source)
    history = history_of(use_case, catalogue, events, ask.now)
    if ask.count is not None:
        history = replace(history, count=ask.count)
    query = Query(
        catalogue=catalogue,
        history=history,
        limit=ask.limit,
        now=ask.now,
        eligible=np.ones(len(catalogue), dtype=np.bool_),
        user_id=ask.user_id,
        profile=profile,
        subject=_subject(ask, plan, catalogue),
        explain=ask.explain,
        strategy=ask.strategy,
        context=context,
        offered=side,
        chance=chance_of(ask.request_id),
    )
    allowed = wanted(query, ask.filters) & exclude_rows(query, catalogue.known_rows(ask.exclude))
    return Resolved(_masked(query, allowed, plan), skips)


def _masked(query: Query, allowed: Bools, plan: Plan) -> Query:
    """The query with what may be shown of `allowed`; where that is nothing because all of it was seen, it comes again."""
    eligible = _passing(query, allowed, plan.masks)
    if eligible.any():
        return replace(query, eligible=eligible)
    again = _passing(query, allowed, plan.masks_again)
    return replace(query, eligible=again, seen_again=bool(again.any()))


def _passing(query: Query, allowed: Bools, masks: Iterable[Mask]) -> Bools:
    passing = allowed.copy()
    for mask in masks:
        passing &= mask(query)
    return passing


def chance_of(request_id: str | None) -> float:
    """A number in [0, 1) that is always the same for one request and even over many; 0 without an id."""
    if request_id is None:
        return 0.0
    return int.from_bytes(sha256(request_id.encode()).digest()[:6], "big") / 2**48


def _check(ask: Ask, plan: Plan) -> None:
    if not 1 <= ask.limit <= MAX_LIMIT:
        detail = f"must be 1 to {MAX_LIMIT}, not {ask.limit}"
        raise InvalidInput(f"limit {detail}", fields={"/limit": detail})
    if ask.count is not None and ask.count < 0:
        raise InvalidInput(f"count must be 0 or more, not {ask.count}", fields={"/count": "must be 0 or more"})
    if ask.strategy is not None and ask.strategy not in plan.surface.strategies:
        detail = f"surface '{plan.name}' offers {', '.join(plan.surface.strategies) or 'no choice of strategy'}"
        raise InvalidInput(f"unknown strategy: {detail}", fields={"/strategy": detail})
    check_context(ask, plan.name, plan.surface)
    if plan.surface.about in ("item", "basket") and not ask.item_ids:
        detail = f"surface '{plan.name}' is about {plan.surface.about} ids: name at least one"
        raise InvalidInput(detail, fields={"/item_ids": detail})


def _subject(ask: Ask, plan: Plan, catalogue: Catalogue) -> Ints:
    if plan.surface.about == CONTEXT:  # its ids are of the other catalogue
        return np.empty(0, dtype=np.int64)
    rows = catalogue.ids.rows(list(dict.fromkeys(ask.item_ids)))
    if plan.surface.about == "item" and (rows < 0).any():
        raise NotFound(f"{catalogue.name} has no item with that id")
    return rows[rows >= 0]


def _history_and_profile(ask: Ask, source: HistorySource | None) -> tuple[tuple[PastEvent, ...], Profile, tuple[Skip, ...]]:
    events, profile = ask.history, ask.profile
    if ask.user_id is not None and source is not None and (events is None or profile is None):
        try:
            events = source.history(ask.user_id) if events is None else events
            profile = source.profile(ask.user_id) if profile is None else profile
        except Unavailable as error:
            log.warning("history unavailable: %s", error.message, extra={"code": error.code})
            return events or (), profile or {}, (Skip("history", "failed", error.message),)
    return events or (), profile or {}, ()


CONTEXT = "context"


def check_context(ask: Ask, name: str, surface: Surface) -> None:
    """Raise InvalidInput, naming what is wrong, for a context or offers that surface `name` cannot take."""
    if surface.about != CONTEXT:
        given = {"/context": ask.context is not None, "/offers": ask.offers is not None}
        wrong = next((pointer for pointer, present in given.items() if present), None)
        if wrong is not None:
            raise _refused(wrong, f"surface '{name}' is about {surface.about} ids, so it takes no {wrong.removeprefix('/')}")
        return
    if ask.context is None and len(ask.item_ids) != 1:
        raise _refused("/item_ids", f"surface '{name}' is about one of {surface.context}: send `context`, or name one id")
    if ask.context is not None and ask.item_ids and ask.item_ids != (ask.context.id,):
        raise _refused("/context/id", f"differs from the id of {surface.context} that the path or item_ids name")
    if ask.offers is not None:
        _check_offers(ask.offers)


def context_of(ask: Ask, surface: Surface, contexts: Catalogue | None) -> PairSide | None:
    """What the list is for, as a side of one; None on other surfaces, and where the export has no columns of it.

    `met` is the catalogue that contexts are of, None while that has no export. Raises NotFound for an id it lacks.
    """
    if surface.about != CONTEXT:
        return None
    if ask.context is not None:
        return PairSide.of([ask.context.id], [ask.context.numbers], [ask.context.text_columns])
    if contexts is None:
        raise Unavailable(f"no export of {surface.context} yet, so send `context`, or run: manage.py generate_all_datasets")
    row = contexts.ids.row(ask.item_ids[0])
    if row is None:
        raise NotFound(f"{contexts.name} has no item with that id")
    return None if contexts.side is None else contexts.side.take(np.array([row]))


def offered(offers: Sequence[PairItem], catalogue: str) -> tuple[Catalogue, PairSide]:
    """A catalogue of nothing but the offers, in id order, and what is known of them; ids must differ."""
    ordered = sorted(offers, key=lambda offer: offer.id.encode())
    ids = [offer.id for offer in ordered]
    unknown = np.full(len(ids), np.nan, dtype=np.float32)
    titles = tuple(offer.title for offer in ordered)
    items = Catalogue(catalogue, IdMap.of(ids), titles, popularity=np.zeros(len(ids), dtype=np.float32), created=unknown)
    return items, PairSide.of(ids, [offer.numbers for offer in ordered], [offer.text_columns for offer in ordered])


def _check_offers(offers: Sequence[PairItem]) -> None:
    if not 1 <= len(offers) <= MAX_OFFERS:
        raise _refused("/offers", f"must be 1 to {MAX_OFFERS}, not {len(offers)}")
    seen: set[str] = set()
    for index, offer in enumerate(offers):
        if offer.id in seen:
            raise _refused(f"/offers/{index}/item_id", "was offered already; each id once")
        seen.add(offer.id)


def _refused(pointer: str, detail: str) -> InvalidInput:
    return InvalidInput(f"{pointer.removeprefix('/')}: {detail}", fields={pointer: detail})
