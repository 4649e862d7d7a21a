"""`--tune`, command by command: what the manifest tells, how the budget is cut, and what Ctrl-C leaves."""

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path

import pytest

from recommendation_service import cli, train_all, train_als, train_two_tower
from recommendation_service.cli import script
from recommendation_service.publishing.store import Artifact, ArtifactStore
from recommendation_service.tests.support.exports import clubs, write_export
from recommendation_service.tests.support.tiny_models import sentence_model
from recommendation_service.training import publish_gate, trainers
from recommendation_service.training import tuning as searching
from recommendation_service.training.parameters import MarginParameters, SASRecParameters, TwoTowerParameters
from recommendation_service.training.session import REMEMBERED
from recommendation_service.training.tuning import SEARCHES
from recommendation_service.use_cases.loader import load_file

train_co_occurrence = script("train", "co_occurrence")
train_content = script("train", "content")
train_ease = script("train", "ease")
train_embedding = script("train", "embedding")
train_margin = script("train", "margin")
train_next_item = script("train", "next_item")
train_sasrec = script("train", "sasrec")

Command = Callable[[Sequence[str]], int]
ROOT = Path(__file__).parents[3]
COMMANDS: dict[str, Command] = {
    "als": train_als.main,
    "ease": train_ease,
    "next_item": train_next_item,
    "two_tower": train_two_tower.main,
    "sasrec": train_sasrec,
    "content": train_content,
    "embedding": train_embedding,
    "margin": train_margin,
    "item_knn": lambda argv: cli.main(["train", "item_knn", *argv]),
}
CLUB = """
name = "club"
catalogues = ["club"]
[events]
like = 3.0
[engines]
popular = { kind = "popularity" }
together = { kind = "co_occurrence" }
""" + "".join(f'one_{kind} = {{ kind = "{kind}" }}\n' for kind in COMMANDS)
CLUB += """
[surfaces.home]
catalogue = "club"
router = { kind = "fixed", options = { engine = "popular" } }
fallback = ["popular"]
"""


@pytest.fixture
def club(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A use case with an engine of every kind that has a search, its export, and learned models kept small."""
    (tmp_path / "cases").mkdir()
    (tmp_path / "cases" / "club.toml").write_text(CLUB)
    monkeypatch.setenv("RS_USE_CASES_DIR", str(tmp_path / "cases"))
    monkeypatch.setenv("RS_DATA_DIR", str(tmp_path / "data"))
    monkeypatch.setenv("RS_MODELS_DIR", str(tmp_path / "models"))
    small = {
        "two_tower": TwoTowerParameters(dimension=4, hidden=8, epochs=2),
        "sasrec": SASRecParameters(dimension=4, layers=1, recent=8, epochs=2),
        "margin": MarginParameters(emb_dim=4, content_dim=4, epochs=2),
    }
    kept = {kind: replace(recipe, stated=small.get(kind, recipe.stated)) for kind, recipe in trainers.RECIPES.items()}
    monkeypatch.setattr(trainers, "RECIPES", kept)
    write_export(tmp_path / "data", load_file(tmp_path / "cases" / "club.toml"), *clubs(people=40, items=24, events_each=10))
    return tmp_path


def published(club: Path, kind: str) -> Artifact:
    model = ArtifactStore(club / "models" / "club").load(kind)
    assert model is not None
    return model


def remembered(club: Path) -> dict[str, float]:
    scores: dict[str, float] = json.loads((club / "models" / "club" / REMEMBERED).read_text(encoding="utf-8"))["scores"]
    return scores


def test_every_kind_with_a_search_has_a_command_that_begins_it() -> None:
    assert set(COMMANDS) == set(SEARCHES)


@pytest.mark.parametrize("kind", COMMANDS)
def test_the_manifest_tells_what_a_search_found(club: Path, kind: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert COMMANDS[kind](["--tune", "--budget-seconds", "600"]) == 0
    manifest = published(club, kind).manifest
    found = manifest.metrics["tuning"]
    assert found["tuned_ndcg_at_10"] >= found["stated_ndcg_at_10"] > 0
    assert found["gain"] == pytest.approx(found["tuned_ndcg_at_10"] / found["stated_ndcg_at_10"] - 1)
    assert found["tried"] == len(remembered(club)) > 2
    assert found["whole_search"] is True
    assert manifest.metrics["validation_ndcg_at_10"] == pytest.approx(found["tuned_ndcg_at_10"])
    assert f"club       tune {kind}" in capsys.readouterr().out


@pytest.mark.parametrize("kind", COMMANDS)
def test_without_tune_the_commands_search_nothing(club: Path, kind: str) -> None:
    assert COMMANDS[kind](["--budget-seconds", "600"]) == 0
    assert "tuning" not in published(club, kind).manifest.metrics
    assert not (club / "models" / "club" / REMEMBERED).exists()


def test_the_list_of_models_tells_what_a_search_gained(club: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert train_ease(["--tune", "--budget-seconds", "600"]) == 0
    assert train_next_item(["--tune", "--budget-seconds", "0.000001"]) == 0
    assert train_content([]) == 0
    assert capsys.readouterr()
    assert cli.main(["models"]) == 0
    lines = capsys.readouterr().out.splitlines()
    told = {line.split()[1]: line for line in lines}
    assert lines[lines.index(told["next_item"]) + 1].startswith("  warning: the search ended at its ceiling of seconds")
    tuning = published(club, "ease").manifest.metrics["tuning"]
    assert told["ease"].endswith(f"tuned: NDCG@10 {tuning['gain']:+.0%} over the configured settings, {tuning['tried']} tried")
    assert told["next_item"].endswith(
        "tuned: NDCG@10 +0% over the configured settings, 1 tried, ended by its ceiling of seconds"
    )
    assert "tuned" not in told["content"]
    warnings = published(club, "next_item").manifest.warnings
    assert any("ended at its ceiling of seconds after 1 trials" in warning for warning in warnings)
    assert published(club, "ease").manifest.warnings == ()


def test_what_an_option_says_is_where_the_search_begins(club: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(searching, "SEARCHES", {"ease": ({"decay_days": (9.0,)},)})
    assert train_ease(["--tune", "--regularization", "77"]) == 0
    assert published(club, "ease").manifest.parameters["regularization"] == 77
    assert [json.loads(key.partition(" ")[2])["regularization"] for key in remembered(club)] == [77, 77]


def test_a_command_of_one_kind_has_the_whole_budget_and_train_all_cuts_it_in_equal_parts(
    club: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    found: dict[str, float] = {}

    def noted(kind: str, stated: object, measure: Callable[[object], float], **words: float) -> searching.SearchResult:
        found[kind] = words["budget_s"]
        once = searching.Trial(stated, measure(stated))
        return searching.SearchResult(once, once, (once,), True)

    monkeypatch.setattr("recommendation_service.training.tuning.search", noted)
    assert train_ease(["--tune", "--budget-seconds", "70"]) == 0
    assert found == {"ease": 70}
    assert train_all.main(["--budget-seconds", "70"]) == 0
    assert found == dict.fromkeys(COMMANDS, 70 / len(COMMANDS))


def fingerprints(club: Path) -> dict[str, str]:
    """Of the arrays of every published model."""
    return {kind: published(club, kind).manifest.fingerprint for kind in COMMANDS}


@pytest.mark.timeout(300)
def test_a_busy_machine_and_a_second_run_give_the_same_models(club: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The same export and seed: once alone, again beside a program for each core, and again on what was published."""
    assert train_all.main([]) == 0
    alone = fingerprints(club)
    hogs = [subprocess.Popen([sys.executable, "-c", "while True: pass"]) for _ in range(2 * (os.cpu_count() or 1))]
    try:
        monkeypatch.setenv("RS_MODELS_DIR", str(club / "busy"))
        assert train_all.main([]) == 0
    finally:
        for hog in hogs:
            hog.kill()
            hog.wait()
    busy = ArtifactStore(club / "busy" / "club")
    assert {kind: model.manifest.fingerprint for kind in COMMANDS if (model := busy.load(kind))} == alone
    for folder in ("models", "busy"):
        monkeypatch.setenv("RS_MODELS_DIR", str(club / folder))
        (club / folder / "club" / REMEMBERED).unlink()
        assert train_all.main([]) == 0
    assert fingerprints(club) == alone
    again = ArtifactStore(club / "busy" / "club")
    assert {kind: model.manifest.fingerprint for kind in COMMANDS if (model := again.load(kind))} == alone


LITERAL: dict[str, list[list[str]]] = {
    "als": [[]],
    "two_tower": [[], ["--epochs", "10", "--batch-size", "32"]],
    "margin": [["--emb-dim", "32", "--epochs", "6", "--topn", "2", "--also", "content"]],
    "sasrec": [["--epochs", "1"]],
}


def test_commands_with_default_settings_succeed_after_a_tuned_training_and_again(
    club: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Each command of the acceptance lists: the tuned settings stay, trained again, and the lists are printed."""
    assert train_all.main([]) == 0
    before = {kind: published(club, kind) for kind in LITERAL}
    for _again in range(2):
        for kind, commands in LITERAL.items():
            for words in commands:
                assert COMMANDS[kind](words) == 0, capsys.readouterr().err
                model = published(club, kind)
                number = int(model.version.rpartition("v")[2])
                assert number > int(before[kind].version.rpartition("v")[2])
                figures = model.manifest.metrics
                earlier = before[kind].manifest.metrics["validation_ndcg_at_10"]
                assert figures["validation_ndcg_at_10"] >= earlier * (1 - publish_gate.WORSE_BY) ** number
    assert "not published; the published model stays in use" not in capsys.readouterr().out


def test_both_halves_of_a_hybrid_are_searched(club: Path) -> None:
    assert train_margin(["--also", "content", "--tune", "--budget-seconds", "600"]) == 0
    for kind in ("margin", "content"):
        assert published(club, kind).manifest.metrics["tuning"]["tried"] > 1


def test_an_epoch_is_called_an_epoch_and_a_try_a_try(club: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert train_margin(["--tune", "--budget-seconds", "600"]) == 0
    told = capsys.readouterr().out
    assert "club/tune margin      try 2/5  negatives 32: " in told
    assert "club/margin           epoch 1/" in told


def test_what_no_search_can_see_is_said_and_trained_as_stated(club: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert train_co_occurrence(["--tune"]) == 0
    assert "co_occurrence: nothing to search; trained with the default settings" in capsys.readouterr().out
    assert "tuning" not in published(club, "co_occurrence").manifest.metrics
    assert train_co_occurrence(["--help"]) == 0
    assert "nothing to search for this kind" in " ".join(capsys.readouterr().out.split())


def test_the_vectors_of_a_ready_made_model_are_not_searched(club: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("RS_CLUB_EMBEDDING_MODEL", str(sentence_model(club / "tiny")))
    assert train_embedding(["--tune", "--force"]) == 0
    assert "tuning" not in published(club, "embedding").manifest.metrics


def test_a_search_that_its_budget_ended_goes_on_with_the_next_run(club: Path) -> None:
    counts = []
    for _ in range(3):
        assert train_next_item(["--tune", "--budget-seconds", "0.000001"]) == 0
        counts.append(len(remembered(club)))
        assert published(club, "next_item").manifest.metrics["tuning"]["whole_search"] is False
    assert counts[0] == 1
    assert train_next_item(["--tune", "--budget-seconds", "600"]) == 0
    assert published(club, "next_item").manifest.metrics["tuning"]["tried"] == len(remembered(club)) > counts[-1]


PROGRAM = """
import signal, sys, time
from recommendation_service.training import tuning
from recommendation_service import cli
signal.signal(signal.SIGINT, signal.default_int_handler)  # a program in the background ignores it
whole = tuning.HyperparameterSearch.measure
def slow(self, parameters):
    print("measured", parameters.regularization, parameters.decay_days, file=sys.stderr, flush=True)
    found = whole(self, parameters)
    time.sleep(float(sys.argv[1]))
    return found
tuning.HyperparameterSearch.measure = slow
sys.exit(cli.main(["train", "ease", "--tune", "--budget-seconds", "600"]))
"""


@pytest.mark.skipif(os.name == "nt", reason="Ctrl-C is sent otherwise there")
@pytest.mark.timeout(120)
def test_ctrl_c_ends_a_search_that_the_same_command_then_goes_on_with(club: Path) -> None:
    begun = subprocess.Popen(
        [sys.executable, "-c", PROGRAM, "0.3"], cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    )
    memory = club / "models" / "club" / REMEMBERED
    end = time.monotonic() + 60
    while begun.poll() is None and time.monotonic() < end and not (memory.exists() and len(remembered(club)) > 1):
        time.sleep(0.01)
    begun.send_signal(signal.SIGINT)
    _, err = begun.communicate(timeout=60)
    assert begun.returncode == 130, err
    assert "WARNING: club: stopped; published models stay, and the same command continues its search" in err
    assert "Traceback" not in err
    assert ArtifactStore(club / "models" / "club").load("ease") is None
    before = remembered(club)
    assert 2 <= len(before) < 10
    again = subprocess.run([sys.executable, "-c", PROGRAM, "0"], cwd=ROOT, capture_output=True, text=True, check=False)
    assert again.returncode == 0, again.stderr
    after = remembered(club)
    assert before.items() <= after.items()
    assert published(club, "ease").manifest.metrics["tuning"]["tried"] == len(after) > len(before)
    measured = [line for line in again.stderr.splitlines() if line.startswith("measured")]
    assert len(measured) <= len(after) - len(before) + 1  # and the best once more, should it have been a remembered one
