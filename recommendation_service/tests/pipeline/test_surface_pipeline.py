from dataclasses import replace

import pytest

from recommendation_service.errors import ConfigurationError
from recommendation_service.pipeline.surface_pipeline import Plan
from recommendation_service.tests.engines import board
from recommendation_service.tests.pipeline.setting import use_case
from recommendation_service.use_cases.loader import load_all


@pytest.mark.parametrize("name", sorted(load_all()))
def test_every_use_case_of_the_package_can_be_built(name: str) -> None:
    one = load_all()[name]
    for surface in one.surfaces:
        assert Plan.build(one, surface).surface is one.surfaces[surface]


def test_stages_run_in_the_order_of_the_file() -> None:
    rerank = [{"kind": "diversity", "options": {"weight": 0.5}}, {"kind": "freshness", "options": {"days": 7}}]
    plan = Plan.build(use_case(rerank=rerank, rules=[{"kind": "max_per_category"}]), "home")
    assert [name for name, _ in plan.rerankers] == ["diversity", "freshness"]
    assert (len(plan.masks), len(plan.caps)) == (0, 1)


@pytest.mark.parametrize(
    ("surface", "told"),
    [
        (
            {"rules": [{"kind": "exclude_sen"}]},
            "rule is of kind 'exclude_sen'; there are available, exclude_seen, max_per_category",
        ),
        ({"rules": [{"kind": "max_per_category", "options": {"limits": 2}}]}, "does not know 'limits'.* facet, limit"),
        ({"rerank": [{"kind": "fresh"}]}, "rerank is of kind 'fresh'; there are diversity, freshness"),
        ({"rerank": [{"kind": "freshness", "options": {"days": "many"}}]}, "rerank freshness: days: Input should be a valid"),
        ({"router": {"kind": "fixed", "options": {"engine": "hybird"}}}, "names 'hybird'; engines are als, content_based"),
    ],
)
def test_a_typo_stops_the_start_with_use_case_surface_and_words(surface: dict[str, object], told: str) -> None:
    with pytest.raises(ConfigurationError, match=f"tiles: surface 'home'.*{told}"):
        Plan.build(use_case(**surface), "home")


def test_somebody_of_whom_nothing_is_known_is_met_by_the_engine_for_newcomers() -> None:
    plan = Plan.build(use_case(cold_start_engine="popular"), "home")
    catalogue = board.catalogue()
    stranger = board.query(catalogue)
    assert plan.route(stranger).chain == ("popular",)
    known = [
        board.query(catalogue, likes=(1,)),
        board.query(catalogue, profile={"likes": ("white",)}),
        board.query(catalogue, subject=(1,)),
    ]
    assert [plan.route(query).chain[0] for query in known] == ["content_based"] * 3
    assert plan.route(replace(stranger, strategy="als")).chain[0] == "als", "who is asked for by name goes first"


def test_no_chance_is_told_where_a_newcomers_engine_or_a_strategy_was_chosen() -> None:
    arms = ["als", "popular"]
    router = {"kind": "bandit", "options": {"arms": arms, "default": "als", "epsilon": 0.2}}
    plan = Plan.build(use_case(router=router, cold_start_engine="popular", strategies=arms), "home")
    stranger, regular = board.query(board.catalogue()), board.query(board.catalogue(), likes=(1,))
    assert plan.route(stranger).probabilities == {}
    assert plan.route(replace(regular, strategy="als")).probabilities == {}
    assert sum(plan.route(regular).probabilities.values()) == pytest.approx(1.0)
