"""Work in the background: recorded while it goes, one at a time, and found when its process was killed."""

import os
import signal
import subprocess
import sys
import threading
import time
import uuid
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from django.conf import settings
from django.core.management import CommandError, call_command
from django.utils import timezone

from recommendation_service.errors import Conflict, NotFound
from tandem.models import BackgroundJob
from tandem.services import background_jobs

PYTHON = "-c"


@pytest.fixture
def does(monkeypatch: pytest.MonkeyPatch) -> Any:
    """Say what the run "dig" does, as Python source a command."""

    def say(*sources: str) -> None:
        monkeypatch.setitem(settings.TANDEM, "RUNS", {"dig": tuple((PYTHON, source) for source in sources)})

    monkeypatch.setattr(background_jobs, "PULSE_S", 0.05)
    say("print('dug')")
    return say


@pytest.fixture
def detached(monkeypatch: pytest.MonkeyPatch) -> list[BackgroundJob]:
    """The runs that were handed to a process of their own, without starting one."""
    handed: list[BackgroundJob] = []
    monkeypatch.setattr(background_jobs, "_detach", handed.append)
    return handed


@pytest.mark.django_db(transaction=True)
def test_a_second_run_of_the_same_kind_waits_until_the_first_has_ended(does: Any, detached: list[BackgroundJob]) -> None:
    first = background_jobs.start(what="dig", use_case="courses", by="ana")
    with pytest.raises(Conflict, match="dig of courses is running already"):
        background_jobs.start(what="dig", use_case="courses")
    background_jobs.start(what="dig", use_case="shop")
    assert background_jobs.run_background_job(first.pk)
    background_jobs.start(what="dig", use_case="courses")
    assert len(detached) == 3
    assert BackgroundJob.objects.count() == 3


@pytest.mark.django_db
def test_a_kind_that_nobody_declared_is_not_found(does: Any) -> None:
    with pytest.raises(NotFound, match="no run is called 'sing'"):
        background_jobs.start(what="sing", use_case="courses")


@pytest.mark.django_db
def test_a_run_keeps_what_its_commands_said_in_order(does: Any) -> None:
    does("print('one for {use_case}')", "import sys; print('two', file=sys.stderr)")
    run = BackgroundJob.objects.create(what="dig", use_case="courses", by="ana")
    assert background_jobs.run_background_job(run.pk)
    run.refresh_from_db()
    assert run.status == BackgroundJob.Status.DONE
    assert run.ended is not None
    assert run.ended >= run.started
    assert [line for line in run.log.splitlines() if not line.startswith("$")] == ["one for courses", "two"]


@pytest.mark.django_db
def test_the_first_command_that_fails_ends_the_run(does: Any) -> None:
    does("import sys; sys.exit('no room')", "print('never')")
    run = BackgroundJob.objects.create(what="dig", use_case="courses")
    assert not background_jobs.run_background_job(run.pk)
    run.refresh_from_db()
    assert run.status == BackgroundJob.Status.FAILED
    assert "no room\nfailed with exit status 1" in run.log
    assert "print('never')" not in run.log


@pytest.mark.django_db
def test_a_long_log_keeps_its_end(does: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(background_jobs, "LOG_LIMIT", 50)
    does("print('x' * 500); print('the end')")
    run = BackgroundJob.objects.create(what="dig", use_case="courses")
    background_jobs.run_background_job(run.pk)
    run.refresh_from_db()
    assert len(run.log) == 50
    assert run.log.endswith("the end\n")


@pytest.mark.django_db
def test_a_run_whose_process_is_silent_is_marked_failed_and_can_be_started_again(
    does: Any, detached: list[BackgroundJob]
) -> None:
    killed = BackgroundJob.objects.create(
        what="dig", use_case="courses", log="half", seen=timezone.now() - timedelta(seconds=background_jobs.LOST_AFTER_S + 1)
    )
    alive = BackgroundJob.objects.create(what="dig", use_case="shop")
    assert background_jobs.mark_lost() == 1
    killed.refresh_from_db()
    alive.refresh_from_db()
    assert (killed.status, killed.ended, alive.status) == (
        BackgroundJob.Status.FAILED,
        killed.seen,
        BackgroundJob.Status.RUNNING,
    )
    assert killed.log.startswith("half\nits process is no more")
    background_jobs.start(what="dig", use_case="courses")


@pytest.mark.django_db
def test_a_run_whose_record_was_ended_by_somebody_else_stops(does: Any) -> None:
    does("import time; time.sleep(60)")
    run = BackgroundJob.objects.create(what="dig", use_case="courses")

    real = background_jobs._write

    def ended_meanwhile(*args: Any, **changes: Any) -> None:
        BackgroundJob.objects.filter(pk=run.pk).update(status=BackgroundJob.Status.FAILED)
        real(*args, **changes)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(background_jobs, "_write", ended_meanwhile)
        assert not background_jobs.run_background_job(run.pk)


@pytest.mark.django_db
def test_sigterm_stops_the_command_and_says_so(does: Any) -> None:
    does("import time; print('begun', flush=True); time.sleep(60)")
    run = BackgroundJob.objects.create(what="dig", use_case="courses")
    timer = threading.Timer(0.5, os.kill, (os.getpid(), signal.SIGTERM))
    timer.start()
    assert not background_jobs.run_background_job(run.pk)
    timer.join()
    run.refresh_from_db()
    assert run.status == BackgroundJob.Status.FAILED
    assert run.log.endswith("begun\n\nstopped: SIGTERM\n")
    assert signal.getsignal(signal.SIGTERM) == signal.SIG_DFL


@pytest.mark.django_db
def test_the_command_refuses_a_run_that_is_not_waiting() -> None:
    with pytest.raises(CommandError, match="is waiting to be carried out"):
        call_command("run_background_job", str(uuid.uuid4()))


def test_a_started_run_outlives_its_starter_and_is_recorded_to_its_end(tmp_path: Path) -> None:
    """A real process over a database file of its own: the starter is gone long before the run ends."""
    database = tmp_path / "runs.sqlite3"
    environment = {
        **os.environ,
        "DATABASE_URL": f"sqlite:///{database}",
        "DJANGO_SETTINGS_MODULE": "tests.tandem.services.run_settings",
        "PYTHONPATH": os.pathsep.join((str(settings.BASE_DIR), str(settings.BASE_DIR.parent))),
    }

    def python(source: str) -> str:
        begin = "import django; django.setup()\n"
        begin += "from tandem.models import BackgroundJob\nfrom tandem.services import background_jobs as runs\n"
        done = subprocess.run(
            [sys.executable, "-c", begin + source], env=environment, capture_output=True, text=True, check=True, timeout=60
        )
        return done.stdout.strip()

    python("from django.core.management import call_command; call_command('migrate', verbosity=0)")
    python("runs.start(what='dig', use_case='courses')")
    for _ in range(100):
        status, log = python("run = BackgroundJob.objects.get(); print(run.status, repr(run.log))").split(" ", 1)
        if status != "running":
            break
        time.sleep(0.2)
    assert status == "done", log
    assert "dug deep" in log


def test_a_job_imports_from_the_same_folders_as_the_site(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(settings.TANDEM, "MANAGE", str(tmp_path / "project" / "manage.py"))
    folders = background_jobs._environment()["PYTHONPATH"].split(os.pathsep)
    assert str(tmp_path) not in folders
    assert folders == [folder for folder in sys.path if folder]
