import pytest

from recommendation_service.kinds import KINDS
from recommendation_service.training.comparison.methods import cost_of
from recommendation_service.use_cases.loader import load, names

COSTS = {name: kind.cost for name, kind in KINDS.items() if kind.cost is not None}


def test_every_kind_that_answers_a_person_has_its_place_and_a_reason():
    assert set(COSTS) == {name for name, kind in KINDS.items() if kind.role == "engine" and not kind.about_pairs}
    assert all(cost.reason for cost in COSTS.values())


def test_the_order_is_the_stated_one():
    ranks = {kind: cost.rank for kind, cost in COSTS.items()}
    assert ranks["popularity"] < ranks["ease"] == ranks["next_item"] == ranks["co_occurrence"] < ranks["content"]
    assert ranks["content"] < ranks["als"] < ranks["embedding"] == ranks["margin"] == ranks["two_tower"] < ranks["ensemble"]


def test_an_ensemble_of_ensembles_is_dearer_than_its_members():
    shop = load("shop")
    assert cost_of(shop, "similar_users") < cost_of(shop, "collaborative") < cost_of(shop, "hybrid")


@pytest.mark.parametrize("name", names())
def test_engines_of_every_site_have_a_place_unless_they_are_about_pairs(name):
    use_case = load(name)
    for engine, part in use_case.engines.items():
        assert (cost_of(use_case, engine) is None) == KINDS[part.kind].about_pairs
