"""Settings that name classes by their dotted path."""

from typing import Any

import pytest
from django.core.exceptions import ImproperlyConfigured

from recommendations.conf import EXAMPLES, configured_class
from sites.cleaning.scoring.service import ScoringService
from sites.cleaning.services.recommendations import RecommendationEngine


class NoEngine:
    """Has the first method of an engine only."""

    def recommend_cleaners_for_job(self) -> None: ...


def instance() -> None: ...


def test_the_defaults_are_the_marketplaces_own_classes() -> None:
    assert configured_class("RECOMMENDATION_ENGINE") is RecommendationEngine
    assert configured_class("RECOMMENDATION_SCORING") is ScoringService


@pytest.mark.parametrize(
    ("setting", "path", "message"),
    [
        ("RECOMMENDATION_SCORING", "", "RECOMMENDATION_SCORING is not set"),
        ("RECOMMENDATION_SCORING", "sites.cleaning.nowhere.Service", "cannot be imported: No module named"),
        ("RECOMMENDATION_SCORING", "sites.cleaning.scoring.service.Sevrice", 'does not define a "Sevrice"'),
        ("RECOMMENDATION_SCORING", "decimal.Decimal", "has no update_all_cleaner_scores()"),
        ("RECOMMENDATION_ENGINE", "sites.cleaning.scoring.service.ScoringService", "has no recommend_cleaners_for_job()"),
        ("RECOMMENDATION_ENGINE", f"{__name__}.NoEngine", "has no recommend_cleaners_for_jobs()"),
        ("RECOMMENDATION_ENGINE", f"{__name__}.instance", "has no recommend_cleaners_for_job()"),
        ("RECOMMENDATION_ENGINE", "RecommendationEngine", "doesn't look like a module path"),
    ],
)
def test_a_wrong_path_is_reported_with_the_fix(setting: str, path: str, message: str, settings: Any) -> None:
    setattr(settings, setting, path)
    with pytest.raises(ImproperlyConfigured) as caught:
        configured_class(setting)
    assert message in str(caught.value)
    assert f"; name a class by its path, such as {EXAMPLES[setting]}" in str(caught.value)


def test_a_subclass_is_taken(settings: Any) -> None:
    settings.RECOMMENDATION_ENGINE = f"{__name__}.Subclass"
    assert configured_class("RECOMMENDATION_ENGINE") is Subclass


class Subclass(RecommendationEngine):
    """An engine of a site."""
