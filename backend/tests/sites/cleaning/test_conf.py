"""The settings of the marketplace's lists: read strictly, told with the fix."""

import re
from typing import Any

import pytest
from django.core.exceptions import ImproperlyConfigured

from recommendation_service.errors import InvalidInput
from sites.cleaning.conf import cache_seconds, check_mode, ensemble_weights


def test_the_stated_settings_are_the_defaults(settings: Any) -> None:
    assert check_mode() == "ensemble"
    assert ensemble_weights() == {"rule_based": 0.6, "neural": 0.4}
    assert cache_seconds() == 3600
    assert settings.RECOMMENDATION_MODELS_DIR.name == "models"


def test_weights_are_scaled_to_one(settings: Any) -> None:
    settings.RECOMMENDATION_ENSEMBLE_WEIGHTS = {"rule_based": 3, "neural": 1}
    assert ensemble_weights() == {"rule_based": 0.75, "neural": 0.25}


def test_a_mode_that_was_asked_for_comes_before_the_setting(settings: Any) -> None:
    settings.RECOMMENDATION_MODE = "nonsense"
    assert check_mode("neural") == "neural"


def test_an_unknown_mode_names_the_words_allowed(settings: Any) -> None:
    with pytest.raises(InvalidInput, match="rule_based, neural, ensemble, not 'hybrid'"):
        check_mode("hybrid")
    settings.RECOMMENDATION_MODE = "hybrid"
    with pytest.raises(ImproperlyConfigured, match=r"RECOMMENDATION_MODE is 'hybrid'.*rule_based, neural, ensemble"):
        check_mode()


@pytest.mark.parametrize(
    "weights",
    [
        None,
        {},
        {"rule_based": 1.0},
        {"rule_based": 0.6, "neural": 0.4, "magic": 0.1},
        {"rule_based": -0.1, "neural": 1.1},
        {"rule_based": 0, "neural": 0},
        {"rule_based": "0.6", "neural": 0.4},
        {"rule_based": True, "neural": 0.4},
        {"rule_based": float("nan"), "neural": 0.4},
        {"rule_based": float("inf"), "neural": 0.4},
    ],
)
def test_weights_that_cannot_be_are_refused_with_an_example(settings: Any, weights: Any) -> None:
    settings.RECOMMENDATION_ENSEMBLE_WEIGHTS = weights
    with pytest.raises(ImproperlyConfigured, match=re.escape('must look like {"rule_based": 0.6, "neural": 0.4}')):
        ensemble_weights()


@pytest.mark.parametrize("seconds", [-1, 1.5, "3600", True, None])
def test_a_time_to_keep_is_whole_seconds(settings: Any, seconds: Any) -> None:
    settings.RECOMMENDATION_CACHE_TTL = seconds
    with pytest.raises(ImproperlyConfigured, match=r"RECOMMENDATION_CACHE_TTL is .* whole seconds"):
        cache_seconds()
