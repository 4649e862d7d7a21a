"""One person's list, made ready to be shown."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any
from uuid import UUID

from storefront import labels
from storefront.people import PersonLine, line_of, place_for
from tandem.models import ImpressionItem
from tandem.selectors.items import items_by_id
from tandem.services.recommend import recommend
from tandem.sources import ItemSource, use_case_of
from tandem.surfaces import BoundSurface, bound_surface
from tandem.use_cases import load

LIMIT = 10
LIMIT_AROUND = 6


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
    parts: tuple[tuple[str, float], ...]  # engine's short word and its share; empty unless asked for
    url: str  # the item's own page; empty where it has none
    moved: str = ""  # how its place differs from the one on the list before; empty where it does not, or there was none


@dataclass(frozen=True, slots=True)
class Shown:
    """Everything the page says about one person's list."""

    person: PersonLine
    segment: str
    cards: tuple[Card, ...]
    request_id: str
    method: str  # the engine's name, as the answer says it
    method_name: str
    method_in_words: str
    skipped: tuple[str, ...]
    model_version: str
    buttons: tuple[tuple[str, str], ...]  # event and its word
    counted: str
    links: tuple[tuple[str, str], ...]  # word and address of the site's own pages about this person
    by: str  # the engine that was asked for by name; empty: the site chose
    ways: tuple[tuple[str, str], ...]  # engines that may be asked for, and their words; empty for who may not choose


def shown_to(source: type[ItemSource], person: Any, *, explain: bool, by: str = "", before: Sequence[str] = ()) -> Shown:
    """Ask for the person's list and join it with the site's own items.

    Who may see explanations may ask for one engine, `by`, where the surface offers it. `before` are the ids that were
    shown until now, the best first, without the one that was clicked: cards then tell how their places changed.
    """
    bound = place_for(source, person)
    user_id = source.user_id(person)
    offered = bound.surface.strategies if explain else []
    by = by if by in offered else ""
    answer = recommend(
        use_case=bound.use_case.name,
        surface=bound.name,
        user_id=user_id,
        limit=LIMIT,
        filters={},
        explain=explain,
        strategy=by or None,
    )
    line = line_of(source, person, answer["interaction_count"])
    use_case, method = bound.use_case, answer["method_used"]
    return Shown(
        person=line,
        segment=labels.SEGMENTS.get(line.segment, ""),
        cards=tuple(_marked(cards_of(bound, answer["recommendations"]), before)),
        request_id=answer["request_id"],
        method=method,
        method_name=labels.method_name(use_case, method),
        method_in_words=labels.method_in_words(use_case, method),
        skipped=tuple(labels.skips_in_words(answer["degradation"])),
        model_version=answer["model_version"],
        buttons=tuple((event, labels.button(event)) for event in source.events_for(person)),
        counted=labels.counted(answer["interaction_count"]),
        links=tuple(source.links(person)),
        by=by,
        ways=tuple(labels.ways(use_case, offered)),
    )


def ids_shown(request_id: str | None, user_id: str) -> list[str]:
    """Items of a list that this person was shown, the best first; nothing for any other list."""
    try:
        wanted = UUID(request_id or "")
    except ValueError:
        return []
    found = ImpressionItem.objects.filter(impression=wanted, impression__user__user_id=user_id)
    return list(found.order_by("position").values_list("item__item_id", flat=True))


def _marked(cards: Sequence[Card], before: Sequence[str]) -> list[Card]:
    places = {item_id: place for place, item_id in enumerate(before, start=1)}
    if not places:
        return list(cards)
    return [replace(card, moved=labels.moved(places.get(card.item_id), card.position)) for card in cards]


@dataclass(frozen=True, slots=True)
class Around:
    """One list around an item."""

    heading: str
    cards: tuple[Card, ...]
    request_id: str
    method_in_words: str
    skipped: tuple[str, ...]
    model_version: str


@dataclass(frozen=True, slots=True)
class ItemShown:
    """Everything the page says about one item."""

    card: Card
    lists: tuple[Around, ...]


def item_surfaces(source: type[ItemSource]) -> list[str]:
    """The surfaces that show something around an item of this site."""
    surfaces = load(use_case_of(source)).surfaces.items()
    return [name for name, surface in surfaces if surface.about == "item" and surface.catalogue == source.catalogue]


def item_shown(source: type[ItemSource], item_id: str, *, user_id: str | None, explain: bool) -> ItemShown:
    """One item and every list around it. Raises NotFound and Gone as `recommend` does."""
    around = []
    for name in item_surfaces(source):
        bound = bound_surface(use_case_of(source), name)
        answer = recommend(
            use_case=bound.use_case.name, surface=name, user_id=user_id, item_ids=[item_id], limit=LIMIT_AROUND, explain=explain
        )
        around.append(_around(bound, answer))
    bound = bound_surface(use_case_of(source), item_surfaces(source)[0])
    served = {"item_id": item_id, "title": "", "position": 0, "reasons": (), "score": 0.0, "parts": {}}
    found = items_by_id(source=source, item_ids=[item_id])
    return ItemShown(_card(bound, served, found.get(item_id)), tuple(around))


def _around(bound: BoundSurface, answer: Mapping[str, Any]) -> Around:
    return Around(
        heading=labels.heading(bound.name, bound.surface),
        cards=tuple(cards_of(bound, answer["recommendations"])),
        request_id=answer["request_id"],
        method_in_words=labels.method_in_words(bound.use_case, answer["method_used"]),
        skipped=tuple(labels.skips_in_words(answer["degradation"])),
        model_version=answer["model_version"],
    )


def cards_of(bound: BoundSurface, recommendations: Sequence[Mapping[str, Any]]) -> list[Card]:
    """A card per recommendation; an item that is gone since keeps the title that the answer gave."""
    found = items_by_id(source=bound.source, item_ids=[item["item_id"] for item in recommendations])
    return [_card(bound, item, found.get(item["item_id"])) for item in recommendations]


def _card(bound: BoundSurface, served: Mapping[str, Any], item: Any | None) -> Card:
    card = {} if item is None else bound.source.card(item)
    parts = sorted(served["parts"].items(), key=lambda part: -part[1])
    return Card(
        item_id=served["item_id"],
        title=card.get("title") or served["title"] or served["item_id"],
        position=served["position"],
        category=card.get("category", ""),
        tags=tuple(card.get("tags", ())),
        facts=tuple(card.get("facts", ())),
        text=card.get("text", ""),
        reasons=tuple(served["reasons"]),
        score=served["score"],
        parts=tuple((labels.part_name(bound.use_case, name), value) for name, value in parts),
        url=card.get("url", ""),
    )
