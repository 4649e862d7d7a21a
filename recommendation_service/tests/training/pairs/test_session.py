import json
from dataclasses import replace

import numpy as np
import pytest

from recommendation_service import cli, train_all
from recommendation_service.cli import script
from recommendation_service.datasets.pair_features import join_pairs
from recommendation_service.datasets.records import ItemRecord
from recommendation_service.domain.catalogue import Catalogue
from recommendation_service.domain.idmap import IdMap
from recommendation_service.engines.neural import Neural
from recommendation_service.errors import PublishRefused
from recommendation_service.publishing.store import ArtifactStore
from recommendation_service.tests.support.exports import NOW, Happening, write_export
from recommendation_service.tests.support.market import World, by_quality, cleaners, job, pair_config
from recommendation_service.training.pairs import session
from recommendation_service.training.parameters import bid_parameters
from recommendation_service.training.publish_gate import Lost
from recommendation_service.use_cases.loader import load

train_neural = script("train", "neural")

CLEANING = load("cleaning")
QUICK = ["--epochs", "12"]


def quick_bids(use_case, *, seed):
    """Bids as the file says, trained for a moment."""
    return replace(bid_parameters(use_case, seed=seed), epochs=3)


@pytest.fixture
def site(tmp_path, monkeypatch):
    """A marketplace whose people bid and review and do nothing else; models are trained for a moment."""
    recipe_is(monkeypatch, "bid", stated=quick_bids)
    export(tmp_path)
    return tmp_path


def recipe_is(monkeypatch, kind, **changed):
    """One kind's recipe with something else in the place of a part."""
    kept = {**session.PAIR_RECIPES, kind: replace(session.PAIR_RECIPES[kind], **changed)}
    monkeypatch.setattr(session, "PAIR_RECIPES", kept)


def export(place, *, jobs=300, happenings=(), rating=by_quality):
    """Both catalogues; the matches are with the cleaners, as `[pairs]` says."""
    records = [ItemRecord(f"i{row}", f"Item {row}") for row in range(3)]
    matches = World(jobs).matches(rating) if jobs else None
    write_export(place / "data", CLEANING, records, list(happenings), catalogue="jobs")
    return write_export(place / "data", CLEANING, records, list(happenings), catalogue="cleaners", matches=matches)


def options(place, *more):
    return ["--use-case", "cleaning", "--data-dir", str(place / "data"), "--models-dir", str(place / "models"), *more]


def store(place):
    return ArtifactStore(place / "models" / "cleaners")


def test_train_all_trains_both_pair_models_where_there_are_no_interactions_at_all(site, capsys):
    assert train_all.main(options(site)) == 0
    told = capsys.readouterr().out
    assert store(site).load("neural").version == "neural_v1"
    assert "cleaners   neural" in told
    assert "alpha" in told
    assert "cleaners   bid" in told
    assert store(site).load("bid") is not None or "skipped" in told
    assert "jobs       pairs are trained with cleaners" in told
    assert told.endswith("next: tandem models\n")


def test_interactions_in_such_a_marketplace_change_nothing(site):
    export(site, happenings=[Happening(f"u{user}", f"i{user % 3}", "view", NOW - user) for user in range(9)])
    assert train_all.main(options(site)) == 0
    assert store(site).load("neural") is not None


def test_what_is_published_is_what_the_engine_reads(site):
    assert train_neural(options(site, *QUICK)) == 0
    artifact = store(site).load("neural")
    nothing = np.zeros(1, dtype=np.float32)
    catalogue = Catalogue("cleaners", IdMap.of(["w0"]), ("w0",), nothing, nothing)
    engine = Neural("neural", artifact, catalogue, pair_config=pair_config())
    found = engine.score_pairs(join_pairs(pair_config(), job(), cleaners(4)))
    assert np.isfinite(found.total).all()
    assert np.isfinite(found.collaborative).all()


def test_the_command_tells_every_epoch_and_at_the_end_the_errors_alpha_version_and_what_is_next(site, capsys):
    assert train_neural(options(site, *QUICK, "--model-version", "2.0")) == 0
    lines = capsys.readouterr().out.splitlines()
    assert sum(" epoch " in line and "validation" in line for line in lines) >= 3
    last = next(line for line in lines if line.startswith("cleaners   neural"))
    for word in ("MSE", "MAE", "R²", "alpha", "-> neural_v1 (2.0)"):
        assert word in last
    assert lines[-1] == "next: tandem models"


def test_the_manifest_says_what_it_was_made_of_and_how(site):
    assert train_neural(options(site, *QUICK, "--model-version", "2.0", "--val-split", "0.15", "--seed", "7")) == 0
    manifest = store(site).load("neural").manifest
    told = manifest.parameters
    assert (told["label"], told["valid_share"], told["seed"], told["epochs"], told["batch"]) == ("2.0", 0.15, 7, 12, 256)
    assert manifest.dataset["matches"] == 1200
    assert manifest.dataset["rated"] == 300
    assert manifest.dataset["export"] == "export_v1"
    assert set(manifest.libraries) == {"torch", "scikit-learn", "numpy"}
    assert manifest.metrics["validation_pairs"] == 45


def test_the_label_shows_where_models_are_listed(site, capsys, monkeypatch):
    assert train_neural(options(site, *QUICK, "--model-version", "spring 2.0")) == 0
    capsys.readouterr()
    monkeypatch.setenv("RS_DATA_DIR", str(site / "data"))
    monkeypatch.setenv("RS_MODELS_DIR", str(site / "models"))
    monkeypatch.setenv("RS_USE_CASES", "cleaning")
    assert cli.main(["models"]) == 0
    line = next(line for line in capsys.readouterr().out.splitlines() if line.startswith("cleaners     neural"))
    assert "neural_v1" in line
    assert line.endswith("(spring 2.0)")


def test_options_come_before_the_file_and_the_target_may_be_chosen(site):
    assert train_neural(options(site, *QUICK, "--target", "hired", "--force")) == 0
    found = store(site).load("neural").manifest
    assert found.parameters["target"] == "hired"
    assert {"top_1", "top_3"} <= set(found.metrics)


def test_a_network_worse_than_todays_is_a_candidate_and_todays_settings_are_trained_again(site, capsys):
    assert train_neural(options(site, "--epochs", "40")) == 0
    assert train_neural(options(site, "--epochs", "1", "--model-version", "2.0")) == 0
    told = capsys.readouterr().out
    assert "kept as candidate neural_v2; to publish it: tandem models rollback neural --catalogue cleaners" in told
    again, candidate = store(site).load("neural"), store(site).candidates("neural")["neural_v2"]
    assert (again.version, again.manifest.parameters["epochs"], again.manifest.parameters["label"]) == ("neural_v3", 40, "2.0")
    assert candidate.parameters["epochs"] == 1
    assert "above today's" in candidate.warnings[0]
    assert train_neural(options(site, "--epochs", "1", "--force")) == 0
    forced = store(site).load("neural")
    assert forced.version == "neural_v4"
    assert any(warning.startswith("forced: loss") for warning in forced.manifest.warnings)
    assert forced.manifest.metrics["compared"]["loss"] > forced.manifest.metrics["compared"]["today"]


def test_training_again_is_no_worse_than_today_and_byte_equal(site):
    for _ in range(2):
        assert train_neural(options(site, *QUICK)) == 0
    first, second = (sorted((site / "models" / "cleaners" / f"neural_v{number}").glob("*.npy")) for number in (1, 2))
    assert [path.read_bytes() for path in first] == [path.read_bytes() for path in second]


def test_an_export_that_lost_half_its_matches_is_refused(site, capsys):
    assert train_neural(options(site, *QUICK)) == 0
    export(site, jobs=120)
    assert train_neural(options(site, *QUICK)) == 1
    assert "480 matches; today's model was made from 1,200" in capsys.readouterr().err


@pytest.mark.parametrize(("jobs", "word"), [(0, "no matches"), (30, "neural needs 100 reviewed jobs; this export has 30")])
def test_too_little_is_said_and_no_failure(site, capsys, jobs, word):
    export(site, jobs=jobs)
    assert train_all.main(options(site)) == 0
    assert word in capsys.readouterr().out
    assert store(site).load("neural") is None


def test_a_first_network_that_is_worse_than_the_mean_is_not_published_and_no_failure(site, capsys, monkeypatch):
    recipe_is(monkeypatch, "neural", lost=lambda *_given: Lost(0.09, 0.08, "foretelling the mean"))
    assert train_neural(options(site, *QUICK)) == 0
    told = capsys.readouterr().out
    assert "skipped: " in told
    assert "loss 0.0900 is more than 2% above 0.0800 of foretelling the mean" in told
    assert store(site).load("neural") is None
    assert train_neural(options(site, *QUICK, "--force")) == 0
    assert store(site).load("neural").manifest.warnings[-1].startswith("forced: loss 0.0900")
    assert train_neural(options(site, *QUICK)) == 1  # now there is one to keep
    assert "the published model stays in use" in capsys.readouterr().out


def test_a_training_that_runs_away_is_a_refusal_that_tells_the_fix(site, capsys, monkeypatch):
    def run_away(*_given):
        raise PublishRefused("neural: the validation loss is no number; lower the learning rate")

    recipe_is(monkeypatch, "neural", train=run_away)
    assert train_all.main(options(site)) == 1
    told = capsys.readouterr()
    assert "lower the learning rate" in told.err
    assert "cleaners   bid" in told.out  # the other kinds go on


def test_a_dry_run_says_what_would_be_trained_and_writes_nothing(site, capsys):
    assert train_all.main(options(site, "--dry-run")) == 0
    assert "cleaners   would train neural, bid" in capsys.readouterr().out
    assert not (site / "models").exists()


def test_a_damaged_model_of_today_does_not_block_the_next(site, capsys):
    assert train_neural(options(site, *QUICK)) == 0
    path = site / "models" / "cleaners" / "neural_v1" / "content1_weights.npy"
    path.chmod(0o644)
    path.write_bytes(path.read_bytes()[:-4] + b"\x00\x00\x80\x7f")
    assert train_neural(options(site, *QUICK)) == 0
    assert "today's model cannot be read" in capsys.readouterr().err
    assert store(site).load("neural").version == "neural_v2"


@pytest.mark.parametrize(
    "wrong",
    [["--epochs", "0"], ["--val-split", "0"], ["--val-split", "1"], ["--target", "luck"], ["--learning-rate", "0"],
     ["--batch-size", "-1"], ["--model-version", "x" * 41], ["--epochs", "many"]],
)  # fmt: skip
def test_wrong_usage_ends_with_two(site, wrong, capsys):
    assert train_neural(options(site, *wrong)) == 2
    assert "Usage:" in capsys.readouterr().err


def test_a_use_case_without_pairs_is_told_so(site, capsys):
    assert train_neural(["--use-case", "posts", "--data-dir", str(site / "data")]) == 1
    assert "posts: no engine of kind neural" in capsys.readouterr().err


def test_metrics_are_plain_json(site):
    assert train_neural(options(site, *QUICK)) == 0
    text = (site / "models" / "cleaners" / "neural_v1" / "manifest.json").read_text(encoding="utf-8")
    figures = json.loads(text)["metrics"]
    assert 0 < figures["alpha"] < 1
    assert figures["mse"] < figures["baseline"]["mse"]
