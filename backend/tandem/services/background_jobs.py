"""Background jobs: each runs in its own process, stores its output while it runs, and is marked failed if it was killed.

The process continues when the web worker that started it ends. It updates `seen` every few seconds. A job that has not been
updated for LOST_AFTER_S was killed; the next reader marks it failed, so that it can be started again.
"""

import os
import signal
import subprocess
import sys
import tempfile
import threading
from collections.abc import Mapping, Sequence
from datetime import timedelta
from pathlib import Path
from typing import IO
from uuid import UUID

from django.conf import settings
from django.db import IntegrityError, router, transaction
from django.db.models import F, Value
from django.db.models.functions import Concat
from django.utils import timezone

from recommendation_service.errors import Conflict, NotFound
from tandem.conf import tandem_settings
from tandem.models import BackgroundJob
from tandem.selectors.transactions import writing

PULSE_S = 2.0
LOST_AFTER_S = 30.0
LOG_LIMIT = 100_000  # characters; of a longer log the end is kept
LOST = "\nits process is no more (killed, or the machine went down); start it again\n"


class Stopped(Exception):
    """The job received a stop signal, or another process ended its record."""


def start(*, what: str, use_case: str, by: str = "") -> BackgroundJob:
    """Start a job in its own process. Raises NotFound for a job that is not declared, and Conflict while it is running."""
    if what not in _declared():
        raise NotFound(f"no run is called '{what}'")
    mark_lost()
    using = router.db_for_write(BackgroundJob)
    try:
        with writing(using):
            if BackgroundJob.objects.filter(what=what, use_case=use_case, status=BackgroundJob.Status.RUNNING).exists():
                raise IntegrityError  # MariaDB has no unique constraint with a condition
            run = BackgroundJob.objects.create(what=what, use_case=use_case, by=by)
    except IntegrityError as error:
        raise Conflict(f"{what} of {use_case} is running already; wait until it ends") from error
    transaction.on_commit(lambda: _detach(run), using=using)
    return run


def mark_lost() -> int:
    """Mark jobs failed that were not updated for LOST_AFTER_S; return how many."""
    silent = timezone.now() - timedelta(seconds=LOST_AFTER_S)
    runs = BackgroundJob.objects.filter(status=BackgroundJob.Status.RUNNING, seen__lt=silent)
    return runs.update(status=BackgroundJob.Status.FAILED, ended=F("seen"), log=Concat(F("log"), Value(LOST)))


def run_background_job(run_id: UUID) -> bool:
    """Run a job's commands in order; return True if all succeeded. Raises NotFound."""
    run = BackgroundJob.objects.filter(pk=run_id, status=BackgroundJob.Status.RUNNING).first()
    if run is None:
        raise NotFound(f"no run {run_id} is waiting to be carried out")
    end, good = BackgroundJob.Status.FAILED, False
    with tempfile.TemporaryFile() as output, _stopping_signals():
        try:
            good = all(_step(run, command, output) for command in commands_of(run))
            end = BackgroundJob.Status.DONE if good else BackgroundJob.Status.FAILED
        except Stopped as stopped:
            output.write(f"\nstopped: {stopped}\n".encode())
        finally:
            _write(run, output, status=end, ended=timezone.now())
    return good


def commands_of(run: BackgroundJob) -> list[list[str]]:
    """Return the commands of a job as argument lists. Raises NotFound if the job is no longer declared."""
    declared = _declared()
    if run.what not in declared:
        raise NotFound(f"no run is called '{run.what}'")
    return [_command([arg.format(use_case=run.use_case) for arg in args]) for args in declared[run.what]]


def _declared() -> Mapping[str, Sequence[Sequence[str]]]:
    """Return the declared jobs: name -> commands."""
    return tandem_settings().runs


def _command(args: list[str]) -> list[str]:
    if args[0] == "manage.py":
        args = [str(tandem_settings().manage), *args[1:]]
    return [sys.executable, *args]


def _detach(run: BackgroundJob) -> None:
    process = subprocess.Popen(  # noqa: S603 - our own command; the only word from outside is the run's UUID
        _command(["manage.py", "run_background_job", str(run.pk)]),
        env=_environment(),
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        start_new_session=True,  # what stops or restarts the web workers does not reach it
    )
    threading.Thread(target=process.wait, name="run-ends", daemon=True).start()  # else it stays a zombie of this worker


def _environment() -> dict[str, str]:
    """Return the environment of a child process, which can import what this process can import and nothing else."""
    settings_module = os.environ.get("DJANGO_SETTINGS_MODULE") or settings.SETTINGS_MODULE
    paths = os.pathsep.join(path for path in sys.path if path)
    return {**os.environ, "DJANGO_SETTINGS_MODULE": settings_module, "PYTHONPATH": paths, "PYTHONUNBUFFERED": "1"}


def _step(run: BackgroundJob, command: Sequence[str], output: IO[bytes]) -> bool:
    """Run one command to its end and store its output meanwhile; return True if it succeeded. Raises Stopped."""
    output.write(f"$ {' '.join(arg if index else Path(arg).name for index, arg in enumerate(command))}\n".encode())
    output.flush()
    process = subprocess.Popen(  # noqa: S603 - declared in the settings; see `commands_of`
        command, env=_environment(), stdin=subprocess.DEVNULL, stdout=output, stderr=subprocess.STDOUT, start_new_session=True
    )
    try:
        while True:
            try:
                status = process.wait(timeout=PULSE_S)
                break
            except subprocess.TimeoutExpired:
                _write(run, output)
        output.seek(0, os.SEEK_END)
        output.write(b"" if status == 0 else f"failed with exit status {status}\n".encode())
        _write(run, output)
        return status == 0
    finally:
        if process.poll() is None:
            os.killpg(process.pid, signal.SIGKILL)
            process.wait()


def _write(run: BackgroundJob, output: IO[bytes], **changes: object) -> None:
    """Store the log so far and the time. Raises Stopped if another process ended the record."""
    output.flush()
    size = output.seek(0, os.SEEK_END)
    output.seek(max(0, size - LOG_LIMIT))
    log = output.read().decode(errors="replace").replace("\x00", "")
    output.seek(0, os.SEEK_END)
    running = BackgroundJob.objects.filter(pk=run.pk, status=BackgroundJob.Status.RUNNING)
    if not running.update(log=log, seen=timezone.now(), **changes) and not changes:
        raise Stopped("its record was ended by somebody else")


class _stopping_signals:  # noqa: N801 - reads like a function in a with statement
    """Inside, SIGTERM and SIGINT raise Stopped; only the main thread receives signals."""

    def __enter__(self) -> None:
        self._main = threading.current_thread() is threading.main_thread()
        if self._main:
            self._before = {name: signal.signal(name, self._stop) for name in (signal.SIGTERM, signal.SIGINT)}

    def __exit__(self, *_error: object) -> None:
        for name, before in self._before.items() if self._main else ():
            signal.signal(name, before)

    def _stop(self, number: int, _frame: object) -> None:
        raise Stopped(signal.Signals(number).name)
