import numpy as np
import pytest

from recommendation_service.training.publish_gate import Lost, Measured, judge, judge_pairs

GOOD = {"item_factors": np.arange(6, dtype=np.float32).reshape(3, 2)}
FINE = Measured(candidate=0.20, refit=0.20, current=0.20, popularity=0.10)


def verdict(arrays=GOOD, measured=FINE, interactions=100, current_dataset=None):
    return judge(arrays, measured, interactions=interactions, current_dataset=current_dataset)


def test_a_model_as_good_as_todays_is_accepted_without_a_word():
    assert verdict().accepted
    assert verdict().warnings == ()


@pytest.mark.parametrize(("candidate", "accepted"), [(0.197, True), (0.1961, True), (0.1959, False), (0.1, False)])
def test_two_percent_below_todays_is_noise_and_more_is_refused(candidate, accepted):
    found = verdict(measured=Measured(candidate, candidate, 0.20, 0.10))
    assert found.accepted is accepted


@pytest.mark.parametrize(
    ("array", "word"),
    [
        (np.zeros((0, 2), dtype=np.float32), "is empty"),
        (np.array([[np.nan, 1]], dtype=np.float32), "NaN or infinity"),
        (np.array([[np.inf, 1]], dtype=np.float32), "NaN or infinity"),
        (np.ones((3, 2), dtype=np.float32), "one number only"),
    ],
    ids=["empty", "nan", "infinite", "all equal"],
)
def test_unusable_arrays_are_refused_by_name(array, word):
    found = verdict({"item_factors": array})
    assert not found.accepted
    assert any("item_factors" in reason and word in reason for reason in found.refusals)


def test_losing_to_popularity_is_published_with_a_warning():
    found = verdict(measured=Measured(0.05, 0.05, None, 0.10))
    assert found.accepted
    assert "loses to popularity" in found.warnings[0]


def test_an_unmeasured_model_says_so():
    found = verdict(measured=Measured(None, None, None, None))
    assert found.accepted
    assert "without having been measured" in found.warnings[0]


def test_a_refit_that_fell_apart_is_refused():
    assert not verdict(measured=Measured(0.20, 0.05, None, 0.10)).accepted


def test_figures_of_a_handful_of_people_refuse_nothing_and_praise_nothing():
    found = verdict(measured=Measured(0.05, 0.01, 0.20, 0.10, few=True))
    assert found.accepted
    assert found.warnings == ("fewer than 10 people to validate on: published without having been compared",)


def test_an_export_of_less_than_half_is_refused():
    assert verdict(interactions=50, current_dataset={"interactions": 100}).accepted
    assert not verdict(interactions=49, current_dataset={"interactions": 100}).accepted


def pairs_verdict(arrays=GOOD, matches=100, current_dataset=None, **lost):
    told = {"own": 0.02, "baseline": 0.05, "usual": "foretelling the mean", **lost}
    return judge_pairs(arrays, Lost(**told), matches=matches, current_dataset=current_dataset)


@pytest.mark.parametrize(("own", "accepted"), [(0.05, True), (0.0509, True), (0.0511, False), (float("nan"), False)])
def test_a_model_of_pairs_must_not_be_clearly_worse_than_what_is_usual(own, accepted):
    found = pairs_verdict(own=own)
    assert found.accepted is accepted
    assert Lost(own, 0.05, "").hopeless is not accepted
    assert accepted or "of foretelling the mean" in found.refusals[0]


@pytest.mark.parametrize(("anew", "accepted"), [(0.0203, True), (0.0205, False)])
def test_a_model_of_pairs_must_not_be_clearly_worse_than_todays_on_the_same_pairs(anew, accepted):
    assert pairs_verdict(anew=anew, today=0.02).accepted is accepted


def test_a_model_of_pairs_of_half_the_matches_or_of_no_numbers_is_refused():
    assert not pairs_verdict(matches=49, current_dataset={"matches": 100}).accepted
    assert pairs_verdict(matches=50, current_dataset={"matches": 100}).accepted
    assert not pairs_verdict({"alpha": np.array([np.nan], dtype=np.float32)}).accepted
