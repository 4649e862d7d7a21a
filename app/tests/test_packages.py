"""The packages that the courses list names: each leads to the one implementation."""

from typing import Any

import pytest
from django.urls import resolve
from pydantic import SecretStr

from app.api.v1 import admin, analytics, recommendations
from app.bandit.epsilon_greedy import EpsilonGreedy
from app.candidate import retrieval
from app.core import logging as logs
from app.core import settings as configuration
from app.domain.models import ItemRecord, PastEvent
from app.encoders.item_encoder import item_features
from app.encoders.user_encoder import attribute_table
from app.logging.interaction_logger import InteractionLogger
from app.models.two_tower import Towers, TwoTowerParameters
from app.online import update
from app.ranking import ranking
from app.scripts import update_online_model
from app.services.analytics_service import AnalyticsService
from app.services.backend import Backend
from recommendation_service import pipeline
from recommendation_service.errors import ConfigurationError, Unavailable
from recommendation_service.settings import Settings
from tandem.models import UserInteraction
from tests.support import campus

KEY = "k" * 40


def settings_with(keys: str) -> Settings:
    return Settings(signing_keys=SecretStr(keys))


@pytest.mark.parametrize(
    ("path", "view"),
    [
        ("/api/v1/recommendations/home", recommendations.HomeView),
        ("/api/v1/recommendations/similar/course_1", recommendations.SimilarView),
        ("/api/v1/recommendations/stats/user/user1", analytics.LearnerStatsView),
        ("/api/v1/recommendations/stats/global", analytics.GlobalStatsView),
        ("/admin/recommendations/models", admin.ModelsView),
        ("/admin/recommendations/reindex", admin.ReindexView),
    ],
)
def test_the_endpoints_of_the_list_are_those_views(path: str, view: type) -> None:
    assert resolve(path).func.view_class is view  # type: ignore[attr-defined]  # of as_view()


def test_encoders_give_the_same_features_for_the_same_input() -> None:
    courses = [ItemRecord(item_id=str(number), title=f"Course {number}", category="music") for number in range(3)]
    first, second = item_features(courses), item_features(courses)
    assert first.shape[0] == 3
    assert (first != second).nnz == 0
    names, lists = attribute_table(({"skills": ("python", "go")}, {"skills": ("go",)}))
    assert {b"skills=python", b"skills=go"} <= set(names.tolist())
    assert [names[lists.values[index]] for index in range(lists.indptr[1], lists.indptr[2])] == [b"skills=go"]


def test_the_network_the_bandit_and_the_stages_are_the_services_own() -> None:
    towers = Towers(5, 3, 2, TwoTowerParameters(dimension=8, hidden=16))
    assert {name for name, _ in towers.named_children()}
    assert set(EpsilonGreedy(None, arms=["hybrid", "content"], epsilon=0.2)._probabilities.values()) == {0.9, 0.1}
    assert retrieval.retrieve is pipeline.retrieve.retrieve
    assert ranking.rerank is pipeline.rerank.rerank
    assert update.main is update_online_model.main
    assert callable(logs.start_logging)
    assert configuration.load_settings().use_cases is not None
    assert PastEvent("1", "view", 0.0).item_id == "1"


@pytest.mark.django_db(transaction=True)
def test_events_are_logged_to_the_backend_and_counted_there(live_server: Any, settings: Any) -> None:
    settings.TANDEM = {**settings.TANDEM, "SIGNING_KEYS": f"test:{KEY}"}
    campus.make_courses()
    campus.make_learner()
    backend = Backend(live_server.url, settings=settings_with(f"test:{KEY}"))
    assert InteractionLogger(backend).log("user1", "course_python_basic", "enroll")
    assert UserInteraction.objects.get().kind.name == "enroll"
    assert AnalyticsService(backend).user_stats("user1")["num_recommendations"] == 0
    assert "daily" in " ".join(AnalyticsService(backend).global_stats())
    with pytest.raises(Unavailable, match="status 404"):
        AnalyticsService(backend).user_stats("nobody/else")


def test_without_a_key_or_a_backend_the_reason_is_given() -> None:
    with pytest.raises(ConfigurationError, match="RS_SIGNING_KEYS"):
        Backend("http://127.0.0.1:9", settings=settings_with(""))
    with pytest.raises(Unavailable, match="gave no answer"):
        Backend("http://127.0.0.1:9", settings=settings_with(f"test:{KEY}")).request("GET", "/")
