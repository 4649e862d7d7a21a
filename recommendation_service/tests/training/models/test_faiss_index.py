"""The index is built, checked against exact search for real people, and kept from serving when it finds too little."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from recommendation_service import train_two_tower
from recommendation_service.cli import script
from recommendation_service.domain.request import RecommendationRequest
from recommendation_service.publishing.store import Artifact, ArtifactStore
from recommendation_service.services.serving import ServingState
from recommendation_service.tests.support.exports import NOW, Happening, clubs, write_export
from recommendation_service.tests.support.service import settings_under
from recommendation_service.training import trainers
from recommendation_service.training.data import Trained
from recommendation_service.training.models import faiss_index
from recommendation_service.training.parameters import TwoTowerParameters
from recommendation_service.use_cases.loader import load
from recommendation_service.wiring import build_live

build_index = script("index")


@pytest.fixture
def site(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Courses with a two-tower model and its index, from the real commands."""
    small = TwoTowerParameters(dimension=8, hidden=16, epochs=3)
    monkeypatch.setattr(
        trainers, "RECIPES", {**trainers.RECIPES, "two_tower": replace(trainers.RECIPES["two_tower"], stated=small)}
    )
    records, happenings, profiles = clubs(people=60, items=300, events_each=12)
    enrolled = [Happening(one.user_id, one.item_id, "enroll", one.time) for one in happenings]
    write_export(tmp_path / "data", load("courses"), records, enrolled, profiles)
    assert train_two_tower.main(options(tmp_path)) == 0
    return tmp_path


def options(site: Path, *more: str) -> list[str]:
    return ["--use-case", "courses", "--data-dir", str(site / "data"), "--models-dir", str(site / "models"), *more]


def store(site: Path) -> ArtifactStore:
    return ArtifactStore(site / "models" / "courses")


def live(site: Path) -> ServingState:
    return build_live(settings_under(site, RS_USE_CASES="courses"))


def ask(site: Path, strategy: str = "two_tower") -> tuple[str, list[str], list[str]]:
    """Who answered, with what, and what was told to be missing."""
    slate = live(site).serving.recommender.recommend(
        RecommendationRequest(user_id="u003", strategy=strategy, limit=20), use_case="courses", surface="home", now=NOW
    )
    return slate.method_used, [one.item_id for one in slate.recommendations], [skip.detail for skip in slate.degradation]


def test_training_builds_the_index_of_a_use_case_that_wants_one(site: Path) -> None:
    made = store(site).load("two_tower_index")
    model = store(site).load("two_tower")
    assert made is not None
    assert model is not None
    assert made.manifest.parameters["model_seal"] == model.manifest.seal
    assert made.manifest.metrics["recall"] >= faiss_index.LEAST_RECALL
    assert made.manifest.metrics["people"] == 60
    method, items, missing = ask(site)
    assert (method, len(items), missing) == ("two_tower", 20, [])


def test_the_same_model_gives_the_same_index(site: Path) -> None:
    assert build_index(options(site)) == 0
    first, second = (site / "models" / "courses" / f"two_tower_index_v{number}" / "index.npy" for number in (1, 2))
    assert first.read_bytes() == second.read_bytes()


def test_an_index_that_finds_too_little_is_refused_and_exact_search_serves(
    site: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    before = ask(site)[1]
    right = faiss_index.build

    def mixed_up(model: Artifact) -> Trained:
        rolled = np.roll(model.arrays["item_vectors"], 1, axis=0)  # a white item's place holds a black item's vector
        return right(replace(model, arrays={**model.arrays, "item_vectors": rolled}))

    monkeypatch.setattr(faiss_index, "build", mixed_up)
    assert train_two_tower.main(options(site, "--epochs", "2", "--force")) == 0
    assert build_index(options(site)) == 1
    assert "two_tower_index: not published: recall@50" in capsys.readouterr().err
    made = store(site).load("two_tower_index")
    assert made is not None
    assert made.version == "two_tower_index_v1"
    method, items, missing = ask(site)
    assert (method, len(items)) == ("two_tower", len(before))
    assert any("two_tower_index_v1 was made from another model than two_tower_v2" in one for one in missing)


@pytest.mark.parametrize("harm", ["cut", "flipped", "gone"])
def test_an_index_that_is_damaged_or_gone_costs_nothing_but_the_index(site: Path, harm: str) -> None:
    before = ask(site)[1]
    path = site / "models" / "courses" / "two_tower_index_v1" / "index.npy"
    raw = path.read_bytes()
    path.chmod(0o644)
    if harm == "gone":
        path.unlink()
    else:
        path.write_bytes(raw[:-9] if harm == "cut" else raw[:500] + bytes([raw[500] ^ 1]) + raw[501:])
    method, items, missing = ask(site)
    assert (method, items) == ("two_tower", before)
    assert any("no index is published, or it was refused" in one for one in missing)
    assert ask(site, "popularity")[2] == []


def test_a_rebuilt_index_is_taken_up_while_serving(site: Path) -> None:
    serving = live(site)
    assert build_index(options(site)) == 0
    assert serving.refresh() == ["courses/two_tower_index"]


def test_without_a_model_it_says_what_to_train(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    write_export(tmp_path / "data", load("courses"), clubs()[0], [Happening("u1", "i000", "enroll", NOW)])
    assert build_index(options(tmp_path)) == 1
    assert "no two-tower model is published; run: train_two_tower" in capsys.readouterr().err


def test_a_use_case_without_such_an_engine_is_told_the_option(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert build_index(["--use-case", "posts", "--data-dir", str(tmp_path), "--models-dir", str(tmp_path)]) == 1
    assert 'write options = { index = "faiss" }' in capsys.readouterr().err


def test_what_is_compared_are_lists_of_real_people(site: Path) -> None:
    recall = store(site).load("two_tower_index")
    assert recall is not None
    assert recall.manifest.metrics["recall_at"] == 50
    assert np.asarray(recall.arrays["index"]).dtype == np.uint8
