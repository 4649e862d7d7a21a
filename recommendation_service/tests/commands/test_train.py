"""The commands that are one kind's options and nothing else: what they take, what they refuse, what they publish."""

from collections.abc import Callable, Sequence
from pathlib import Path

import pytest

from recommendation_service.cli import script
from recommendation_service.errors import ConfigurationError
from recommendation_service.publishing.store import Artifact, ArtifactStore
from recommendation_service.tests.support.exports import clubs, write_export
from recommendation_service.training.setting import Setting, settings_of
from recommendation_service.training.trainers import RECIPES, stated_for
from recommendation_service.use_cases.loader import load
from recommendation_service.use_cases.overrides import with_training

train_co_occurrence = script("train", "co_occurrence")
train_content = script("train", "content")
train_ease = script("train", "ease")
train_next_item = script("train", "next_item")

STARTUPS = load("startups")
Command = Callable[[Sequence[str]], int]


@pytest.fixture
def site(tmp_path: Path) -> Path:
    """A clubs export of the startups board."""
    write_export(tmp_path / "data", STARTUPS, *clubs(people=40, items=20))
    return tmp_path


def options(site: Path, *more: str, use_case: str = "startups") -> list[str]:
    return ["--use-case", use_case, "--data-dir", str(site / "data"), "--models-dir", str(site / "models"), *more]


def published(site: Path, kind: str) -> Artifact:
    model = ArtifactStore(site / "models" / "startups").load(kind)
    assert model is not None
    return model


def test_what_ease_is_told_is_in_its_manifest(site: Path) -> None:
    told = ["--regularization", "70", "--decay-days", "30", "--floor", "0.5", "--top-k", "5", "--invertible", "9"]
    assert train_ease(options(site, *told)) == 0
    model = published(site, "ease")
    wanted = {"regularization": 70.0, "decay_days": 30.0, "floor": 0.5, "top_k": 5, "invertible": 9}
    assert {name: model.manifest.parameters[name] for name in wanted} == wanted
    assert "tuning" not in model.manifest.metrics


def test_what_next_item_is_told_is_in_its_manifest(site: Path) -> None:
    told = ["--regularization", "50", "--short", "3", "--long", "9", "--short-fade", "2", "--long-fade", "7"]
    assert train_next_item(options(site, *told, "--long-weight", "0", "--popularity", "0.3")) == 0
    wanted = {"regularization": 50.0, "short": 3, "long": 9, "short_fade": 2.0, "long_fade": 7.0}
    wanted |= {"long_weight": 0.0, "popularity": 0.3}
    parameters = published(site, "next_item").manifest.parameters
    assert {name: parameters[name] for name in wanted} == wanted


@pytest.mark.parametrize("command", [train_ease, train_next_item], ids=["ease", "next_item"])
def test_without_options_the_stated_settings_train_and_the_next_command_is_told(
    site: Path, command: Command, capsys: pytest.CaptureFixture[str]
) -> None:
    kind = "ease" if command is train_ease else "next_item"
    assert command(options(site)) == 0
    assert published(site, kind).manifest.parameters["regularization"] == RECIPES[kind].stated.regularization
    assert capsys.readouterr().out.endswith("next: tandem evaluate models --use-case startups\n")


@pytest.mark.parametrize(
    ("command", "words", "said"),
    [
        (train_ease, ["--regularization", "0"], "regularization must be above 0, not 0.0"),
        (train_ease, ["--top-k", "0"], "top_k must be a whole number, 1 or more, not 0"),
        (train_ease, ["--top-k", "2.5"], "Invalid value for '--top-k'"),
        (train_ease, ["--floor", "-1"], "floor must be 0 or more, not -1.0"),
        (train_ease, ["--decay-days", "nan"], "decay_days must be 0 or more, not nan"),
        (train_next_item, ["--short-fade", "0"], "short_fade must be above 0, not 0.0"),
        (train_next_item, ["--long", "0"], "long must be a whole number, 1 or more, not 0"),
        (train_content, ["--factors", "3"], "No such option: --factors"),
    ],
)
def test_wrong_usage_ends_with_two_and_names_the_option(
    site: Path, capsys: pytest.CaptureFixture[str], command: Command, words: list[str], said: str
) -> None:
    assert command(options(site, *words)) == 2
    assert said in capsys.readouterr().err
    assert not (site / "models").exists()


def test_a_use_case_without_such_an_engine_trains_nothing(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    write_export(tmp_path / "data", load("posts"), *clubs(people=10, items=8))
    assert train_co_occurrence(options(tmp_path, use_case="posts")) == 0
    assert "posts      nothing to train" in capsys.readouterr().out
    assert not (tmp_path / "models").exists()


def test_a_dry_run_says_what_it_would_do(site: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert train_next_item(options(site, "--dry-run")) == 0
    assert "would train next_item" in capsys.readouterr().out
    assert not (site / "models").exists()


def test_a_setting_knows_its_limits() -> None:
    for value in (0, 0.5, 7):
        assert Setting("").problem(value, float) == ""
    assert Setting("", above=True).problem(0, float) == "must be above 0"
    assert Setting("", least=2, most=5).problem(6, int) == "must be a whole number, 2 or more and 5 or less"
    assert Setting("").problem(2.5, int) == "must be a whole number, 0 or more"
    assert Setting("").problem("many", float) == "must be 0 or more"
    assert Setting("", choices=("a", "b")).problem("c", str) == "must be one of a, b"


def test_every_setting_of_every_kind_allows_its_default_value() -> None:
    for kind, recipe in RECIPES.items():
        for name, (value_type, setting) in settings_of(type(recipe.stated)).items():
            assert setting.problem(getattr(recipe.stated, name), value_type) == "", f"{kind}: {name}"


def test_a_use_case_file_with_a_value_outside_its_limits_is_an_error_that_names_it() -> None:
    wrong = with_training(STARTUPS, "ease", {"top_k": 2.5})
    with pytest.raises(ConfigurationError, match=r"startups: engine 'ease', training: top_k must be a whole number, 1 or more"):
        stated_for(wrong, "ease", seed=1)
