"""Rules and rerankers of a surface about a context: over the export's items, and over offers that the export never saw."""

from dataclasses import replace
from typing import Any

import numpy as np

from recommendation_service.domain.answer import Answer
from recommendation_service.domain.request import Context, Offer, RecommendationRequest
from recommendation_service.engines.base import Engine
from recommendation_service.engines.popularity import Popularity
from recommendation_service.engines.rule_based import RuleBased
from recommendation_service.services.recommendation_service import RecommendationService
from recommendation_service.services.runtime import CatalogueRuntime, Runtime, UseCaseRuntime
from recommendation_service.tests.engines import board, pairs_of_tiles
from recommendation_service.tests.engines.pairs_of_tiles import PARTS
from recommendation_service.use_cases.schema import UseCase

STAGES = [{"kind": "freshness"}, {"kind": "diversity", "options": {"weight": 0.1}}]
RULES = [{"kind": "available"}, {"kind": "max_per_category", "options": {"limit": 3}}]


def slate(**words: Any) -> Answer:
    """What is answered to a wish for black; of the export, only every third tile can be had."""
    use_case = UseCase.model_validate(
        {
            "name": "tiles",
            "catalogues": ["board", "wishes"],
            "events": {"like": 1.0},
            "pairs": {"left": "wishes", "right": "board", "owner_column": {"board": "id"}},
            "engines": {
                "rules": {"kind": "attributes", "options": {"parts": PARTS}},
                "popular": {"kind": "popularity"},
            },
            "surfaces": {
                "for-wish": {
                    "catalogue": "board",
                    "about": "context",
                    "context": "wishes",
                    "router": {"kind": "fixed", "options": {"engine": "rules"}},
                    "fallback": ["rules", "popular"],
                    "rerank": STAGES,
                    "rules": RULES,
                }
            },
        }
    )
    assert use_case.pairs is not None
    tiles = replace(pairs_of_tiles.with_side(board.catalogue()), available=np.arange(board.N) % 3 == 0)
    engines: dict[str, Engine] = {
        "rules": RuleBased("rules", tiles, pair_config=use_case.pairs, parts=PARTS),
        "popular": Popularity("popular", tiles),
    }
    service = RecommendationService(Runtime.of([UseCaseRuntime(use_case, {"board": CatalogueRuntime(tiles, engines)})]))
    wish = Context(id="w1", numbers={"number": 1.0}, text_columns={"wish": "black"})
    return service.recommend(
        RecommendationRequest(context=wish, explain=True, **words), use_case="tiles", surface="for-wish", now=board.NOW
    )


def test_what_cannot_be_had_now_is_left_out_and_categories_are_capped() -> None:
    found = slate(limit=6)
    numbers = [int(one.item_id.removeprefix("item-")) for one in found.recommendations]
    assert all(number % 3 == 0 for number in numbers)
    assert [board.colour(number) for number in numbers[:3]] == ["black"] * 3
    assert [sum(board.colour(number) == colour for number in numbers) for colour in board.COLOURS] == [3, 3]
    assert {"freshness", "diversity"} <= set(found.recommendations[0].parts)


def test_offers_can_all_be_had_and_no_stage_looks_at_the_exports_rows() -> None:
    offers = tuple(
        Offer(
            item_id=f"item-{place:03d}",
            numbers={"size": 50.0 + place},
            text_columns={"shade": "black"},
            title=f"Offer {place}",
        )
        for place in range(30)
    )
    found = slate(limit=30, offers=offers)
    assert found.method_used == "rules"
    assert [one.title for one in found.recommendations] == [f"Offer {place}" for place in reversed(range(30))]
    for one in found.recommendations:
        assert one.score == one.parts["rules"]  # nothing is known of their age or kind, so nothing moves them
        assert not one.parts.get("freshness")
    assert found.degradation == []
