"""The stated import path leads to the engine that the settings name."""

from recommendations.services.recommendation_engine import RecommendationEngine
from sites.cleaning.services import recommendations as engine


def test_the_stated_path_is_the_marketplaces_engine() -> None:
    assert RecommendationEngine is engine.RecommendationEngine


def test_it_takes_the_mode_as_stated() -> None:
    assert RecommendationEngine(mode="ensemble").mode == "ensemble"
    assert RecommendationEngine().mode == "ensemble"
