from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from recommendation_service.domain.query import Query
from recommendation_service.engines.bandit import Bandit
from recommendation_service.engines.router import Policy
from recommendation_service.errors import ConfigurationError
from recommendation_service.pipeline.surface_pipeline import build_router
from recommendation_service.tests.engines import board
from recommendation_service.use_cases.schema import Part

ARMS = ("two_tower", "popularity", "content", "hybrid")
plays = st.dictionaries(st.sampled_from(ARMS), st.integers(0, 1_000))


def asked(chance: float) -> Query:
    return replace(board.query(board.catalogue(4)), chance=chance)


def chances_of(bandit: Bandit, among: int = 2_000) -> dict[str, float]:
    """How often each arm goes first over evenly spread chances."""
    found = [bandit.choose(asked((place + 0.5) / among)) for place in range(among)]
    return {arm: found.count(arm) / among for arm in bandit.engines()}


def learned(**means: float) -> Policy:
    return Policy("bandit_v1", dict.fromkeys(means, 100), {arm: 100 * mean for arm, mean in means.items()})


def test_on_the_first_day_the_default_leads_and_every_other_arm_is_tried() -> None:
    bandit = Bandit(None, arms=ARMS, epsilon=0.2, default="hybrid")
    told = bandit.probabilities(asked(0))
    assert told["hybrid"] == pytest.approx(0.85)
    assert told["content"] == pytest.approx(0.05)
    assert chances_of(bandit) == pytest.approx(told, abs=1e-3)


def test_the_arm_that_brought_most_leads() -> None:
    bandit = Bandit(learned(two_tower=0.1, content=0.4, hybrid=0.3), arms=ARMS, default="hybrid")
    assert max(bandit.probabilities(asked(0)).items(), key=lambda pair: pair[1])[0] == "content"
    assert bandit.choose(asked(0.5)) == "content"


def test_an_arm_with_too_few_lists_never_leads_however_lucky() -> None:
    lucky = Policy("bandit_v1", {"hybrid": 500, "content": 19}, {"hybrid": 5.0, "content": 19.0})
    assert Bandit(lucky, arms=ARMS, default="hybrid").choose(asked(0.9)) == "hybrid"
    enough = Policy("bandit_v1", {"hybrid": 500, "content": 20}, {"hybrid": 5.0, "content": 20.0})
    assert Bandit(enough, arms=ARMS, default="hybrid").choose(asked(0.5)) == "content"


def test_a_default_that_never_gets_to_play_does_not_lead_for_ever() -> None:
    never_trained = Policy("bandit_v1", {"popularity": 30}, {"popularity": 1.0})
    assert Bandit(never_trained, arms=ARMS, default="hybrid").choose(asked(0.5)) == "popularity"


def test_among_equals_the_default_leads_then_the_order_of_the_file() -> None:
    assert Bandit(learned(two_tower=0.2, hybrid=0.2), arms=ARMS, default="hybrid").choose(asked(0.9)) == "hybrid"
    assert Bandit(learned(two_tower=0.2, content=0.2), arms=ARMS, default="hybrid").choose(asked(0.5)) == "two_tower"


@given(
    plays=plays,
    worth=st.floats(0, 1),
    epsilon=st.floats(0, 1),
    floor=st.floats(0, 0.25),
    chance=st.floats(0, 1, exclude_max=True),
)
def test_probabilities_sum_to_one_and_none_is_below_the_floor(
    plays: dict[str, int], worth: float, epsilon: float, floor: float, chance: float
) -> None:
    policy = Policy("bandit_v1", plays, {arm: worth * count for arm, count in plays.items()})
    bandit = Bandit(policy, arms=ARMS, epsilon=epsilon, floor=floor)
    told = bandit.probabilities(asked(chance))
    assert set(told) == set(ARMS)
    assert sum(told.values()) == pytest.approx(1, abs=1e-12)
    assert min(told.values()) >= floor - 1e-12
    assert told[bandit.choose(asked(chance))] > 0 or epsilon == 0


@given(epsilon=st.floats(0, 1), leading=st.sampled_from(ARMS))
def test_the_choice_has_the_chances_it_tells(epsilon: float, leading: str) -> None:
    bandit = Bandit(None, arms=ARMS, epsilon=epsilon, default=leading, floor=0)
    edges = np.cumsum(list(bandit.probabilities(asked(0)).values()))
    for arm, low, high in zip(ARMS, [0, *edges], edges, strict=False):
        if high - low > 1e-9:
            assert bandit.choose(asked(float((low + high) / 2))) == arm


def test_the_same_request_gets_the_same_arm() -> None:
    bandit = Bandit(None, arms=ARMS, epsilon=1.0)
    assert {bandit.choose(asked(0.3)) for _ in range(5)} == {bandit.choose(asked(0.3))}


def test_the_start_up_line_names_who_leads() -> None:
    line = Bandit(None, arms=("hybrid", "content"), epsilon=0.1).summary({"hybrid": "ensemble"})
    assert line == "bandit: ensemble leads with 0.95, tried besides: content (epsilon 0.1)"


@pytest.mark.parametrize(
    ("options", "told"),
    [
        ({"arms": ["hybrid"]}, "arms must be 2 or more"),
        ({"arms": ["hybrid", "hybrid"]}, "arms must be 2 or more different"),
        ({"arms": ["hybrid", "content"], "default": "als"}, "default 'als' is not one of its arms hybrid, content"),
        ({"arms": ["hybrid", "content"], "epsilon": 1.5}, "epsilon must be 0 to 1"),
        ({"arms": ["hybrid", "content"], "floor": 0.6}, "floor 0 to 0.5"),
        ({"arms": ["hybrid", "content"], "rewards": {"click": 3}}, "reward of click must be 0 to 1, not 3"),
        ({"arms": ["hybrid", "content"], "epsilom": 0.1}, "does not know 'epsilom'"),
    ],
)
def test_options_that_contradict_each_other_stop_the_start(options: dict[str, object], told: str) -> None:
    with pytest.raises(ConfigurationError, match=f"courses: surface 'home', router bandit.*{told}"):
        build_router(Part(kind="bandit", options=options), where="courses: surface 'home'")


def test_a_surface_builds_it_with_what_was_learned() -> None:
    part = Part(kind="bandit", options={"arms": ["hybrid", "content"], "rewards": {"enroll": 1.0}})
    assert build_router(part, where="here", policy=learned(content=0.9, hybrid=0.1)).choose(asked(0.5)) == "content"
