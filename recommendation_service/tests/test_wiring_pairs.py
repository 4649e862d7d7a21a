"""Composition of a use case about pairs: one model serves both catalogues, and what is damaged costs only itself."""

import logging
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from recommendation_service import evaluate
from recommendation_service.domain.request import RecommendationRequest
from recommendation_service.engines.neural import Neural
from recommendation_service.engines.rule_based import RuleBased
from recommendation_service.errors import ArtifactRefused, ConfigurationError
from recommendation_service.estimators.base import Estimator
from recommendation_service.services.serving import ServingState, announce
from recommendation_service.tests.support import service
from recommendation_service.tests.support.cleaning import export_cleaning, publish_neural
from recommendation_service.use_cases.loader import PACKAGED, load
from recommendation_service.web.models import listing
from recommendation_service.wiring import ENGINES, Observers, build_estimators, build_live, watched_kinds

CLEANING = load("cleaning")


def live_under(root: Path, observers: Observers | None = None, **more: str) -> ServingState:
    return build_live(service.settings_under(root, RS_USE_CASES="cleaning", **more), observers)


def ask(live: ServingState, surface: str, strategy: str | None = None) -> Any:
    request = RecommendationRequest(item_ids=("3",), strategy=strategy)
    return live.serving.recommender.recommend(request, use_case="cleaning", surface=surface, now=1_700_000_000.0)


def damage(root: Path, kind: str) -> None:
    path = next(iter(sorted((root / "models" / "cleaners" / f"{kind}_v1").glob("*.npy"))))
    content = bytearray(path.read_bytes())
    content[-1] ^= 1
    path.write_bytes(bytes(content))


def test_models_of_pairs_are_watched_once_beside_the_second_catalogue() -> None:
    assert {"neural", "bid"} <= watched_kinds(CLEANING, "cleaners")
    assert not {"neural", "bid", "attributes"} & watched_kinds(CLEANING, "jobs")
    assert "attributes" not in watched_kinds(CLEANING, "cleaners")


def test_one_network_serves_both_directions(tmp_path: Path) -> None:
    export_cleaning(tmp_path)
    publish_neural(tmp_path)
    live = live_under(tmp_path)
    for surface, catalogue in (("cleaners-for-job", "cleaners"), ("jobs-for-cleaner", "jobs")):
        slate = ask(live, surface, "neural")
        assert (slate.method_used, slate.model_version, slate.degraded) == ("neural", "neural_v1", False)
        engines = live.serving.recommender.runtime.use_cases["cleaning"].catalogues[catalogue].engines
        assert isinstance(engines["neural"], Neural)
        assert isinstance(engines["rule_based"], RuleBased)
    assert live.serving.engines["cleaning"] == ("neural", "popular", "rule_based", "ensemble")


def test_a_network_beside_the_other_catalogue_is_nobodys(tmp_path: Path) -> None:
    export_cleaning(tmp_path)
    publish_neural(tmp_path, catalogue="jobs")
    assert "neural" not in live_under(tmp_path).serving.engines["cleaning"]


def test_both_catalogues_take_up_a_new_network_together(tmp_path: Path) -> None:
    export_cleaning(tmp_path)
    live = live_under(tmp_path)
    before = live.serving.state
    publish_neural(tmp_path)
    assert live.refresh() == ["cleaners/neural"]
    assert live.serving.state != before
    assert [ask(live, surface, "neural").method_used for surface in ("cleaners-for-job", "jobs-for-cleaner")] == ["neural"] * 2


def test_a_damaged_network_is_refused_told_on_both_sides_and_rules_answer(tmp_path: Path) -> None:
    export_cleaning(tmp_path)
    publish_neural(tmp_path)
    damage(tmp_path, "neural")
    refused: list[tuple[str, str]] = []
    live = live_under(tmp_path, Observers(refused=lambda catalogue, kind: refused.append((catalogue, kind))))
    assert refused == [("cleaners", "neural")]
    (row,) = [row for row in listing(live) if row.kind == "neural"]
    assert (row.catalogue, row.version) == ("cleaners", None)
    assert row.problem
    for surface in ("cleaners-for-job", "jobs-for-cleaner"):
        slate = ask(live, surface, "neural")
        assert slate.method_used == "rule_based"
        assert [(skip.engine, skip.code) for skip in slate.degradation] == [
            ("neural", "refused"),
            ("ensemble", "no_prediction"),
        ]
        assert slate.recommendations


def test_the_older_network_stays_while_the_new_one_is_damaged(tmp_path: Path) -> None:
    export_cleaning(tmp_path)
    publish_neural(tmp_path)
    live = live_under(tmp_path)
    publish_neural(tmp_path, seed=1)
    path = tmp_path / "models" / "cleaners" / "neural_v2" / "alpha.npy"
    path.write_bytes(path.read_bytes()[:-1] + b"x")
    live.refresh()
    assert ask(live, "cleaners-for-job", "neural").model_version == "neural_v1"


def test_a_network_of_other_features_is_left_out_with_its_reason(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    text = (PACKAGED / "cleaning.toml").read_text(encoding="utf-8")
    (tmp_path / "files").mkdir()
    (tmp_path / "files" / "cleaning.toml").write_text(text.replace('{ name = "size_m2", scale = 1000 }', '{ name = "budget" }'))
    export_cleaning(tmp_path)
    publish_neural(tmp_path)
    with caplog.at_level(logging.ERROR):
        live = live_under(tmp_path, RS_USE_CASES_DIR=str(tmp_path / "files"))
    assert "neural" not in live.serving.engines["cleaning"]
    assert "neural is left out: neural_v1" in caplog.text


def test_the_models_page_lists_every_model_of_pairs(tmp_path: Path) -> None:
    export_cleaning(tmp_path)
    publish_neural(tmp_path)
    service.publish(tmp_path, "bid", catalogue="cleaners")
    rows = {(row.catalogue, row.kind): row.version for row in listing(live_under(tmp_path))}
    assert rows["cleaners", "neural"] == "neural_v1"
    assert rows["cleaners", "bid"] == "bid_v1"
    assert not {("jobs", "neural"), ("jobs", "bid")} & set(rows)


def test_estimators_are_ready_where_their_model_is_good(tmp_path: Path) -> None:
    export_cleaning(tmp_path)
    assert live_under(tmp_path).serving.estimators["cleaning"] == {}
    service.publish(tmp_path, "bid", catalogue="cleaners")
    found = live_under(tmp_path).serving.estimators["cleaning"]["bid"]
    assert isinstance(found, Estimator)
    assert (found.name, found.version) == ("bid", "bid_v1")
    damage(tmp_path, "bid")
    assert live_under(tmp_path).serving.estimators["cleaning"] == {}


def test_an_estimator_that_refuses_its_model_is_left_out(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    model = service.publish(tmp_path, "bid", catalogue="cleaners")

    def refuse(name: str, artifact: object, *, pair_config: object) -> Estimator:
        raise ArtifactRefused("bid_v1: says what cannot be")

    monkeypatch.setattr("recommendation_service.wiring.ESTIMATORS", {"bid": refuse})
    with caplog.at_level(logging.ERROR):
        assert build_estimators(CLEANING, {"bid": model}) == {}
    assert "bid is left out: bid_v1: says what cannot be" in caplog.text


@pytest.mark.parametrize(
    ("old", "new", "told"),
    [
        ('kind = "bid"\n', 'kind = "guess"\n', "estimator 'bid', guess is of kind 'guess'; there are bid"),
        (
            'neural = { kind = "neural" }',
            'neural = { kind = "neural", options = { pair_config = 1 } }',
            "does not know 'pair_config'",
        ),
        ("weight = 0.35", "weight = -1", "part 'quality' needs a weight of 0 or more, not -1"),
        ('kind = "level"', 'kind = "height"', "part 'quality' is of kind 'height'"),
    ],
)
def test_wrong_words_stop_the_start_and_say_where(tmp_path: Path, old: str, new: str, told: str) -> None:
    text = (PACKAGED / "cleaning.toml").read_text(encoding="utf-8")
    assert text.count(old) == 1
    (tmp_path / "cleaning.toml").write_text(text.replace(old, new))
    export_cleaning(tmp_path)
    with pytest.raises(ConfigurationError, match=told):
        live_under(tmp_path, RS_USE_CASES_DIR=str(tmp_path))


def test_rules_about_pairs_without_a_pairing_stop_the_start(tmp_path: Path) -> None:
    text = """
name = "startups"
catalogues = ["startups"]
[events]
like = 1.0
[engines.rules]
kind = "attributes"
options = { parts = { quality = { weight = 1, kind = "level", options = { of = "score" } } } }
[surfaces.home]
catalogue = "startups"
router = { kind = "fixed", options = { engine = "rules" } }
fallback = ["rules"]
"""
    (tmp_path / "startups.toml").write_text(text)
    service.export_startups(tmp_path)
    settings = service.settings_under(tmp_path, RS_USE_CASES="startups", RS_USE_CASES_DIR=str(tmp_path))
    with pytest.raises(ConfigurationError, match=r"the file says nothing of them; add \[pairs\]"):
        build_live(settings)


def test_every_kind_of_the_shipped_file_can_be_built() -> None:
    assert {part.kind for part in CLEANING.engines.values()} <= set(ENGINES)


def test_a_use_case_serves_what_is_exported_of_it(tmp_path: Path) -> None:
    export_cleaning(tmp_path, "jobs")
    live = live_under(tmp_path)
    assert set(live.serving.catalogues) == {"jobs"}
    assert live.serving.engines["cleaning"] == ("popular", "rule_based", "ensemble")
    export_cleaning(tmp_path, "cleaners")
    assert live.refresh() == ["cleaners/export"]
    assert ask(live, "jobs-for-cleaner", "rule_based").recommendations
    assert np.isfinite([one.score for one in ask(live, "cleaners-for-job").recommendations]).all()


def test_the_log_names_the_models_of_pairs_that_are_missing(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    export_cleaning(tmp_path)
    with caplog.at_level(logging.INFO):
        announce(live_under(tmp_path))
    told = [record.getMessage() for record in caplog.records if record.levelno == logging.WARNING]
    fix = "run: tandem train all --use-case cleaning"
    assert told == [f"✗ cleaning: no neural model; {fix}", f"✗ cleaning: no bid model; {fix}"]


def test_evaluation_leaves_out_what_is_about_pairs_and_says_so(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    export_cleaning(tmp_path, "cleaners", tastes=True)
    assert evaluate.main(["--use-case", "cleaning", "--data-dir", str(tmp_path / "data")]) == 0
    printed = capsys.readouterr().out
    assert "rule_based, ensemble (configured): scores pairs, so it is not in this table" in printed
    assert "\npopular " in printed
    assert "\nrule_based " not in printed
