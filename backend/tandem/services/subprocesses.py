"""Runs trainings of the service in another process, because torch should not be loaded into a Django process."""

import os
import signal
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from types import FrameType

import recommendation_service
from recommendation_service.errors import TandemError

Say = Callable[[str], object]


class TrainingFailed(TandemError):
    """The training process failed; its last line gives the reason."""

    code = "training_failed"


def run_module(
    module: str,
    options: Mapping[str, object],
    say: Say,
    *,
    command: Sequence[str] = (),
    environment: Mapping[str, str] | None = None,
) -> None:
    """Run a module of the service in another process and pass its lines on. Raises TrainingFailed with its exit status.

    `command` are arguments before the options, such as ("train", "neural"). An option whose value is None is a switch.
    If this process is stopped by Ctrl-C, SIGTERM or a broken pipe, the other one is stopped too.
    """
    arguments = [f"--{name}" if value is None else f"--{name}={value}" for name, value in options.items()]
    process = subprocess.Popen(  # noqa: S603 - our own command; its words are numbers and folders of this installation
        [sys.executable, "-m", module, *command, *arguments],
        env=_environment() | dict(environment or {}),
        stdout=subprocess.PIPE,
        stdin=subprocess.DEVNULL,
        text=True,
        encoding="utf-8",
    )
    with process, _stopped_too(process):
        for line in process.stdout or ():
            say(line.rstrip("\n"))
    if process.returncode:
        raise TrainingFailed(
            f"training ended with exit status {process.returncode}, said why above; today's model keeps serving"
        )


def _environment() -> dict[str, str]:
    above = str(Path(str(recommendation_service.__file__)).parents[1])
    paths = os.pathsep.join([above, os.environ.get("PYTHONPATH", "")])
    environment = {**os.environ, "PYTHONPATH": paths, "PYTHONUNBUFFERED": "1"}
    environment |= dict.fromkeys(("OPENBLAS_NUM_THREADS", "OMP_NUM_THREADS", "MKL_NUM_THREADS"), "1")
    environment.pop("DJANGO_SETTINGS_MODULE", None)
    return environment


@contextmanager
def _stopped_too(process: "subprocess.Popen[str]") -> Iterator[None]:
    """Inside, SIGTERM ends the process first, then this one, as Ctrl-C does. Only the main thread receives signals."""

    def stop(number: int, _frame: FrameType | None) -> None:
        raise SystemExit(128 + number)

    hears = threading.current_thread() is threading.main_thread()
    before = signal.signal(signal.SIGTERM, stop) if hears else None
    try:
        yield
    except BaseException:
        process.terminate()  # whoever stopped listening must not leave it training
        raise
    finally:
        if hears:
            signal.signal(signal.SIGTERM, before)
