import json
import os
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from recommendation_service import cli, evaluate, train_all, train_als, train_two_tower
from recommendation_service.cli import script
from recommendation_service.datasets.records import ItemRecord
from recommendation_service.publishing.store import ArtifactStore
from recommendation_service.tests.support.exports import NOW, Happening, clubs, write_export
from recommendation_service.training import trainers
from recommendation_service.training.parameters import TwoTowerParameters
from recommendation_service.use_cases.loader import load

train_co_occurrence = script("train", "co_occurrence")
train_content = script("train", "content")

ROOT = Path(__file__).parents[3]
STARTUPS = load("startups")
QUICK = ["--factors", "8", "--iterations", "5"]


@pytest.fixture
def site(tmp_path, monkeypatch):
    """A clubs export, and the options that name its folders; the towers are kept small."""
    small = TwoTowerParameters(dimension=8, hidden=16, epochs=4)
    kept = {**trainers.RECIPES, "two_tower": replace(trainers.RECIPES["two_tower"], stated=small)}
    monkeypatch.setattr(trainers, "RECIPES", kept)
    write_export(tmp_path / "data", STARTUPS, *clubs(people=60, items=30, events_each=12))
    return tmp_path


def options(site, *more):
    return ["--use-case", "startups", "--data-dir", str(site / "data"), "--models-dir", str(site / "models"), *more]


def store(site):
    return ArtifactStore(site / "models" / "startups")


def test_train_all_publishes_every_kind_and_says_what_to_do_next(site, capsys):
    assert train_all.main(options(site, "--budget-seconds", "1")) == 0
    lines = capsys.readouterr().out.splitlines()
    for kind in ("als", "two_tower", "content", "ensemble"):
        assert store(site).load(kind) is not None
        assert any(line.startswith(f"startups   {kind}") and f"-> {kind}_v1" in line for line in lines)
    assert lines[-1] == "next: tandem evaluate models --use-case startups"
    als = store(site).load("als").manifest
    assert als.metrics["tuning"]["tuned_ndcg_at_10"] >= als.metrics["tuning"]["stated_ndcg_at_10"]
    assert als.dataset["interactions"] == 720
    ensemble = store(site).load("ensemble")
    assert ensemble.arrays["weights"].sum() == pytest.approx(1)
    assert ensemble.arrays["configured_weights"].sum() == pytest.approx(1)
    figures = ensemble.manifest.metrics
    assert figures["learned_ndcg_at_10"] >= max(figures["members_ndcg_at_10"].values())
    assert set(figures["members_interval_95"]) == set(figures["members_ndcg_at_10"])
    for name in ("learned_minus_best_member", "learned_minus_configured"):
        assert figures[name]["mean"] >= 0
        assert figures[name]["people"] == figures["validation_people"]


def test_training_twice_gives_byte_equal_arrays(site):
    for _ in range(2):
        assert train_all.main(options(site, "--no-tune")) == 0
    models = site / "models" / "startups"
    for kind in ("als", "two_tower", "content", "ensemble"):
        first, second = (sorted((models / f"{kind}_v{number}").glob("*.npy")) for number in (1, 2))
        assert [path.name for path in first] == [path.name for path in second]
        assert [path.read_bytes() for path in first] == [path.read_bytes() for path in second]


BAD = ["--factors", "1", "--iterations", "1", "--regularization", "1000000"]


def test_a_challenger_that_lost_is_a_candidate_and_todays_settings_are_trained_again_on_new_data(site, capsys):
    assert train_als.main(options(site, *QUICK)) == 0
    records, happenings, profiles = clubs(people=60, items=30, events_each=12)
    write_export(site / "data", STARTUPS, records, happenings[1:], profiles)
    assert train_als.main(options(site, *BAD)) == 0
    told = capsys.readouterr()
    assert "below today's" in told.err
    assert (
        "kept as candidate als_v2; to publish it: tandem models rollback als --catalogue startups --version als_v2" in told.out
    )
    published, candidate = store(site).load("als"), store(site).candidates("als")
    assert published.version == "als_v3"
    assert published.manifest.dataset["interactions"] == 719
    assert (published.manifest.parameters["factors"], published.manifest.warnings) == (8, ())
    assert list(candidate) == ["als_v2"]
    assert candidate["als_v2"].parameters["factors"] == 1
    assert candidate["als_v2"].warnings[0].startswith("not published: validation NDCG@10")


def test_warnings_and_candidates_are_shown_wherever_a_model_is(site, capsys, monkeypatch):
    monkeypatch.setenv("RS_DATA_DIR", str(site / "data"))
    monkeypatch.setenv("RS_MODELS_DIR", str(site / "models"))
    monkeypatch.setenv("RS_USE_CASES", "startups")
    for settings in (BAD, QUICK, BAD):
        assert train_als.main(options(site, *settings)) == 0
    capsys.readouterr()
    assert cli.main(["models", "rollback", "als", "--catalogue", "startups", "--version", "als_v1"]) == 0
    assert cli.main(["models"]) == 0
    listed = capsys.readouterr().out
    assert "  warning: loses to popularity: validation NDCG@10" in listed
    assert "  candidate als_v" in listed
    assert "not published: validation NDCG@10" in listed
    assert cli.main(["doctor", "--use-case", "startups"]) == 0
    assert "  als: warning: loses to popularity: validation NDCG@10" in capsys.readouterr().out


def test_no_rollback_chooses_a_candidate_but_its_name_publishes_it(site):
    for settings in (QUICK, BAD):
        assert train_als.main(options(site, *settings)) == 0
    assert store(site).rollback("als").version == "als_v1"
    assert store(site).rollback("als", "als_v2").version == "als_v2"
    assert store(site).candidates("als") == {}


def test_candidates_never_push_out_a_published_version(site):
    assert train_als.main(options(site, *QUICK)) == 0
    for _ in range(3):
        assert train_als.main(options(site, *BAD)) == 0
    assert store(site).folder("als").versions() == ["als_v7", "als_v6", "als_v5", "als_v4", "als_v3", "als_v1"]
    assert list(store(site).candidates("als")) == ["als_v6", "als_v4"]


def test_the_exact_solver_is_one_option_away(site):
    assert train_als.main(options(site, *QUICK, "--solver", "exact", "--alpha", "10")) == 0
    told = store(site).load("als").manifest.parameters
    assert (told["solver"], told["frequency_scaling"], told["alpha"]) == ("exact", 1.0, 10.0)
    assert train_als.main(options(site, *QUICK, "--solver", "exact", "--frequency-scaling", "0.5", "--force")) == 0
    assert store(site).load("als").manifest.parameters["frequency_scaling"] == 0.5


def test_force_publishes_what_the_gate_refuses_and_the_manifest_says_so(site):
    assert train_als.main(options(site, *QUICK)) == 0
    assert train_als.main(options(site, *BAD, "--force")) == 0
    published = store(site).load("als")
    assert published.version == "als_v2"
    assert any(warning.startswith("forced: validation NDCG@10") for warning in published.manifest.warnings)


def test_each_kind_has_its_own_command(site):
    assert train_content(options(site)) == 0
    assert train_two_tower.main(options(site, "--dimension", "8", "--epochs", "2")) == 0
    assert store(site).load("content").version == "content_v1"
    assert store(site).load("two_tower").manifest.parameters["dimension"] == 8
    assert store(site).load("als") is None


SHOP = load("shop")


@pytest.fixture
def shop(tmp_path):
    """A clubs export of a shop: everything is an order, and what one person buys in a day is one basket."""
    records, happenings, profiles = clubs(people=80, items=30, events_each=12)
    bought = [replace(one, event="purchase", time=one.time - one.time // 86_400 % 3 * 86_400) for one in happenings]
    write_export(tmp_path / "data", SHOP, records, bought, profiles)
    return tmp_path


def shop_options(shop, *more):
    return ["--use-case", "shop", "--data-dir", str(shop / "data"), *more]


def test_any_use_case_trains_all_its_kinds_and_learns_its_main_ensemble(shop, capsys):
    assert train_all.main(shop_options(shop, "--models-dir", str(shop / "models"))) == 0
    models, told = ArtifactStore(shop / "models" / "shop"), capsys.readouterr().out
    for kind in ("embedding", "co_occurrence", "similar_users", "ease", "next_item", "ensemble"):
        assert models.load(kind) is not None, told
    ensemble = models.load("ensemble")
    assert ensemble.arrays["members"].tolist() == [
        b"content_based", b"collaborative", b"popular", b"ease", b"next_item", b"similar_users",
    ]  # fmt: skip
    assert ensemble.arrays["configured_weights"].tolist() == pytest.approx([0.5, 0.3, 0.2, 0, 0, 0])
    figures = ensemble.manifest.metrics
    assert figures["learned_ndcg_at_10"] >= figures["configured_ndcg_at_10"] > 0
    assert "learned weights are used  -> ensemble_v1" in told
    assert models.load("co_occurrence").manifest.parameters["events"] == ["purchase"]


def test_co_occurrence_has_its_own_command(shop):
    assert train_co_occurrence(shop_options(shop, "--models-dir", str(shop / "models"))) == 0
    assert ArtifactStore(shop / "models" / "shop").load("co_occurrence").version == "co_occurrence_v1"


def test_any_use_case_is_measured_engine_by_engine_under_its_own_names(shop, capsys):
    files = ["--json", str(shop / "e.json"), "--markdown", str(shop / "e.md")]
    assert evaluate.main(shop_options(shop, *files)) == 0
    body = json.loads((shop / "e.json").read_text(encoding="utf-8"))
    figures = {one["model"]: one["ndcg"] for one in body["figures"] if one["segment"] == "all"}
    plain = ["popular", "content_based", "by_words", "similar_users", "ease", "next_item", "bought_together"]
    assert list(figures) == [*plain, "collaborative", "goes_with", "hybrid (configured)", "hybrid (learned)"]
    assert figures["collaborative"] > figures["popular"]
    assert any(note.startswith("hybrid: weights chosen on") for note in body["notes"])
    baskets = {one["model"]: one["recall"] for one in body["baskets"]}
    assert baskets["bought_together"] > baskets["popular"]
    for told in (capsys.readouterr().out, (shop / "e.md").read_text(encoding="utf-8")):
        assert "Baskets of the test part: predict a removed product" in told
        assert "hybrid (learned)" in told


def test_a_dry_run_publishes_nothing(site, capsys):
    assert train_all.main(options(site, "--dry-run")) == 0
    assert "would train als, two_tower, content, ease, next_item and learn the ensemble" in capsys.readouterr().out
    assert not (site / "models").exists()


one_like = [Happening("u1", "i1", "like", NOW)]


@pytest.mark.parametrize(
    ("items", "happenings"),
    [
        (3, []),
        (3, [Happening("u1", "i1", "dismiss", NOW)]),
        (3, one_like),
        (1, one_like * 5),
        (1, [Happening(f"u{user}", "i0", "like", NOW - user) for user in range(9)]),
        (9, [Happening("u1", f"i{row}", "like", NOW - row) for row in range(9)]),
        (4, [Happening(f"u{user}", f"i{row}", "like", NOW) for user in range(4) for row in range(4)]),
        (3, [Happening(f"u{user}", f"i{user}", "like", NOW - user) for user in range(3)]),
    ],
    ids=[
        "no events", "only dislikes", "one event", "one pair repeated", "one item", "one person", "all alike", "one each",
    ],
)  # fmt: skip
def test_degenerate_sites_train_or_say_why_not_and_never_fail(tmp_path, capsys, items, happenings):
    records = [ItemRecord(f"i{row}", f"Item {row}") for row in range(items)]
    write_export(tmp_path / "data", STARTUPS, records, happenings, {"u1": {"skills": ("go",)}})
    assert train_all.main(options(tmp_path, "--no-tune")) == 0
    told = capsys.readouterr().out
    for kind in ("als", "two_tower"):
        published = store(tmp_path).load(kind)
        assert published is not None or "not enough data" in told or "skipped: " in told
        if published is not None:
            assert all(array.size for array in published.arrays.values())


def test_a_missing_export_is_one_line_that_tells_the_fix(tmp_path, capsys):
    assert train_all.main(options(tmp_path)) == 1
    assert capsys.readouterr().err == "error: startups: no export in data/startups; run: manage.py generate_all_datasets\n"


@pytest.mark.parametrize("options", [[], ["--dry-run"]])
def test_unnamed_use_cases_without_an_export_are_passed_over(tmp_path, capsys, monkeypatch, options):
    monkeypatch.setenv("RS_DATA_DIR", str(tmp_path / "data"))
    monkeypatch.setenv("RS_MODELS_DIR", str(tmp_path / "models"))
    assert train_all.main(options) == 0
    printed = capsys.readouterr().out
    assert "startups   no export, skipped" in printed
    assert printed.endswith("next: manage.py generate_all_datasets\n")


@pytest.mark.parametrize(
    "wrong",
    [
        ["--alpha", "0"],
        ["--factors", "0"],
        ["--solver", "exakt"],
        ["--frequency-scaling", "1"],
        ["--solver", "exact", "--frequency-scaling", "2"],
        ["--nonsense"],
    ],
)
def test_wrong_usage_ends_with_two(site, wrong, capsys):
    assert train_als.main(options(site, *wrong)) == 2
    assert "Usage:" in capsys.readouterr().err


def test_evaluate_prints_every_model_and_writes_both_files(site, capsys):
    files = ["--json", str(site / "e.json"), "--markdown", str(site / "e.md")]
    assert (
        evaluate.main(["--use-case", "startups", "--data-dir", str(site / "data"), "--tune", "--budget-seconds", "1", *files])
        == 0
    )
    told = capsys.readouterr().out
    body = json.loads((site / "e.json").read_text(encoding="utf-8"))
    names = [one["model"] for one in body["figures"] if one["segment"] == "all"]
    assert names == [
        "popular",
        "als (configured)",
        "als (tuned)",
        "two_tower (configured)",
        "two_tower (tuned)",
        "content_based (configured)",
        "content_based (tuned)",
        "ease (configured)",
        "ease (tuned)",
        "next_item (configured)",
        "next_item (tuned)",
        "ensemble (configured)",
        "ensemble (learned)",
    ]
    assert all(name in told and name in (site / "e.md").read_text(encoding="utf-8") for name in names)
    by_name = {one["model"]: one["ndcg"] for one in body["figures"] if one["segment"] == "all"}
    assert by_name["als (configured)"] > by_name["popular"]
    assert not (site / "models").exists()


def test_the_scripts_are_thin_and_name_the_same_commands():
    shell, batch = ((ROOT / f"train_all_models.{end}").read_text(encoding="utf-8") for end in ("sh", "bat"))
    for text in (shell, batch):
        assert "generate_all_datasets" in text
        assert "-m recommendation_service.train_all" in text
        assert "OPENBLAS_NUM_THREADS=1" in text


@pytest.mark.skipif(os.name == "nt", reason="the shell script is for the others")
def test_the_shell_script_stops_with_the_exports_own_code(tmp_path):
    fake = tmp_path / "python"
    fake.write_text('#!/bin/sh\necho "$@" >> "$0.log"\nexit 3\n', encoding="utf-8")
    fake.chmod(0o755)
    script = tmp_path / "train_all_models.sh"
    script.write_bytes((ROOT / "train_all_models.sh").read_bytes())
    ended = subprocess.run(
        ["bash", script], env={"PATH": os.environ["PATH"], "PYTHON": str(fake)}, capture_output=True, text=True
    )
    assert ended.returncode == 3
    assert "today's models keep serving" in ended.stderr
    assert (tmp_path / "python.log").read_text(encoding="utf-8") == "backend/manage.py generate_all_datasets\n"


def test_the_learned_weights_are_what_the_engine_reads(site):
    assert train_all.main(options(site, "--no-tune")) == 0
    weights = store(site).load("ensemble").arrays
    assert np.all(weights["weights"] >= 0)
    assert set(weights["members"].tolist()) == {b"als", b"two_tower", b"ease", b"next_item", b"content_based", b"popular"}


def test_serving_packages_stay_out_of_torch_when_only_als_trains():
    probe = "import sys, recommendation_service.train_als; print('torch' in sys.modules)"
    ended = subprocess.run([sys.executable, "-c", probe], capture_output=True, text=True, check=True, cwd=ROOT)
    assert ended.stdout == "False\n"


def test_a_configuration_file_sizes_the_towers_and_an_option_comes_before_it(site):
    config = site / "towers.yaml"
    config.write_text("embedding_dim: 4\nhidden_dims: [6]\nepochs: 2\nevent_types: [like]\n")
    assert train_two_tower.main(options(site, "--config", str(config), "--batch-size", "32")) == 0
    found = store(site).load("two_tower")
    assert found.arrays["layer1_weights"].shape == (8, 6)
    told = found.manifest.parameters
    assert (told["batch"], told["event_types"], told["epochs"]) == (32, ["like"], min(told["epochs"], 2))


def test_the_environment_sizes_the_towers_too(site, monkeypatch):
    monkeypatch.setenv("RS_STARTUPS_EMBEDDING_DIM", "4")
    monkeypatch.setenv("RS_STARTUPS_ITEM_FEATURE_DIM", "3")
    monkeypatch.setenv("RS_STARTUPS_USER_FEATURE_DIM", "2")
    assert train_two_tower.main(options(site, "--epochs", "1")) == 0
    found = store(site).load("two_tower")
    assert found.arrays["item_vectors"].shape == (30, 4)
    assert found.arrays["layer1_weights"].shape == (8, 8)
    told = found.manifest.parameters
    assert (told["user_feature_dim"], told["item_feature_dim"]) == (2, 3)


def test_a_misspelt_key_of_the_configuration_is_one_line(site, capsys):
    config = site / "towers.yaml"
    config.write_text("epoch: 2\n")
    assert train_two_tower.main(options(site, "--config", str(config))) == 1
    assert capsys.readouterr().err.startswith("error: towers.yaml: epoch: ")
