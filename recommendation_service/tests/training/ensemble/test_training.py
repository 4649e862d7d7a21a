"""Which members' weights are learned, and what serves when they cannot be."""

from collections.abc import Callable
from pathlib import Path

import pytest

from recommendation_service import train_all
from recommendation_service.publishing.store import ArtifactStore
from recommendation_service.tests.support.exports import clubs, write_export
from recommendation_service.training import publish_gate
from recommendation_service.use_cases.loader import load

Judge = Callable[..., publish_gate.Verdict]
POSTS = load("posts")
NAMES = {"margin": "collaborative", "content": "content_based"}


@pytest.fixture
def site(tmp_path: Path) -> Path:
    """A clubs export of the blog."""
    write_export(tmp_path / "data", POSTS, *clubs(people=60, items=30, events_each=12))
    return tmp_path


def train(site: Path) -> ArtifactStore:
    folders = ["--data-dir", str(site / "data"), "--models-dir", str(site / "models")]
    train_all.main(["--use-case", "posts", "--no-tune", *folders])
    return ArtifactStore(site / "models" / "posts")


def refusing(monkeypatch: pytest.MonkeyPatch, array: str) -> None:
    """The gate lets no model pass that has this array."""
    honest: Judge = publish_gate.judge

    def judge(arrays: dict[str, object], *rest: object, **more: object) -> publish_gate.Verdict:
        verdict = honest(arrays, *rest, **more)
        return publish_gate.Verdict(("refused by the test",), ()) if array in arrays else verdict

    monkeypatch.setattr(publish_gate, "judge", judge)


def test_a_member_without_a_stated_weight_that_was_refused_is_left_out_of_the_weights(
    site: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    refusing(monkeypatch, "window_0")  # of next_item alone
    models = train(site)
    assert models.load("next_item") is None
    weights = models.load("ensemble")
    assert weights is not None
    assert weights.arrays["members"].tolist() == [b"collaborative", b"content_based", b"ease", b"popular"]


def test_no_weights_are_learned_when_a_member_with_a_stated_weight_was_refused(
    site: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    refusing(monkeypatch, "values")
    models = train(site)
    assert models.load("ensemble") is None
    told = next(line for line in capsys.readouterr().out.splitlines() if line.startswith("posts      ensemble"))
    assert "content kept an old model" in told
    assert told.endswith("the configured weights are used")
