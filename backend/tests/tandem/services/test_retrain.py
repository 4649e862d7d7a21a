"""Sync, export, train: what is trained and skipped, and what is announced. The training process is replaced."""

import os
import re
import signal
from argparse import ArgumentTypeError
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest
from django.core.management import call_command
from django.core.management.base import CommandError
from django.dispatch import Signal

from recommendation_service.publishing.versions import VersionedFolder
from sites.startups.models import Developer, Startup
from tandem import tasks
from tandem.management.commands import tandem_retrain
from tandem.models import Impression
from tandem.services import retrain as service
from tandem.services.subprocesses import TrainingFailed
from tandem.signals import models_published, slate_shown
from tandem.slates import slate
from tests.support import board

pytestmark = pytest.mark.django_db


class Training:
    """Stands in for the training process: publishes the next version of one model."""

    def __init__(self, models: Path) -> None:
        self.models = models
        self.use_cases: list[str] = []
        self.environment: Mapping[str, str] = {}
        self.fails = False

    def __call__(self, _module: str, options: Mapping[str, str], _say: Any, *, environment: Mapping[str, str]) -> None:
        if self.fails:
            raise TrainingFailed("training ended with exit status 1")
        self.use_cases.append(options["use-case"])
        self.environment = environment
        folder = VersionedFolder(self.models / options["use-case"], "als")
        folder.root.mkdir(parents=True, exist_ok=True)
        folder.point_to(f"als_v{len(self.use_cases)}", "seal")


@pytest.fixture
def training(tmp_path: Path, settings: Any, monkeypatch: pytest.MonkeyPatch) -> Training:
    settings.TANDEM = {**settings.TANDEM, "DATA_DIR": tmp_path / "data", "MODELS_DIR": tmp_path / "models"}
    replacement = Training(tmp_path / "models")
    monkeypatch.setattr(service, "run_module", replacement)
    return replacement


@pytest.fixture
def startups() -> list[Startup]:
    return board.make_startups(12)


@pytest.fixture
def ada(startups: list[Startup]) -> Developer:
    ada = board.make_developer("Ada")
    board.did(str(ada.pk), startups[0].pk)
    return ada


@pytest.fixture
def sent() -> Iterator[list[dict[str, Any]]]:
    messages: list[dict[str, Any]] = []

    def receive(signal: Signal, **message: Any) -> None:
        messages.append(message)

    for sender in (models_published, slate_shown):
        sender.connect(receive, weak=False)
    yield messages
    for sender in (models_published, slate_shown):
        sender.disconnect(receive)


def test_it_exports_trains_and_announces(
    ada: Developer, training: Training, sent: list[dict[str, Any]], tmp_path: Path
) -> None:
    done = service.retrain(names=["startups"])
    assert done == service.Retrained(("startups",), (), {"startups": ["als_v1"]})
    assert (tmp_path / "data" / "startups").is_dir()
    assert training.environment["RS_DATA_DIR"] == str(tmp_path / "data")
    assert [(message["catalogue"], message["versions"]) for message in sent] == [("startups", ["als_v1"])]


def test_nothing_new_is_exported_but_not_trained(ada: Developer, startups: list[Startup], training: Training) -> None:
    service.retrain(names=["startups"])
    lines: list[str] = []
    again = service.retrain(names=["startups"], say=lines.append)
    assert (again.trained, again.skipped, again.published) == ((), ("startups",), {})
    assert any(
        "startups: not trained; 0 new interactions since the last training, 1 are needed (1 % of" in line for line in lines
    )
    assert any("export_v2" in line or "_v2" in line for line in lines)
    board.did(str(ada.pk), startups[1].pk)
    assert service.retrain(names=["startups"], min_new=2).trained == ()
    board.did(str(ada.pk), startups[2].pk)
    assert service.retrain(names=["startups"], min_new=2).trained == ("startups",)


def test_one_percent_of_what_is_known_is_enough(ada: Developer, startups: list[Startup], training: Training) -> None:
    for second in range(150):
        board.did(str(ada.pk), startups[second % 12].pk, event=("view", "like")[second % 2])
    known = service._rows("startups")
    needed = -(-known // 100)
    assert needed == 2
    assert service.retrain(names=["startups"]).trained == ("startups",)
    board.did(str(ada.pk), startups[1].pk)
    lines: list[str] = []
    assert service.retrain(names=["startups"], say=lines.append).trained == ()
    reason = f"1 new interactions since the last training, 2 are needed (1 % of the {known} known ones)"
    assert any(reason in line and "tandem_retrain --min-new 0" in line for line in lines)
    board.did(str(ada.pk), startups[2].pk)
    assert service.retrain(names=["startups"]).trained == ("startups",)
    assert service.retrain(names=["startups"], min_new=0).trained == ("startups",)


def test_a_failed_training_is_tried_again_next_time(ada: Developer, training: Training) -> None:
    training.fails = True
    with pytest.raises(CommandError, match="exit status 1"):
        call_command("tandem_retrain", "startups")
    training.fails = False
    assert service.retrain(names=["startups"]).trained == ("startups",)


def test_a_damaged_state_file_trains_again(ada: Developer, training: Training, tmp_path: Path) -> None:
    service.retrain(names=["startups"])
    (tmp_path / "data" / service.STATE_FILE).write_text("{")
    assert service.retrain(names=["startups"]).trained == ("startups",)


def test_the_command_says_what_was_published(ada: Developer, training: Training, capsys: pytest.CaptureFixture[str]) -> None:
    call_command("tandem_retrain", "startups")
    assert "startups: published als_v1" in capsys.readouterr().out


def test_the_schedule_survives_a_failure_and_ends_with_sigterm(
    ada: Developer, training: Training, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    runs: list[int] = []

    def run(**_options: Any) -> service.Retrained:
        runs.append(1)
        if len(runs) == 1:
            raise TrainingFailed("no disk")
        os.kill(os.getpid(), signal.SIGTERM)
        return service.Retrained((), (), {})

    before = signal.getsignal(signal.SIGTERM), signal.getsignal(signal.SIGINT)
    monkeypatch.setattr(tandem_retrain, "retrain", run)
    try:
        tandem_retrain.Command().handle(every=0, names=[], min_new=1)
    finally:
        signal.signal(signal.SIGTERM, before[0])
        signal.signal(signal.SIGINT, before[1])
    assert len(runs) == 2
    assert "failed, tried again later: no disk" in capsys.readouterr().err


def test_every_schedule_of_the_guide_is_a_duration() -> None:
    guide = (Path(__file__).parents[4] / "docs/guides/retraining.md").read_text()
    days = [tandem_retrain.duration_s(text) / 86_400 for text in re.findall(r"--every (\w+)", guide)]
    assert {7, 14, 30} <= set(days)


@pytest.mark.parametrize(("text", "seconds"), [("30m", 1800), ("6h", 21_600), ("1d", 86_400)])
def test_a_duration_has_a_unit(text: str, seconds: int) -> None:
    assert tandem_retrain.duration_s(text) == seconds


@pytest.mark.parametrize("text", ["", "6", "h", "0h", "-1h", "6 h", "1w", "1.5h", "999999h"])
def test_a_wrong_duration_is_refused(text: str) -> None:
    with pytest.raises(ArgumentTypeError, match="write a number and a unit"):
        tandem_retrain.duration_s(text)


def test_the_task_returns_what_was_published(ada: Developer, training: Training) -> None:
    function = getattr(tasks.retrain, "func", tasks.retrain)
    assert function(["startups"]) == {"startups": ["als_v1"]}


def test_a_shown_list_is_announced(ada: Developer, sent: list[dict[str, Any]]) -> None:
    shown = slate("for-developer", user=ada, limit=2)
    (message,) = sent
    assert (message["surface"], message["answer"]["request_id"]) == ("for-developer", shown.request_id)
    assert Impression.objects.filter(pk=shown.request_id).exists()
