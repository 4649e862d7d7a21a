"""Rules over pairs, as an engine."""

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from recommendation_service.domain.catalogue import Catalogue
from recommendation_service.domain.query import Query
from recommendation_service.domain.request import Offer
from recommendation_service.domain.side import PairSide
from recommendation_service.engines.base import Engine
from recommendation_service.engines.rule_based import RuleBased
from recommendation_service.errors import ConfigurationError
from recommendation_service.pipeline.resolve import offered
from recommendation_service.tests.engines import board, pairs_of_tiles
from recommendation_service.tests.engines.calls import best_reason, candidates, reasons
from recommendation_service.tests.engines.contract import EngineContract
from recommendation_service.tests.engines.pairs_of_tiles import PAIR_CONFIG, PARTS, asked, wish
from recommendation_service.use_cases.loader import load

HIGH_QUALITY = {"overall_score": 90.0, "base_latitude": 37.98, "base_longitude": 23.73, "usual_rate": 15.0}
JOB = {"latitude": 37.98, "longitude": 23.73, "hours": 3.0, "budget": 60.0, "eco_wanted": 0.0}


def rules(parts: dict[str, Any] | None = None) -> RuleBased:
    return RuleBased("rule_based", board.catalogue(), pair_config=PAIR_CONFIG, parts=PARTS if parts is None else parts)


class TestAttributes(EngineContract):
    trained = False
    shared = False

    def build(self, catalogue: Catalogue, order: Sequence[int]) -> Engine:
        return rules()

    def asked(self, of: Catalogue, likes: Sequence[int] = (), **words: Any) -> Query:
        return asked(of, likes, **words)


def cleaning() -> tuple[RuleBased, Query]:
    """The shipped rules, one job in the middle of Athens, and two cleaners: one near and good, one of whom little is known."""
    use_case = load("cleaning")
    assert use_case.pairs is not None
    offers = [
        Offer(item_id="8", numbers={"overall_score": 40.0, "usual_rate": 40.0}, text_columns={}, title="Nikos"),
        Offer(
            item_id="7",
            numbers={**HIGH_QUALITY, "jobs_a_week": 10, "jobs_ahead": 2, "is_available": 1},
            text_columns={"primary_property_type": "flat"},
        ),
    ]
    catalogue, side = offered(offers, "cleaners")
    engine = RuleBased("rule_based", catalogue, pair_config=use_case.pairs, **use_case.engines["rule_based"].options)
    context = PairSide.of(["5"], [JOB], [{"property_type": "flat"}])
    return engine, replace(board.query(catalogue), context=context, offered=side)


def test_the_score_is_the_weighted_mean_of_the_parts() -> None:
    engine, query = cleaning()
    scores = engine.scores(query)
    assert scores is not None
    # 90 quality, 100 near, 100 kind, pricing 45 of 60 is 0.75: (1.4 - 0.75) / 0.7, availability 8 of 10 days
    pricing = 100 * (1.4 - 0.75) / 0.7
    wanted = 0.35 * 90 + 0.20 * 100 + 0.15 * 100 + 0.20 * pricing + 0.10 * 80
    np.testing.assert_allclose(scores[0], wanted, rtol=1e-5)


def test_a_part_of_which_nothing_is_known_leaves_its_weight_to_the_others() -> None:
    engine, query = cleaning()
    scores = engine.scores(query)
    assert scores is not None
    # 40 quality, and 0 for a price of twice the budget; neither where, nor what kind, nor how much time is told
    np.testing.assert_allclose(scores[1], (0.35 * 40 + 0.20 * 0) / 0.55, rtol=1e-5)


def test_parts_are_the_total_and_what_each_rule_gave() -> None:
    engine, query = cleaning()
    found = candidates(engine, query, 10)
    assert found is not None
    assert found.rows.tolist() == [0, 1]
    assert set(found.parts) == {"rule_based", "quality", "location", "specialization", "pricing", "availability"}
    np.testing.assert_array_equal(found.parts["rule_based"], found.scores)
    np.testing.assert_allclose(found.parts["quality"], [90, 40])
    assert np.isnan(found.parts["location"][1])


def test_reasons_are_the_sentences_of_the_file_what_adds_most_first() -> None:
    engine, query = cleaning()
    said = reasons(engine, query, 0)
    assert [one.text for one in said] == [
        "High quality score (90/100)",
        "Nearby location (0.0 km away)",
        "Fits the budget (about €45 of €60)",
        "Specializes in this property type",
        "Has time this week",
    ]
    assert [one.strength for one in said] == sorted((one.strength for one in said), reverse=True)
    assert all(one.personal and one.engine == "rule_based" for one in said)
    assert best_reason(engine, query, 0) == said[0]


def test_what_is_not_clearly_good_is_no_reason() -> None:
    engine, query = cleaning()
    assert reasons(engine, query, 1) == ()
    assert best_reason(engine, query, 1) is None


def test_both_directions_give_one_pair_one_score_and_each_its_own_words() -> None:
    tiles = pairs_of_tiles.with_side(board.catalogue(2))
    forwards = replace(board.query(tiles), context=wish("white", 3))
    wishes, side = offered([Offer(item_id="wish", numbers={"number": 3.0}, text_columns={"wish": "white"})], "wishes")
    assert tiles.side is not None
    backwards = replace(board.query(wishes), context=tiles.side.take(np.array([0])), offered=side)
    engine = rules()
    one, other = engine.scores(forwards), engine.scores(backwards)
    assert one is not None
    assert other is not None
    assert one[0] == other[0] == pytest.approx(70)
    assert reasons(engine, forwards, 0)[0].text == "The colour of wish 3"
    assert reasons(engine, backwards, 0)[0].text == "Wishes for your colour"


@pytest.mark.parametrize("missing", ["context", "side", "a paired catalogue", "offers"])
def test_without_a_pair_it_passes(missing: str) -> None:
    tiles = board.catalogue(4) if missing == "side" else pairs_of_tiles.with_side(board.catalogue(4))
    tiles = replace(tiles, name="elsewhere") if missing == "a paired catalogue" else tiles
    query = replace(board.query(tiles), context=None if missing == "context" else wish("white"))
    query = replace(query, offered=PairSide(())) if missing == "offers" else query
    assert rules().scores(query) is None
    assert candidates(rules(), query, 3) is None
    assert reasons(rules(), query, 0) == ()


def test_offers_are_scored_in_their_own_rows_whatever_the_export_says() -> None:
    tiles = pairs_of_tiles.with_side(board.catalogue())
    items, side = offered([Offer(item_id="item-001", numbers={"size": 100.0}, text_columns={"shade": "white"})], "board")
    scores = rules().scores(replace(board.query(items), context=wish("white"), offered=side))
    assert scores is not None
    assert scores.tolist() == [100.0]
    assert tiles.side is not None
    assert tiles.side.text_columns["shade"][1] == "black"


def test_nothing_known_of_any_pair_is_nothing_to_say() -> None:
    items, side = offered([Offer(item_id="a"), Offer(item_id="b")], "board")
    query = replace(board.query(items), context=wish("white"), offered=side)
    assert candidates(rules(), query, 5) is None


def test_a_wrong_part_stops_the_start_and_says_where() -> None:
    with pytest.raises(ConfigurationError, match="engine 'rule_based': part 'colour' does not know 'wieght'"):
        rules({"colour": {"wieght": 1}})
