"""The courses list's commands under the names it gives, on an export made by the real writer."""

import csv
import json
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import faiss
import numpy as np
import pytest
from sqlalchemy import create_engine, insert
from typer.testing import CliRunner

from app import cli, views
from app.eval import eval_two_tower
from app.scripts import export_item_embeddings, prepare_training_data, train_two_tower, update_online_model
from app.scripts.prepare_training_data import harmless
from recommendation_service.histories import tables
from recommendation_service.publishing.store import ArtifactStore
from recommendation_service.tests.support import shown
from recommendation_service.tests.support.exports import Happening, clubs, write_export
from recommendation_service.tests.support.shown import List
from recommendation_service.training import trainers
from recommendation_service.training.parameters import TwoTowerParameters
from recommendation_service.use_cases.loader import load

ROOT = Path(__file__).parents[2]
runner = CliRunner()


@pytest.fixture
def site(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An export of courses, small towers, and the environment of the commands."""
    small = TwoTowerParameters(dimension=8, hidden=16, epochs=3)
    kept = {**trainers.RECIPES, "two_tower": replace(trainers.RECIPES["two_tower"], stated=small)}
    monkeypatch.setattr(trainers, "RECIPES", kept)
    records, happenings, profiles = clubs(people=60, items=120, events_each=12)
    enrolled = [Happening(one.user_id, one.item_id, "enroll", one.time) for one in happenings]
    write_export(tmp_path / "data", load("courses"), records, enrolled, profiles)
    for name, value in {"RS_DATA_DIR": "data", "RS_MODELS_DIR": "models"}.items():
        monkeypatch.setenv(name, str(tmp_path / value))
    return tmp_path


def store(site: Path) -> ArtifactStore:
    return ArtifactStore(site / "models" / "courses")


def files(site: Path) -> set[str]:
    return {path.name for path in (site / "models" / "courses").iterdir() if path.is_file() and path.suffix != ".current"}


def test_train_export_rebuild_and_evaluate_in_the_words_of_the_list(site: Path) -> None:
    trained = runner.invoke(cli.app, ["train-two-tower", "--epochs", "2", "--batch-size", "32"])
    assert trained.exit_code == 0
    model = store(site).load("two_tower")
    assert model is not None
    assert (model.manifest.parameters["batch"], model.arrays["item_vectors"].shape) == (32, (120, 8))
    assert runner.invoke(cli.app, ["export-embeddings"]).exit_code == 0
    assert {views.MODEL, views.EMBEDDINGS, views.INDEX} <= files(site)
    assert runner.invoke(cli.app, ["rebuild-index"]).exit_code == 0
    assert store(site).folder("two_tower_index").versions()[0] == "two_tower_index_v3"
    measured = runner.invoke(cli.app, ["eval-two-tower", "--k", "5"])
    assert measured.exit_code == 0
    for word in ("two_tower", "popularity", "content", "hybrid", "P@5", "R@5", "NDCG@5"):
        assert word.casefold() in measured.output.casefold()


def test_the_stable_files_are_the_published_model(site: Path) -> None:
    assert train_two_tower.main(["--epochs", "2"]) == 0
    assert export_item_embeddings.main([]) == 0
    model, folder = store(site).load("two_tower"), site / "models" / "courses"
    assert model is not None
    embeddings = np.load(folder / views.EMBEDDINGS, allow_pickle=False)
    np.testing.assert_array_equal(embeddings, model.arrays["item_vectors"])
    with np.load(folder / views.MODEL, allow_pickle=False) as arrays:
        assert set(arrays.files) == set(model.arrays)
        np.testing.assert_array_equal(arrays["layer1_weights"], model.arrays["layer1_weights"])
    raw = np.frombuffer((folder / views.INDEX).read_bytes(), dtype=np.uint8)
    index = faiss.deserialize_index(raw)
    assert index.search(np.ascontiguousarray(embeddings[:1]), 1)[1].tolist() == [[0]]


def test_an_index_of_another_model_does_not_stay_beside_new_embeddings(site: Path) -> None:
    train_two_tower.main(["--epochs", "2"])
    export_item_embeddings.main([])
    store(site).folder("two_tower_index").pointer_path.unlink()
    views.write_views(store(site))
    assert views.INDEX not in files(site)


def test_nothing_published_is_one_line_that_tells_the_fix(site: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert export_item_embeddings.main([]) == 1
    assert "no two-tower model is published" in capsys.readouterr().err


def test_the_shipped_configuration_trains(site: Path) -> None:
    text = (ROOT / "configs" / "two_tower.yaml").read_text(encoding="utf-8")
    config = site / "two_tower.yaml"
    config.write_text(text.replace("epochs: 60", "epochs: 1").replace("[view, click, enroll, complete]", "[enroll]"))
    assert train_two_tower.main(["--config", str(config)]) == 0
    model = store(site).load("two_tower")
    assert model is not None
    assert model.arrays["item_vectors"].shape == (120, 64)


def test_training_data_comes_from_the_export_where_no_database_is_set(site: Path, capsys: pytest.CaptureFixture[str]) -> None:
    output = site / "deep" / "training_data.csv"
    assert prepare_training_data.main(["--output", str(output)]) == 0
    rows = list(csv.DictReader(output.read_text(encoding="utf-8").splitlines()))
    assert len(rows) == 720
    assert set(rows[0]) == {"user_id", "item_id", "event", "value", "timestamp"}
    assert [row["timestamp"] for row in rows] == sorted(row["timestamp"] for row in rows)
    assert "wrote 720 interactions" in capsys.readouterr().out


def test_training_data_comes_from_the_database_where_one_is_set(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    url = shown.sqlite(tmp_path)
    engine = create_engine(url)
    tables.METADATA.create_all(engine)
    with engine.begin() as connection:
        connection.execute(insert(tables.USERS), [{"id": 1, "user_id": "=cmd()"}])
        connection.execute(insert(tables.ITEMS), [{"id": 1, "item_id": "course_python_basic"}])
        connection.execute(insert(tables.CATALOGUES), [{"id": 1, "name": "courses"}, {"id": 2, "name": "movies"}])
        connection.execute(insert(tables.EVENTS), [{"id": 1, "name": "enroll"}])
        row = {"user_id": 1, "item_id": 1, "catalogue_id": 1, "kind_id": 1, "value": None, "time": shown.NOW}
        connection.execute(insert(tables.INTERACTIONS), [row, {**row, "catalogue_id": 2}])
    engine.dispose()
    monkeypatch.setenv("RS_DATABASE_URL", url)
    output = tmp_path / "training_data.csv"
    assert prepare_training_data.main(["--output", str(output)]) == 0
    (found,) = csv.DictReader(output.read_text(encoding="utf-8").splitlines())
    assert found == {
        "user_id": "'=cmd()",
        "item_id": "course_python_basic",
        "event": "enroll",
        "value": "",
        "timestamp": shown.NOW.isoformat(),
    }


@pytest.mark.parametrize("word", ["=1", "+1", "-1", "@x", "\tx", "\rx"])
def test_no_word_becomes_a_formula(word: str) -> None:
    assert harmless(word) == f"'{word}"
    assert harmless("course-1") == "course-1"


def test_the_online_update_writes_the_state_under_the_name_of_the_list(
    site: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    url = shown.sqlite(site)
    shown.make_tables(url)
    lists = [List("content") for _ in range(12)]
    shown.write(url, lists, [one.answered("enroll") for one in lists])
    monkeypatch.setenv("RS_DATABASE_URL", url)
    assert update_online_model.main(["--hours", "24", "--min-interactions", "10"]) == 0
    assert "content 1.000 of 12" in capsys.readouterr().out
    state = json.loads((site / "models" / "courses" / "bandit_state.json").read_text())
    assert state["arms"]["content"]["mean"] == 1


def test_an_expected_failure_is_one_line(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("RS_DATA_DIR", str(tmp_path))
    monkeypatch.setenv("RS_MODELS_DIR", str(tmp_path))
    for program in (eval_two_tower, train_two_tower, prepare_training_data):
        assert program.main([]) == 1


@pytest.mark.parametrize(
    "module",
    [
        "app.cli",
        "app.scripts.prepare_training_data",
        "app.scripts.train_two_tower",
        "app.scripts.export_item_embeddings",
        "app.scripts.update_online_model",
        "app.eval.eval_two_tower",
    ],
)
def test_every_module_of_the_list_runs_by_its_name(module: str) -> None:
    ran = subprocess.run([sys.executable, "-m", module, "--help"], cwd=ROOT, capture_output=True, text=True, check=False)
    assert ran.returncode == 0, ran.stderr
    assert "usage" in ran.stdout.casefold()


def test_show_config_masks_secrets() -> None:
    program = [sys.executable, "-m", "app.cli", "show-config"]
    environ = {"PATH": "/bin", "RS_DB_PASSWORD": "canary", "DEFAULT_RECOMMENDER": "hybrid", "EMBEDDING_DIM": "64"}
    told = subprocess.run(program, cwd=ROOT, env=environ, capture_output=True, text=True, check=True).stdout
    assert "canary" not in told
    assert "DEFAULT_RECOMMENDER=hybrid" in told
    assert "EMBEDDING_DIM=64" in told


def test_the_service_of_the_same_name_still_starts_by_its_path() -> None:
    path = str(ROOT / "recommendation_service" / "app.py")
    ran = subprocess.run([sys.executable, path], cwd=ROOT, env={"PATH": "/bin"}, capture_output=True, text=True, check=False)
    assert ran.returncode == 1
    assert "RS_SIGNING_KEYS" in ran.stderr  # it read its own settings and refused to serve without keys
