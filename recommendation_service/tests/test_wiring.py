"""Composition: what is built of what is there, and that a swap is whole."""

import logging
import os
import threading
import time
from pathlib import Path

import numpy as np
import pytest

from recommendation_service import app as app_module
from recommendation_service.datasets.reader import Dataset
from recommendation_service.domain.answer import Answer
from recommendation_service.domain.history import PastEvent
from recommendation_service.domain.request import RecommendationRequest
from recommendation_service.engines.ensemble import Ensemble
from recommendation_service.errors import ConfigurationError
from recommendation_service.services.serving import WAITING, ServingState, weights_summary
from recommendation_service.tests.support import service
from recommendation_service.use_cases.loader import load, load_file, names
from recommendation_service.wiring import Observers, build_engines, build_live, build_service, served_use_cases

AT = {"use_case": "startups", "surface": "for-developer", "now": time.time()}


def _ask(user_id: str = "u001") -> RecommendationRequest:
    return RecommendationRequest(user_id=user_id)


def _settings(root: Path, **more: str) -> service.Settings:
    return service.settings_under(root, RS_USE_CASES="startups", **more)


def _engines(root: Path) -> set[str]:
    store, dataset = service.store_under(root), Dataset.open(root / "data", "startups")
    found = {kind: store.load(kind) for kind in service.ARRAYS}
    return set(build_engines(load("startups"), dataset.catalogue(), {kind: one for kind, one in found.items() if one}))


def test_engines_without_a_model_are_left_out(tmp_path: Path) -> None:
    service.export_startups(tmp_path)
    assert _engines(tmp_path) == {"popular"}
    service.publish(tmp_path, "als")
    assert _engines(tmp_path) == {"popular", "als"}
    service.publish_all(tmp_path)
    assert _engines(tmp_path) == {"popular", "als", "two_tower", "content_based", "ease", "next_item", "ensemble"}


HOT = tuple(PastEvent(item, "like", 0.0) for item in service.ITEMS[:4])


def _hot(live: ServingState) -> Answer:
    """The list of somebody whom the router sends to the ensemble."""
    return live.serving.recommender.recommend(RecommendationRequest(user_id="u001", history=HOT, count=25), **AT)


def _members(root: Path, *more: str) -> None:
    service.export_startups(root)
    for kind in ("als", "two_tower", *more):
        service.publish(root, kind)


def test_stated_weights_serve_from_the_first_models_on_and_nothing_is_degraded(tmp_path: Path) -> None:
    _members(tmp_path)
    live = build_live(_settings(tmp_path))
    slate = _hot(live)
    assert (slate.method_used, slate.model_version, slate.degraded) == ("ensemble", "als_v1+two_tower_v1", False)
    assert weights_summary(live, "startups", "startups") == f"ensemble: {WAITING}"
    service.publish(tmp_path, "ensemble")
    live.refresh()
    assert _hot(live).model_version.startswith("ensemble_v1+")
    assert weights_summary(live, "startups", "startups") == "ensemble: learned weights serve"


def test_an_ensemble_that_was_never_trained_waits_for_enough_members(tmp_path: Path) -> None:
    service.export_startups(tmp_path)
    service.publish(tmp_path, "als")
    live = build_live(_settings(tmp_path))
    slate = _hot(live)
    assert (slate.method_used, slate.degradation[0].code) == ("als", "not_trained")
    assert weights_summary(live, "startups", "startups") == ""


def test_a_weight_in_the_environment_serves_whatever_was_learned(tmp_path: Path) -> None:
    _members(tmp_path, "ensemble")
    live = build_live(_settings(tmp_path, ENSEMBLE_ALS_WEIGHT="0.7", ENSEMBLE_TWO_TOWER_WEIGHT="0.3"))
    ensemble = live.serving.recommender.runtime.use_cases["startups"].catalogues["startups"].engines["ensemble"]
    assert isinstance(ensemble, Ensemble)
    assert ensemble.weights == {"als": 0.7, "two_tower": 0.3}
    assert _hot(live).degraded is False
    assert weights_summary(live, "startups", "startups").endswith("as the file or the environment wants it")


def test_damaged_learned_weights_are_told_while_the_stated_ones_serve(tmp_path: Path) -> None:
    _members(tmp_path, "ensemble")
    (tmp_path / "models" / "startups" / "ensemble_v1" / "weights.npy").unlink()
    live = build_live(_settings(tmp_path))
    slate = _hot(live)
    assert slate.method_used == "ensemble"
    assert [(skip.engine, skip.code) for skip in slate.degradation] == [("ensemble", "refused")]
    assert weights_summary(live, "startups", "startups").endswith("for the learned ones were refused")


def test_learned_weights_of_strangers_are_logged_and_told_while_the_stated_ones_serve(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    _members(tmp_path)
    arrays = {**service.ensemble_arrays(), "members": np.array([b"als", b"svd"])}
    two = np.array([0.5, 0.5], dtype=np.float32)
    service.publish(tmp_path, "ensemble", {**arrays, "weights": two, "configured_weights": two})
    with caplog.at_level(logging.ERROR):
        live = build_live(_settings(tmp_path))
    assert "weighs als, svd" in caplog.text
    assert [(skip.engine, skip.code) for skip in _hot(live).degradation] == [("ensemble", "refused")]
    assert weights_summary(live, "startups", "startups").endswith("for the learned ones were refused")


BLENDS = """
name = "nest"
catalogues = ["startups"]
[events]
like = 1.0
[engines]
hybrid = { kind = "ensemble", options = { members = { als = 0.5, both = 0.5 } } }
both = { kind = "ensemble", options = { members = { als = 0.5, popular = 0.5 } } }
als = { kind = "als" }
popular = { kind = "popularity" }
[surfaces.home]
catalogue = "startups"
router = { kind = "fixed", options = { engine = "hybrid" } }
fallback = ["hybrid"]
"""


def _blends(root: Path, *changes: tuple[str, str]) -> dict[str, object]:
    text = BLENDS
    for old, new in changes:
        assert old in text
        text = text.replace(old, new)
    (root / "nest.toml").write_text(text)
    service.export_startups(root)
    model, catalogue = service.publish(root, "als"), Dataset.open(root / "data", "startups").catalogue()
    return dict(build_engines(load_file(root / "nest.toml"), catalogue, {"als": model}))


def test_ensembles_may_be_members_in_any_order_of_the_file(tmp_path: Path) -> None:
    hybrid = _blends(tmp_path)["hybrid"]
    assert isinstance(hybrid, Ensemble)
    assert hybrid.version == "als_v1+catalogue"


@pytest.mark.parametrize(
    ("old", "new", "told"),
    [
        ("both = 0.5 }", "bothe = 0.5 }", "has member 'bothe'; engines are als, both, hybrid, popular"),
        ("popular = 0.5 }", "hybrid = 0.5 }", "the ensembles hybrid, both are members of each other"),
        (
            "popular = 0.5 } }",
            "popular = 0.5 }, weights = 'learned' }",
            r"learned for one ensemble only \(hybrid\)",
        ),
    ],
)
def test_wrong_members_stop_the_start_and_say_what_is_wrong(tmp_path: Path, old: str, new: str, told: str) -> None:
    with pytest.raises(ConfigurationError, match=told):
        _blends(tmp_path, (old, new))


def test_a_folder_without_use_cases_is_refused_with_the_variable_to_set(tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError, match=r"RS_USE_CASES_DIR: no \*\.toml file in .+use_cases/"):
        served_use_cases(service.settings_under(tmp_path, RS_USE_CASES_DIR=str(tmp_path)))


def test_an_unknown_use_case_stops_the_start_and_lists_the_known(tmp_path: Path) -> None:
    settings = service.settings_under(tmp_path, RS_USE_CASES="startups,shoes")
    known = ", ".join(names(settings.use_cases_dir))
    with pytest.raises(ConfigurationError, match=f"no file for shoes; there are {known}$"):
        build_live(settings)


def test_an_unknown_engine_kind_stops_the_start(tmp_path: Path) -> None:
    text = (Path(__file__).parents[1] / "use_cases" / "startups.toml").read_text()
    (tmp_path / "startups.toml").write_text(text.replace('kind = "als"', 'kind = "magic"'))
    service.export_startups(tmp_path)
    with pytest.raises(ConfigurationError, match="magic"):
        build_live(_settings(tmp_path, RS_USE_CASES_DIR=str(tmp_path)))


def test_a_pinned_folder_that_is_refused_is_told_and_the_published_model_answers(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    service.export_startups(tmp_path)
    service.publish(tmp_path, "als")
    with caplog.at_level(logging.ERROR):
        slate = build_service(_settings(tmp_path, ALS_MODEL_PATH=str(tmp_path / "als_v1.pkl"))).recommend(_ask(), **AT)
    assert slate.model_version == "als_v1"
    assert "ALS_MODEL_PATH: " in caplog.text


def test_a_damaged_current_model_at_start_gives_the_older_one_that_is_whole(tmp_path: Path) -> None:
    service.export_startups(tmp_path)
    service.publish(tmp_path, "als")
    service.publish(tmp_path, "als", service.als_arrays(seed=1))
    (tmp_path / "models" / "startups" / "als_v2" / "gram.npy").unlink()
    refused: list[tuple[str, str]] = []
    live = build_live(_settings(tmp_path), Observers(refused=lambda catalogue, kind: refused.append((catalogue, kind))))
    assert live.serving.recommender.recommend(_ask(), **AT).model_version == "als_v1"
    assert refused == [("startups", "als")]


def test_a_removed_model_drops_its_engine_and_a_removed_export_its_use_case(tmp_path: Path) -> None:
    service.export_startups(tmp_path)
    service.publish(tmp_path, "als")
    live = build_live(_settings(tmp_path))
    (tmp_path / "models" / "startups" / "als.current").unlink()
    assert live.refresh() == ["startups/als"]
    assert live.serving.engines == {"startups": ("popular",)}
    (tmp_path / "data" / "startups" / "export.current").unlink()
    assert live.refresh() == ["startups/export"]
    assert live.serving.engines == {}


def test_an_export_of_another_catalogue_is_refused(tmp_path: Path) -> None:
    service.export_startups(tmp_path)
    (tmp_path / "data" / "startups").rename(tmp_path / "data" / "movies")
    live = build_live(service.settings_under(tmp_path, RS_USE_CASES="movies"))
    assert live.serving.engines == {}
    assert "holds startups, not movies" in (live.loaded_catalogues["movies"].export.problem or "")


def test_a_failed_assembly_is_tried_again_at_the_next_look(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    service.export_startups(tmp_path)
    live = build_live(_settings(tmp_path))
    service.publish(tmp_path, "als")
    whole = live._assemble

    def broken(_holdings: object) -> None:
        raise MemoryError

    monkeypatch.setattr(live, "_assemble", broken)
    with pytest.raises(MemoryError):
        live.refresh()
    assert live.serving.engines == {"startups": ("popular",)}
    monkeypatch.setattr(live, "_assemble", whole)
    assert live.refresh() == ["startups/als"]
    assert live.serving.engines == {"startups": ("als", "popular")}


def test_app_is_made_once_when_first_asked_for(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in service.environment(tmp_path).items():
        monkeypatch.setenv(name, value)
    assert "app" not in vars(app_module)
    made = app_module.app
    assert made is app_module.app
    assert made.test_client().get("/livez").status_code == 200
    del app_module.app
    with pytest.raises(AttributeError, match="no attribute 'ap'"):
        _ = app_module.ap


def _watching() -> int:
    return sum(thread.name == "model-watch" for thread in threading.enumerate())


def test_the_watch_runs_once_a_process_survives_surprises_and_never_at_0_seconds(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    live = build_live(_settings(tmp_path))
    before = _watching()
    live.watch(0)
    assert _watching() == before
    looks: list[int] = []

    def look() -> list[str]:
        looks.append(os.getpid())
        raise ZeroDivisionError

    monkeypatch.setattr(ServingState, "refresh", lambda _self: look())
    live.watch(0.01)
    live.watch(0.01)
    assert _watching() == before + 1
    deadline = time.monotonic() + 10
    while len(looks) < 3 and time.monotonic() < deadline:
        time.sleep(0.01)
    live.close()
    assert len(looks) >= 3


def test_answers_during_swaps_are_always_of_one_version(tmp_path: Path) -> None:
    service.export_startups(tmp_path)
    service.publish(tmp_path, "als")
    live = build_live(_settings(tmp_path))
    stop, wrong = threading.Event(), []

    def ask() -> None:
        while not stop.is_set():
            slate = live.serving.recommender.recommend(_ask(), **AT)
            if slate.method_used != "als" or not np.isfinite([one.score for one in slate.recommendations]).all():
                wrong.append(slate)

    askers = [threading.Thread(target=ask) for _ in range(3)]
    for asker in askers:
        asker.start()
    for seed in range(1, 15):
        service.publish(tmp_path, "als", service.als_arrays(seed=seed))
        live.refresh()
    stop.set()
    for asker in askers:
        asker.join()
    assert wrong == []
    assert live.serving.recommender.recommend(_ask(), **AT).model_version == "als_v15"
