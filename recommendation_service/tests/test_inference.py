"""Standalone inference: the model that was named answers, and a broken one costs only itself."""

from pathlib import Path

import pytest

from recommendation_service.errors import ConfigurationError, InvalidInput
from recommendation_service.inference_als import ALSInference
from recommendation_service.inference_ensemble import EnsembleInference
from recommendation_service.inference_two_tower import TwoTowerInference
from recommendation_service.settings import Settings
from recommendation_service.tests.support import service
from recommendation_service.tests.support.cleaning import export_cleaning


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    service.export_startups(tmp_path)
    service.publish_all(tmp_path)
    return service.settings_under(tmp_path)


def _models(settings: Settings) -> Path:
    return settings.models_dir / "startups"


def test_als_answers_whatever_the_count(settings: Settings) -> None:
    slate = ALSInference(_models(settings) / "als_v1", settings=settings).recommend("u001", limit=5)
    assert slate.method_used == "als"
    assert len(slate.recommendations) == 5
    assert not slate.degraded


def test_als_falls_back_to_popular_items_for_somebody_it_does_not_know(settings: Settings) -> None:
    slate = ALSInference(settings=settings).recommend("stranger")
    assert slate.method_used == "popular"
    assert slate.degradation[0].code == "no_prediction"
    assert slate.recommendations


def test_two_tower_answers_by_itself(settings: Settings) -> None:
    assert TwoTowerInference(_models(settings) / "two_tower_v1", settings=settings).recommend("u001").method_used == "two_tower"


def test_the_ensemble_blends_by_the_given_weight(settings: Settings) -> None:
    paths = _models(settings) / "als_v1", _models(settings) / "two_tower_v1"
    only_als = EnsembleInference(*paths, als_weight=1.0, settings=settings).recommend("u001", explain=True)
    blended = EnsembleInference(*paths, als_weight=0.6, settings=settings).recommend("u001", explain=True)
    assert only_als.method_used == blended.method_used == "ensemble"
    assert set(blended.recommendations[0].parts) == {"als", "two_tower"}
    for shown in blended.recommendations:
        assert sum(shown.parts.values()) == pytest.approx(shown.score, abs=1e-5)
        assert shown.parts["als"] <= 0.6 + 1e-6
        assert shown.parts["two_tower"] <= 0.4 + 1e-6
    als = ALSInference(paths[0], settings=settings).recommend("u001")
    assert [one.item_id for one in only_als.recommendations] == [one.item_id for one in als.recommendations]


def test_a_site_without_lists_for_users_says_how_to_ask_instead(tmp_path: Path) -> None:
    export_cleaning(tmp_path)
    with pytest.raises(ConfigurationError, match="no list for a user; ask for one with: tandem recommend --about ID"):
        EnsembleInference(use_case="cleaning", settings=service.settings_under(tmp_path))


@pytest.mark.parametrize("weight", [-0.1, 1.1, float("nan")])
def test_a_weight_outside_0_to_1_is_refused(settings: Settings, weight: float) -> None:
    with pytest.raises(InvalidInput, match="from 0 to 1"):
        EnsembleInference(als_weight=weight, settings=settings)


def test_one_damaged_model_leaves_the_other_answering(settings: Settings) -> None:
    (_models(settings) / "two_tower_v1" / "layer1_bias.npy").write_bytes(b"")
    slate = EnsembleInference(settings=settings).recommend("u001")
    assert slate.method_used in ("ensemble", "als")
    assert slate.degraded
    assert slate.recommendations


def test_a_pickle_at_the_model_path_is_not_opened(settings: Settings, tmp_path: Path) -> None:
    marker = tmp_path / "executed"
    (tmp_path / "als_v1.pkl").write_bytes(b"cos\nsystem\n(S'touch " + str(marker).encode() + b"'\ntR.")
    slate = ALSInference(tmp_path / "als_v1.pkl", settings=settings).recommend("u001")
    assert not marker.exists()
    assert slate.recommendations


def test_filters_narrow_the_list_and_excluded_items_stay_out(settings: Settings) -> None:
    engine = ALSInference(settings=settings)
    shown = engine.recommend("u001", 100, filters={"category": ["c0"]}, exclude=["i002"]).recommendations
    assert shown
    assert {int(one.item_id[1:]) % 2 for one in shown} == {0}
    assert "i002" not in {one.item_id for one in shown}


def test_a_wrong_limit_is_refused_and_try_recommend_gives_none(settings: Settings) -> None:
    engine = ALSInference(settings=settings)
    with pytest.raises(InvalidInput, match="limit"):
        engine.recommend("u001", 0)
    assert engine.try_recommend("u001", 0) is None
