"""Members whose scores are of one scale already, and members that cannot read offers."""

from collections.abc import Mapping
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from recommendation_service.domain.query import Query
from recommendation_service.domain.request import Offer
from recommendation_service.engines.base import Engine
from recommendation_service.engines.ensemble import Ensemble
from recommendation_service.errors import ConfigurationError
from recommendation_service.pipeline.resolve import offered
from recommendation_service.tests.engines import board
from recommendation_service.tests.engines.calls import candidates, skips
from recommendation_service.tests.engines.says import Says, asked
from recommendation_service.use_cases.options import checked

NAN = float("nan")
SHIPPED = {"rule_based": 0.6, "neural": 0.4}
hundreds = st.lists(st.floats(0, 100, width=32), min_size=4, max_size=4)


class Reads(Says):
    reads_offers = True


def blended(rule_based: list[float], neural: list[float], weights: Mapping[str, float] = SHIPPED) -> Ensemble:
    members: dict[str, Engine] = {"rule_based": Reads("rule_based", rule_based), "neural": Reads("neural", neural)}
    return Ensemble.from_members("ensemble", members, members=weights, scale="as_scored")


def offers(*ids: str) -> Query:
    items, side = offered([Offer(item_id=one) for one in ids], "board")
    return replace(board.query(items), offered=side)


def test_the_blend_of_85_and_92_is_what_the_formula_says() -> None:
    scores = blended([85, 40, 60, 10], [92, 50, 20, 30]).scores(asked())
    assert scores is not None
    assert scores[0] == pytest.approx(0.6 * 85 + 0.4 * 92)
    assert scores[0] == pytest.approx(87.8)


@given(one=hundreds, other=hundreds, weight=st.floats(0.05, 0.95))
def test_as_scored_is_the_plain_weighted_mean(one: list[float], other: list[float], weight: float) -> None:
    scores = blended(one, other, {"rule_based": weight, "neural": 1 - weight}).scores(asked())
    wanted = weight * np.array(one) + (1 - weight) * np.array(other)
    np.testing.assert_allclose(scores, wanted, rtol=1e-4, atol=1e-4)


def test_the_shares_are_on_the_members_scale_and_sum_to_the_score() -> None:
    found = candidates(blended([85, 40, 60, 10], [92, 50, 20, 30]), asked(), 1)
    assert found is not None
    assert set(found.parts) == {"rule_based", "neural"}
    assert found.parts["rule_based"][0] == pytest.approx(51.0)
    assert found.parts["neural"][0] == pytest.approx(36.8)


def test_a_row_that_one_member_cannot_score_keeps_the_others_score() -> None:
    scores = blended([85, 40, 60, 10], [NAN, 50, 20, 30]).scores(asked())
    assert scores is not None
    assert scores[0] == pytest.approx(85)


def test_a_row_that_is_not_eligible_has_no_score() -> None:
    scores = blended([85, 40, 60, 10], [92, 50, 20, 30]).scores(asked(eligible=[False, True, True, True]))
    assert scores is not None
    assert np.isnan(scores).tolist() == [True, False, False, False]


def test_one_scale_for_all_stays_what_it_was_unless_the_file_says_otherwise() -> None:
    members: dict[str, Engine] = {"rule_based": Says("rule_based", [0, 50]), "neural": Says("neural", [10, 20])}
    scores = Ensemble.from_members("ensemble", members, members=SHIPPED).scores(asked(2))
    assert scores is not None
    assert scores.tolist() == [0.0, 1.0]


def test_a_scale_that_is_none_stops_the_start() -> None:
    with pytest.raises(ConfigurationError, match="scale: Input should be 'unit' or 'as_scored'"):
        checked(Ensemble.from_members, {"members": SHIPPED, "scale": "loud"}, where="cleaning: engine 'ensemble', ensemble")


def test_members_that_read_offers_are_blended_over_the_offers() -> None:
    ensemble = blended([85, 40], [92, 50])
    scores = ensemble.scores(offers("a", "b"))
    assert scores is not None
    assert scores.shape == (2,)
    assert skips(ensemble, offers("a", "b")) == ()


def test_a_member_that_knows_the_export_only_is_missing_and_never_asked() -> None:
    export, rules, network = Says("als", [1.0] * 24), Reads("rule_based", [85, 40]), Reads("neural", [92, 50])
    members: dict[str, Engine] = {"als": export, "rule_based": rules, "neural": network}
    ensemble = Ensemble.from_members("ensemble", members, members={**SHIPPED, "als": 0.5}, scale="as_scored")
    query = offers("a", "b")
    scores = ensemble.scores(query)
    assert scores is not None
    assert scores[0] == pytest.approx(87.8)
    (missing,) = skips(ensemble, query)
    assert (missing.engine, missing.code) == ("als", "partial")
    assert "knows only the items of the export" in missing.detail
    assert export.asked == 0


def test_candidates_are_never_generated_from_rows_of_the_export() -> None:
    members: dict[str, Engine] = {"als": Says("als", [1.0] * 24), "rule_based": Reads("rule_based", [85, 40])}
    ensemble = Ensemble.from_members(
        "ensemble", members, members={"als": 0.5, "rule_based": 0.5}, candidate_generators={"als": 5}, min_members=1
    )
    assert ensemble.scores(offers("a", "b")) is None


def test_too_few_members_that_read_offers_is_nothing_to_say() -> None:
    members: dict[str, Engine] = {"als": Says("als", [1.0] * 24), "rule_based": Reads("rule_based", [85, 40])}
    ensemble = Ensemble.from_members("ensemble", members, members={"als": 0.5, "rule_based": 0.5})
    assert candidates(ensemble, offers("a", "b"), 2) is None
