"""Recommended lists, prepared for the templates: one person's list, and the lists on an item's page."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any
from uuid import UUID

from recommendation_service.use_cases.loader import load
from storefront import labels
from storefront.people import PersonLine, person_line, surface_of
from tandem.models import ImpressionItem
from tandem.selectors.items import items_by_id
from tandem.services.recommend import recommend
from tandem.sources import ItemSource, use_case_of
from tandem.surfaces import BoundSurface, bound_surface

LIMIT = 10
ITEM_PAGE_LIMIT = 6


@dataclass(frozen=True, slots=True)
class Card:
    """One recommended item."""

    item_id: str
    title: str
    position: int
    category: str
    tags: tuple[str, ...]
    facts: tuple[str, ...]
    text: str
    reasons: tuple[str, ...]
    score: float
    parts: tuple[tuple[str, float], ...]  # short names of the score's parts and their shares; empty unless requested
    url: str  # the item's page on the site; "" if it has none
    position_change: str = ""  # compared with the list before; "" if it is equal or there was none


@dataclass(frozen=True, slots=True)
class ListPresentation:
    """One list with the texts about how it was made."""

    heading: str
    cards: tuple[Card, ...]
    request_id: str
    method: str  # name of the engine
    method_name: str
    method_description: str
    skipped: tuple[str, ...]
    model_version: str


@dataclass(frozen=True, slots=True)
class PersonListPresentation(ListPresentation):
    """One person's list with everything around it."""

    person: PersonLine
    segment: str
    buttons: tuple[tuple[str, str], ...]  # event and text
    interaction_count: str
    links: tuple[tuple[str, str], ...]  # text and URL of the site's own pages about this person
    by: str  # the engine that was chosen; "" if the site chose
    engine_choices: tuple[tuple[str, str], ...]  # engines to choose from and their texts; empty if the visitor may not choose


def person_list(
    source: type[ItemSource], person: Any, *, explain: bool, by: str = "", before: Sequence[str] = ()
) -> PersonListPresentation:
    """Request the person's list and join it with the site's items.

    A visitor who may see explanations may choose an engine, `by`, if the surface offers it. `before` has the item ids of
    the previous list, the best first, without the one that was clicked; then cards show how positions changed.
    """
    bound = surface_of(source, person)
    offered = bound.surface.strategies if explain else []
    by = by if by in offered else ""
    answer = recommend(
        use_case=bound.use_case.name,
        surface=bound.name,
        user_id=source.user_id(person),
        limit=LIMIT,
        filters={},
        explain=explain,
        strategy=by or None,
    )
    line = person_line(source, person, answer["interaction_count"])
    return PersonListPresentation(
        **_list_fields(bound, answer, before),
        person=line,
        segment=str(labels.SEGMENTS.get(line.segment, "")),
        buttons=tuple(buttons_for(source, person)),
        interaction_count=labels.interaction_count(answer["interaction_count"]),
        links=tuple(source.links(person)),
        by=by,
        engine_choices=tuple(labels.engine_choices(bound.use_case, offered)),
    )


def buttons_for(source: type[ItemSource], person: Any) -> list[tuple[str, str]]:
    """Return the events that the person may send from a page, with the texts of their buttons."""
    return [(event, labels.button(event)) for event in source.events_for(person)]


def ids_shown(request_id: str | None, user_id: str) -> list[str]:
    """Return item ids of a list that was shown to this user, the best first; none for any other list."""
    try:
        key = UUID(request_id or "")
    except ValueError:
        return []
    rows = ImpressionItem.objects.filter(impression=key, impression__user__user_id=user_id)
    return list(rows.order_by("position").values_list("item__item_id", flat=True))


def item_surfaces(source: type[ItemSource]) -> list[str]:
    """Return the names of the surfaces that show a list on an item's page."""
    surfaces = load(use_case_of(source)).surfaces.items()
    return [name for name, surface in surfaces if surface.about == "item" and surface.catalogue == source.catalogue]


def item_page(
    source: type[ItemSource], item_id: str, *, user_id: str | None, explain: bool
) -> tuple[Card, tuple[ListPresentation, ...]]:
    """Return one item and the lists about it, none of which repeats another. Raises NotFound and Gone as `recommend` does."""
    lists, shown = [], list[str]()
    for name in item_surfaces(source):
        bound = bound_surface(use_case_of(source), name)
        answer = recommend(
            use_case=bound.use_case.name, surface=name, user_id=user_id, item_ids=[item_id], limit=ITEM_PAGE_LIMIT,
            explain=explain, exclude=shown,
        )  # fmt: skip
        shown += [entry["item_id"] for entry in answer["recommendations"]]
        lists.append(ListPresentation(**_list_fields(bound, answer)))
    entry = {"item_id": item_id, "title": "", "position": 0, "reasons": (), "score": 0.0, "parts": {}}
    item = items_by_id(source=source, item_ids=[item_id]).get(item_id)
    return _card(bound_surface(use_case_of(source), item_surfaces(source)[0]), entry, item), tuple(lists)


def _list_fields(bound: BoundSurface, answer: Mapping[str, Any], before: Sequence[str] = ()) -> dict[str, Any]:
    items = items_by_id(source=bound.source, item_ids=[entry["item_id"] for entry in answer["recommendations"]])
    cards = [_card(bound, entry, items.get(entry["item_id"])) for entry in answer["recommendations"]]
    ranks = {item_id: rank for rank, item_id in enumerate(before, start=1)}
    if ranks:
        cards = [
            replace(card, position_change=labels.position_change(ranks.get(card.item_id), card.position)) for card in cards
        ]
    return {
        "heading": labels.heading(bound.name, bound.surface),
        "cards": tuple(cards),
        "request_id": answer["request_id"],
        "method": answer["method_used"],
        "method_name": labels.method_name(bound.use_case, answer["method_used"]),
        "method_description": labels.method_description(bound.use_case, answer["method_used"]),
        "skipped": (*labels.skip_messages(answer["degradation"]), *labels.relaxed_messages(answer.get("relaxed", ()))),
        "model_version": answer["model_version"],
    }


def _card(bound: BoundSurface, entry: Mapping[str, Any], item: Any | None) -> Card:
    """Join one recommendation with its item; None is an item that was deleted since, which keeps the title of the answer."""
    card = {} if item is None else bound.source.card(item)
    parts = sorted(entry["parts"].items(), key=lambda part: -part[1])
    return Card(
        item_id=entry["item_id"],
        title=card.get("title") or entry["title"] or entry["item_id"],
        position=entry["position"],
        category=card.get("category", ""),
        tags=tuple(card.get("tags", ())),
        facts=tuple(card.get("facts", ())),
        text=card.get("text", ""),
        reasons=tuple(entry["reasons"]),
        score=entry["score"],
        parts=tuple((labels.part_name(bound.use_case, name), value) for name, value in parts),
        url=card.get("url", ""),
    )
