"""The bandit in a serving process: taken up while it serves, refused when damaged, told in every answer."""

from collections.abc import Mapping
from pathlib import Path

import pytest

from recommendation_service.domain.answer import Answer
from recommendation_service.domain.request import RecommendationRequest
from recommendation_service.histories.outcomes import Played
from recommendation_service.services.serving import ServingState
from recommendation_service.tests.support.exports import NOW, Happening, clubs, write_export
from recommendation_service.tests.support.service import publish, settings_under, store_under
from recommendation_service.training.models.bandit import arrays_of, tally
from recommendation_service.use_cases.loader import load
from recommendation_service.wiring import build_live

ARMS = ("hybrid", "two_tower", "content", "popularity")


@pytest.fixture
def site(tmp_path: Path) -> Path:
    records, happenings, profiles = clubs()
    enrolled = [Happening(one.user_id, one.item_id, "enroll", one.time) for one in happenings]
    write_export(tmp_path / "data", load("courses"), records, enrolled, profiles)
    for kind in ("two_tower", "content"):
        publish(tmp_path, kind, catalogue="courses")
    return tmp_path


def live(site: Path, **more: str) -> ServingState:
    return build_live(settings_under(site, RS_USE_CASES="courses", **more))


def teach(site: Path, arm: str) -> None:
    log = [Played(one, 0.25, "enroll" if one == arm else "") for one in ARMS for _ in range(30)]
    publish(site, "bandit", arrays_of(tally(log), ARMS, {"enroll": 1.0}), catalogue="courses")


def ask(serving: ServingState, request_id: str = "r", **more: str) -> Answer:
    recommender = serving.serving.recommender
    return recommender.recommend(
        RecommendationRequest(user_id="u003", request_id=request_id, **more),  # type: ignore[arg-type]  # text only
        use_case="courses",
        surface="home",
        now=NOW,
    )


def leader(probabilities: Mapping[str, float]) -> str:
    return max(probabilities, key=lambda arm: probabilities[arm])


def test_every_answer_of_chance_tells_chances_that_sum_to_one(site: Path) -> None:
    serving = live(site)
    slates = [ask(serving, f"request-{place}") for place in range(200)]
    for slate in slates:
        assert set(slate.probabilities) == set(ARMS)
        assert sum(slate.probabilities.values()) == pytest.approx(1, abs=1e-12)
        assert slate.probabilities[slate.method_used] > 0
    assert {slate.method_used for slate in slates} >= {"hybrid", "popularity"}
    assert sum(slate.method_used == "hybrid" for slate in slates) > 150


def test_the_same_request_gets_the_same_arm_again(site: Path) -> None:
    serving = live(site)
    assert ask(serving, "again").method_used == ask(serving, "again").method_used


def test_an_asked_for_strategy_wins_and_leaves_no_chances_to_learn_from(site: Path) -> None:
    for strategy in ARMS:
        slate = ask(live(site), strategy=strategy)
        assert (slate.method_used, slate.probabilities) == (strategy, {})


def test_what_was_learned_is_taken_up_while_serving_and_rolls_back(site: Path) -> None:
    serving = live(site)
    assert leader(ask(serving).probabilities) == "hybrid"
    teach(site, "content")
    assert serving.refresh() == ["courses/bandit"]
    assert leader(ask(serving).probabilities) == "content"
    teach(site, "popularity")
    serving.refresh()
    assert leader(ask(serving).probabilities) == "popularity"
    assert store_under(site, "courses").rollback("bandit").version == "bandit_v1"
    serving.refresh()
    assert leader(ask(serving).probabilities) == "content"


def test_a_damaged_state_is_refused_and_the_last_good_one_stays(site: Path) -> None:
    teach(site, "content")
    teach(site, "popularity")
    path = site / "models" / "courses" / "bandit_v2" / "plays.npy"
    path.write_bytes(path.read_bytes()[:-4])
    serving = live(site)
    assert leader(ask(serving).probabilities) == "content"
    problem = serving.loaded_catalogues["courses"].models["bandit"].problem
    assert problem is not None
    assert "plays.npy" in problem


def test_with_no_good_state_at_all_the_default_leads_and_the_problem_is_told(site: Path) -> None:
    teach(site, "content")
    (site / "models" / "courses" / "bandit_v1" / "manifest.json").write_text("{}")
    serving = live(site)
    assert leader(ask(serving).probabilities) == "hybrid"
    assert serving.loaded_catalogues["courses"].models["bandit"].problem is not None
    answer = ask(serving)
    assert answer.recommendations
    assert ("bandit", "refused") in [(skip.engine, skip.code) for skip in answer.degradation]
    asked_for = ask(serving, strategy="content")
    assert not asked_for.degraded, "who is asked for by name needs no bandit"


def test_numbers_that_cannot_be_are_refused_and_the_default_leads(site: Path, caplog: pytest.LogCaptureFixture) -> None:
    arrays = arrays_of(tally([Played("content", 0.5, "enroll")]), ARMS, {"enroll": 1.0})
    publish(site, "bandit", {**arrays, "plays": -arrays["plays"]}, catalogue="courses")
    assert leader(ask(live(site)).probabilities) == "hybrid"
    assert "the bandit is left out, its default leads" in caplog.text


def test_a_default_recommender_takes_the_place_of_chance(site: Path) -> None:
    serving = live(site, DEFAULT_RECOMMENDER="content")
    slate = ask(serving)
    assert (slate.method_used, slate.probabilities) == ("content", {})
    assert "bandit" not in serving.loaded_catalogues["courses"].models


def test_every_strategy_gives_a_reason_for_every_course(site: Path) -> None:
    serving = live(site)
    for strategy in ARMS:
        slate = ask(serving, strategy=strategy)
        assert slate.recommendations
        assert all(one.reasons and one.reasons[0] for one in slate.recommendations)


def test_similar_courses_are_those_of_the_same_content(site: Path) -> None:
    recommender = live(site).serving.recommender
    slate = recommender.recommend(
        RecommendationRequest(item_ids=("i004",), limit=5), use_case="courses", surface="similar", now=NOW
    )
    assert slate.method_used == "content"
    assert all(int(one.item_id[1:]) % 2 == 0 and one.item_id != "i004" for one in slate.recommendations)
