import pytest

from recommendation_service.errors import ConfigurationError
from recommendation_service.pipeline.plan import Plan
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
    assert (len(plan.masks), len(plan.trims)) == (0, 1)


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
