"""From the marketplace to a published network, by the command of the acceptance list."""

from datetime import UTC, datetime
from io import StringIO
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from django.conf import settings as django_settings
from django.core.management import CommandError, call_command

from recommendation_service.datasets.reader import Dataset
from recommendation_service.publishing.reading import published
from sites.cleaning.models import CleaningJob, JobBid, Review
from tests.sites.cleaning import marketplace

pytestmark = pytest.mark.timeout(240)
UNTIL = datetime(2026, 11, 1, tzinfo=UTC)


@pytest.fixture
def place(tmp_path: Path, settings: Any, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Exports and models of this test alone."""
    settings.TANDEM = {**django_settings.TANDEM, "DATA_DIR": tmp_path / "data"}
    settings.RECOMMENDATION_MODELS_DIR = tmp_path / "models"
    monkeypatch.setenv("RS_LOG_LEVEL", "ERROR")
    return tmp_path


def train(**words: Any) -> list[str]:
    out = StringIO()
    call_command("train_recommendation_model", stdout=out, **words)
    return out.getvalue().splitlines()


@pytest.mark.django_db(transaction=True)
def test_the_command_exports_trains_and_publishes_where_flask_looks(place: Path) -> None:
    call_command("generate_training_data", jobs=400, cleaners=30, clients=40, until=UNTIL, stdout=StringIO())
    lines = train(epochs=30, batch_size=64, learning_rate=0.002, val_split=0.15, model_version="2.0")
    model = published(place / "models", "cleaners", "neural")
    assert model is not None
    told, figures = model.manifest.parameters, model.manifest.metrics
    assert (told["epochs"], told["batch"], told["learning_rate"], told["valid_share"]) == (30, 64, 0.002, 0.15)
    assert (told["label"], told["target"]) == ("2.0", "rating")
    assert figures["mse"] < figures["baseline"]["mse"]

    reviewed = Review.objects.filter(job__status=CleaningJob.Status.COMPLETED).count()
    assert figures["jobs"] == reviewed
    matches = Dataset.open(place / "data", "cleaners").matches()
    assert matches is not None
    assert int((~np.isnan(matches.ratings)).sum()) == reviewed
    assert len(matches) <= JobBid.objects.count()

    assert sum(" epoch " in line for line in lines) >= 5
    last = next(line for line in lines if line.startswith("cleaners   neural"))
    for word in ("MSE", "MAE", "R²", "alpha", "neural_v1 (2.0)"):
        assert word in last
    assert lines[-1].startswith("next: ")

    ids = {one.decode() for one in model.arrays["second_ids"].tolist()} - {""}
    assert ids <= {str(pk) for pk in Review.objects.values_list("cleaner", flat=True)}


@pytest.mark.django_db(transaction=True)
def test_a_marketplace_without_reviews_is_told_so_and_is_no_failure(place: Path) -> None:
    with pytest.raises(CommandError, match="cleaners: no items"):
        train()
    marketplace.bid(marketplace.make_job(), marketplace.make_cleaner())
    lines = train()
    assert any("skipped: " in line for line in lines)
    assert published(place / "models", "cleaners", "neural") is None


def test_the_options_and_defaults_are_those_of_the_acceptance_list(monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[dict[str, object]] = []
    names = ("epochs", "batch-size", "learning-rate", "val-split", "model-version")
    command = "sites.cleaning.management.commands.train_recommendation_model"
    monkeypatch.setattr(f"{command}.chosen_sources", lambda catalogues: [])

    def run(_module: str, options: dict[str, object], _say: object, *, command: object) -> None:
        asked.append({name: options[name] for name in names})

    monkeypatch.setattr(f"{command}.run_module", run)
    call_command("train_recommendation_model")
    custom = ["--epochs", "100", "--batch-size", "512", "--learning-rate", "0.0005", "--val-split", "0.15"]
    call_command("train_recommendation_model", *custom, "--model-version", "2.0")
    assert asked == [
        {"epochs": 50, "batch-size": 256, "learning-rate": 0.001, "val-split": 0.2, "model-version": "1.0"},
        {"epochs": 100, "batch-size": 512, "learning-rate": 0.0005, "val-split": 0.15, "model-version": "2.0"},
    ]


@pytest.mark.parametrize(
    "wrong", [["--epochs", "0"], ["--batch-size", "0"], ["--learning-rate", "-1"], ["--val-split", "1"], ["--val-split", "0"]]
)
def test_wrong_usage_ends_with_two_before_anything_is_exported(place: Path, wrong: list[str]) -> None:
    with pytest.raises(CommandError) as ended:
        call_command("train_recommendation_model", *wrong)
    assert ended.value.returncode == 2
    assert not (place / "data").exists()
