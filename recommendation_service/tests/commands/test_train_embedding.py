"""train_embedding and train_all with texts: what is published, what a broken model folder costs, and what is taken up again."""

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from recommendation_service import train_all
from recommendation_service.cli import script
from recommendation_service.publishing.store import Artifact, ArtifactStore
from recommendation_service.tests.support.exports import clubs, write_export
from recommendation_service.tests.support.tiny_models import COLOURS, THINGS, sentence_model
from recommendation_service.training.models.embedding import FILE_NAME
from recommendation_service.use_cases.loader import load_file

train_embedding = script("train", "embedding")

BOARD = """
name = "club"
catalogues = ["club"]
[events]
like = 3.0
[engines]
near = { kind = "embedding", training = { dimension = 8 } }
content_based = { kind = "content" }
popular = { kind = "popularity" }
[surfaces.home]
catalogue = "club"
router = { kind = "fixed", options = { engine = "near" } }
fallback = ["near", "popular"]
"""


@pytest.fixture
def site(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An export whose texts the tiny model can read, and a use case that wants its vectors."""
    (tmp_path / "cases").mkdir()
    (tmp_path / "cases" / "club.toml").write_text(BOARD)
    monkeypatch.setenv("RS_USE_CASES_DIR", str(tmp_path / "cases"))
    monkeypatch.setenv("RS_DATA_DIR", str(tmp_path / "data"))
    monkeypatch.setenv("RS_MODELS_DIR", str(tmp_path / "models"))
    export(tmp_path)
    return tmp_path


def export(root: Path, *, more: str = "") -> None:
    records, happenings, profiles = clubs(people=30, items=24)
    texts = [f"{COLOURS[row % 6]} {THINGS[row % 10]} {more if row < 2 else ''}" for row in range(len(records))]
    records = [replace(one, text=text) for one, text in zip(records, texts, strict=True)]
    write_export(root / "data", load_file(root / "cases" / "club.toml"), records, happenings, profiles)


def published(site: Path, kind: str = "embedding") -> Artifact | None:
    return ArtifactStore(site / "models" / "club").load(kind)


def test_the_command_publishes_unit_vectors_of_the_stated_dimension(site: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert train_embedding([]) == 0
    model = published(site)
    assert model is not None
    assert model.arrays["item_vectors"].shape == (24, 8)
    assert published(site, "content") is None
    assert "-> embedding_v1" in capsys.readouterr().out


def test_the_setting_goes_before_the_file(site: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("RS_CLUB_EMBEDDING_DIMENSION", "3")
    assert train_embedding([]) == 0
    model = published(site)
    assert model is not None
    assert (model.arrays["item_vectors"].shape, model.manifest.parameters["dimension"]) == ((24, 3), 3)


def test_a_model_of_ones_own_is_read_once_and_only_new_texts_after(site: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("RS_CLUB_EMBEDDING_MODEL", str(sentence_model(site / "tiny")))
    monkeypatch.setenv("RS_CLUB_EMBEDDING_DIMENSION", "32")
    assert train_embedding([]) == 0
    first = published(site)
    assert first is not None
    assert first.arrays["item_vectors"].shape == (24, 32)
    assert (site / "data" / "club" / FILE_NAME).is_file()
    monkeypatch.setattr("recommendation_service.training.models.embedding.open_embedder", None)  # nobody opens it again
    assert train_embedding(["--force"]) == 0
    second = published(site)
    assert second is not None
    assert second.version == "embedding_v2"
    np.testing.assert_array_equal(first.arrays["item_vectors"], second.arrays["item_vectors"])


def test_the_vectors_file_survives_later_exports_and_only_changed_texts_are_embedded(
    site: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("RS_CLUB_EMBEDDING_MODEL", str(sentence_model(site / "tiny")))
    assert train_embedding([]) == 0
    before = published(site)
    export(site, more="knife")
    assert train_embedding(["--force"]) == 0
    after = published(site)
    assert before is not None
    assert after is not None
    changed = before.arrays["text_hashes"] != after.arrays["text_hashes"]
    assert np.flatnonzero(changed).tolist() == [0, 1]


@pytest.mark.parametrize("name", ["gone", "sentence-transformers/all-MiniLM-L6-v2"])
def test_a_missing_model_is_told_and_todays_model_keeps_serving(
    site: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], name: str
) -> None:
    assert train_embedding([]) == 0
    monkeypatch.setenv("RS_CLUB_EMBEDDING_MODEL", name)
    assert train_all.main([]) == 1
    told = capsys.readouterr().err
    assert f"EMBEDDING_MODEL: {name} is not a folder" in told
    assert "Traceback" not in told
    model, other = published(site), published(site, "content")
    assert model is not None
    assert model.version == "embedding_v1"
    assert other is not None  # the other kinds go on


def test_a_model_that_is_gone_since_does_not_stop_its_successor(site: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    folder = sentence_model(site / "tiny")
    monkeypatch.setenv("RS_CLUB_EMBEDDING_MODEL", str(folder))
    assert train_embedding([]) == 0
    folder.rename(site / "elsewhere")
    monkeypatch.delenv("RS_CLUB_EMBEDDING_MODEL")
    assert train_embedding([]) == 0
    model = published(site)
    assert model is not None
    assert (model.version, model.manifest.parameters["model"]) == ("embedding_v2", "")


def test_the_manifest_is_whole_json_and_names_the_libraries(site: Path) -> None:
    assert train_embedding([]) == 0
    manifest = json.loads((site / "models" / "club" / "embedding_v1" / "manifest.json").read_text())
    assert set(manifest["libraries"]) == {"scikit-learn", "numpy"}
    assert manifest["parameters"]["n_dimensions"] == 8
