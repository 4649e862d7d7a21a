"""The strategies as Python classes, on published models."""

from pathlib import Path

import pytest

from app.recommenders.base import BaseRecommender
from app.recommenders.two_tower_recommender import TwoTowerRecommender
from app.services.recommendation_service import RecommendationService
from app.services.recommender_factory import RECOMMENDERS, create_recommender
from recommendation_service import train_all
from recommendation_service.errors import InvalidInput
from recommendation_service.tests.support import service
from recommendation_service.tests.support.exports import Happening, clubs, write_export
from recommendation_service.use_cases.loader import load


@pytest.fixture(scope="module")
def trained(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Models of every kind of the use case."""
    root = tmp_path_factory.mktemp("courses")
    records, happenings, profiles = clubs(people=60, items=120, events_each=12)
    enrolled = [Happening(one.user_id, one.item_id, "enroll", one.time) for one in happenings]
    write_export(root / "data", load("courses"), records, enrolled, profiles)
    folders = ["--data-dir", str(root / "data"), "--models-dir", str(root / "models")]
    assert train_all.main(["--use-case", "courses", "--force", *folders]) == 0
    return root


@pytest.mark.parametrize("strategy", RECOMMENDERS)
def test_each_strategy_answers_first_with_its_own_engine(strategy: str, trained: Path) -> None:
    recommender = create_recommender(strategy, settings=service.settings_under(trained, RS_USE_CASES="courses"))
    slate = recommender.recommend("u001", limit=5)
    assert isinstance(recommender, BaseRecommender)
    assert (slate.method_used, len(slate.recommendations)) == (strategy, 5)


def test_without_models_popular_courses_answer(tmp_path: Path, trained: Path) -> None:
    settings = service.settings_under(trained, RS_USE_CASES="courses", RS_MODELS_DIR=str(tmp_path))
    assert TwoTowerRecommender(settings=settings).recommend("u001", limit=5).method_used == "popularity"


def test_an_unknown_strategy_is_refused_with_the_known_ones() -> None:
    with pytest.raises(InvalidInput, match="two_tower, popularity, content, hybrid"):
        create_recommender("magic")


def test_the_service_answers_with_the_strategy_that_is_asked_for(trained: Path) -> None:
    settings = service.settings_under(trained, RS_USE_CASES="courses", DEFAULT_RECOMMENDER="content")
    one = RecommendationService(settings=settings)
    assert one.recommend("u001", limit=5).method_used == "content"
    assert one.recommend("u001", limit=5, strategy="two_tower").method_used == "two_tower"
    with pytest.raises(InvalidInput):
        one.recommend("u001", strategy="magic")
