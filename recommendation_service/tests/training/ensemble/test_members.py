import numpy as np
import pytest

from recommendation_service.tests.support.materials import club_panel
from recommendation_service.training.ensemble.members import ask_members, kinds_of
from recommendation_service.use_cases.loader import load
from recommendation_service.use_cases.schema import Part


class Says:
    """The same scores for everybody; what is not above `min_score` it has nothing to say for."""

    min_score = 0.0

    def __init__(self, panel, seed):
        self.given = np.random.default_rng(seed).normal(size=len(panel.material.catalogue)).astype(np.float32)
        self.asked = 0

    def scores(self, query):
        self.asked += 1
        return self.given


@pytest.fixture(scope="module")
def panel():
    return club_panel()[1]


def case(**options):
    startups = load("startups")
    return startups.model_copy(update={"engines": {**startups.engines, "ensemble": Part(kind="ensemble", options=options)}})


def test_members_that_are_not_there_leave_their_stated_weight_to_the_others(panel):
    use_case = case(members={"als": 0.6, "two_tower": 0.2, "popular": 0.2})
    found = ask_members(use_case, "ensemble", {"als": Says(panel, 1), "popular": Says(panel, 2)}, panel)
    assert found.configured == pytest.approx({"als": 0.75, "popular": 0.25})
    assert found.comparable
    assert found.candidates is None


def test_what_may_be_learned_is_asked_too_and_has_no_stated_weight(panel):
    found = ask_members(
        case(members={"als": 1.0}, learnable_members=["popular"]),
        "ensemble",
        {"als": Says(panel, 1), "popular": Says(panel, 2)},
        panel,
    )
    assert found.configured == {"als": 1.0, "popular": 0.0}


@pytest.mark.parametrize("there", [(), ("als",), ("popular",)])
def test_one_member_or_none_with_a_weight_is_nothing_to_compare(panel, there):
    engines = {name: Says(panel, 1) for name in there}
    found = ask_members(case(members={"als": 0.5, "two_tower": 0.5}, learnable_members=["popular"]), "ensemble", engines, panel)
    assert not found.comparable


def test_scores_that_are_known_are_not_asked_for_again(panel):
    engines = {"als": Says(panel, 1), "two_tower": Says(panel, 2)}
    known = np.zeros(panel.eligible.shape, dtype=np.float32)
    found = ask_members(case(members={"als": 0.5, "two_tower": 0.5}), "ensemble", engines, panel, {"als": known})
    assert found.scores["als"] is known
    assert (engines["als"].asked, engines["two_tower"].asked) == (0, len(panel))


def test_candidates_are_eligible_and_above_what_a_member_has_nothing_to_say_for(panel):
    engines = {"als": Says(panel, 1), "two_tower": Says(panel, 2)}
    use_case = case(members={"als": 0.5, "two_tower": 0.5}, candidate_generators={"als": 500})
    found = ask_members(use_case, "ensemble", engines, panel)
    assert np.array_equal(found.candidates, panel.eligible & (engines["als"].given > 0))


def test_kinds_go_through_every_ensemble_inside():
    kinds = {"ensemble", "embedding", "similar_users", "co_occurrence", "popularity", "ease", "next_item"}
    assert kinds_of(load("shop"), "hybrid") == kinds
    assert kinds_of(load("shop"), "similar_users") == {"similar_users"}
