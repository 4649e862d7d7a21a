import numpy as np
import pytest

from recommendation_service.training.gate import Measured, judge

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


def test_an_export_of_less_than_half_is_refused():
    assert verdict(interactions=50, current_dataset={"interactions": 100}).accepted
    assert not verdict(interactions=49, current_dataset={"interactions": 100}).accepted
