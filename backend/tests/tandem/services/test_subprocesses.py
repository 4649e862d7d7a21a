"""Trainings in a process of their own, with real processes."""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from tandem.services import subprocesses
from tandem.services.subprocesses import TrainingFailed, run_module

NEURAL = ("train", "neural")
BACKEND = Path(str(subprocesses.__file__)).parents[2]


def test_a_process_that_ends_badly_is_a_failure_with_its_status(tmp_path: Path) -> None:
    said: list[str] = []
    with pytest.raises(TrainingFailed, match="exit status 1"):
        run_module("recommendation_service.cli", {"use-case": "cleaning", "data-dir": tmp_path}, said.append, command=NEURAL)
    with pytest.raises(TrainingFailed, match="exit status 2"):
        run_module("recommendation_service.cli", {"epochs": 0}, said.append, command=NEURAL)


def test_sigterm_is_passed_on_to_the_training(tmp_path: Path) -> None:
    """The real thing: a process that runs another one, told to stop."""
    child = tmp_path / "long_training.py"
    child.write_text("import os, time\nprint(os.getpid(), flush=True)\ntime.sleep(60)\n", encoding="utf-8")
    program = (
        "from tandem.services.subprocesses import run_module\n"
        "run_module('long_training', {}, lambda line: print(line, flush=True))"
    )
    above = os.pathsep.join([str(tmp_path), str(BACKEND), str(BACKEND.parent)])
    running = subprocess.Popen(
        [sys.executable, "-c", program], env={**os.environ, "PYTHONPATH": above}, stdout=subprocess.PIPE, text=True
    )
    with running:
        assert running.stdout is not None
        pid = int(running.stdout.readline())
        running.send_signal(signal.SIGTERM)
        assert running.wait(timeout=30) == 128 + signal.SIGTERM
    assert _is_gone(pid)


def _is_gone(pid: int, *, within_s: float = 10.0) -> bool:
    end = time.monotonic() + within_s
    while time.monotonic() < end:
        try:
            os.kill(pid, 0)
        except ProcessLookupError:
            return True
        time.sleep(0.05)
    return False


def test_every_line_is_said_as_it_comes_and_an_option_without_a_value_is_a_switch(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "telling.py").write_text("import sys\nprint(*sys.argv[1:], sep='\\n')\n", encoding="utf-8")
    monkeypatch.setenv("PYTHONPATH", str(tmp_path))
    said: list[str] = []
    run_module("telling", {"force": None, "epochs": 3}, said.append)
    assert said == ["--force", "--epochs=3"]


def test_whoever_stops_listening_ends_the_training(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "endless.py").write_text("import os, time\nprint(os.getpid(), flush=True)\ntime.sleep(60)\n", encoding="utf-8")
    monkeypatch.setenv("PYTHONPATH", str(tmp_path))
    heard: list[int] = []

    def stop(line: str) -> None:
        heard.append(int(line))
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        run_module("endless", {}, stop)
    assert _is_gone(heard[0])
