"""Wishes that meet the checkerboard's tiles: who wishes for a colour suits the tiles of it."""

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from recommendation_service.domain.catalogue import Catalogue
from recommendation_service.domain.query import Query
from recommendation_service.domain.side import PairSide
from recommendation_service.tests.engines import board
from recommendation_service.use_cases.schema import PairConfig

PAIR_CONFIG = PairConfig.model_validate({"left": "wishes", "right": "board", "owner_column": {"board": "id"}})
PARTS = {
    "colour": {
        "weight": 0.7,
        "kind": "speciality",
        "options": {"wanted": "wish", "known_for": "shade", "eco_wanted": "none", "eco_share": "none", "other": 0.0},
        "reason_template": {"board": "The colour of wish {number:.0f}", "wishes": "Wishes for your colour"},
    },
    "size": {"weight": 0.3, "kind": "level", "options": {"of": "size"}, "reason_template": {"board": "Large ({size:.0f})"}},
}


def with_side(of: Catalogue) -> Catalogue:
    """The tiles with what is known of each: its colour, and a size from 0 to 92 by its number."""
    numbers = [{"size": 4.0 * int(one.removeprefix("item-"))} for one in of.ids.ids()]
    words = [{"shade": board.colour(int(one.removeprefix("item-")))} for one in of.ids.ids()]
    return replace(of, side=PairSide.of(of.ids.ids(), numbers, words))


def wish(colour: str, number: float = 0.0) -> PairSide:
    return PairSide.of(["wish"], [{"number": number}], [{"wish": colour}])


def asked(of: Catalogue, likes: Sequence[int] = (), **words: Any) -> Query:
    """The request of a wish for the colour of the newest of these; without any there is no wish."""
    context = wish(board.colour(likes[0]), likes[0]) if likes else None
    return replace(board.query(with_side(of), likes, **words), context=context)
