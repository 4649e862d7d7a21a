"""Surfaces about a context: what the list is for, and what may be in it, where the asker brings both."""

from collections.abc import Sequence

import numpy as np

from recommendation_service.domain.catalogue import Catalogue
from recommendation_service.domain.idmap import IdMap
from recommendation_service.domain.query import MAX_OFFERS, Ask
from recommendation_service.domain.side import Side, Thing
from recommendation_service.errors import InvalidInput, NotFound, Unavailable
from recommendation_service.use_cases.schema import Surface

CONTEXT = "context"


def check_context(ask: Ask, name: str, surface: Surface) -> None:
    """Raise InvalidInput, naming what is wrong, for a context or offers that surface `name` cannot take."""
    if surface.about != CONTEXT:
        told = {"/context": ask.context is not None, "/offers": ask.offers is not None}
        wrong = next((pointer for pointer, is_there in told.items() if is_there), None)
        if wrong is not None:
            raise _refused(wrong, f"surface '{name}' is about {surface.about} ids, so it takes no {wrong.removeprefix('/')}")
        return
    if ask.context is None and len(ask.item_ids) != 1:
        raise _refused("/item_ids", f"surface '{name}' is about one of {surface.context}: send `context`, or name one id")
    if ask.context is not None and ask.item_ids and ask.item_ids != (ask.context.id,):
        raise _refused("/context/id", f"differs from the id of {surface.context} that the path or item_ids name")
    if ask.offers is not None:
        _check_offers(ask.offers)


def context_of(ask: Ask, surface: Surface, met: Catalogue | None) -> Side | None:
    """What the list is for, as a side of one; None on other surfaces, and where the export has no columns of it.

    `met` is the catalogue that contexts are of, None while that has no export. Raises NotFound for an id it lacks.
    """
    if surface.about != CONTEXT:
        return None
    if ask.context is not None:
        return Side.of([ask.context.id], [ask.context.numbers], [ask.context.words])
    if met is None:
        raise Unavailable(f"no export of {surface.context} yet, so send `context`, or run: manage.py generate_all_datasets")
    row = met.ids.row(ask.item_ids[0])
    if row is None:
        raise NotFound(f"{met.name} has no item with that id")
    return None if met.side is None else met.side.take(np.array([row]))


def offered(offers: Sequence[Thing], catalogue: str) -> tuple[Catalogue, Side]:
    """A catalogue of nothing but the offers, in id order, and what is known of them; ids must differ."""
    ordered = sorted(offers, key=lambda offer: offer.id.encode())
    ids = [offer.id for offer in ordered]
    unknown = np.full(len(ids), np.nan, dtype=np.float32)
    titles = tuple(offer.title for offer in ordered)
    items = Catalogue(catalogue, IdMap.of(ids), titles, popularity=np.zeros(len(ids), dtype=np.float32), created=unknown)
    return items, Side.of(ids, [offer.numbers for offer in ordered], [offer.words for offer in ordered])


def _check_offers(offers: Sequence[Thing]) -> None:
    if not 1 <= len(offers) <= MAX_OFFERS:
        raise _refused("/offers", f"must be 1 to {MAX_OFFERS}, not {len(offers)}")
    seen: set[str] = set()
    for place, offer in enumerate(offers):
        if offer.id in seen:
            raise _refused(f"/offers/{place}/item_id", "was offered already; each id once")
        seen.add(offer.id)


def _refused(pointer: str, detail: str) -> InvalidInput:
    return InvalidInput(f"{pointer.removeprefix('/')}: {detail}", fields={pointer: detail})
