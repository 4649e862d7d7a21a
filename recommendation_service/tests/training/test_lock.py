import errno
import os
import subprocess
import sys
from pathlib import Path

import pytest

from recommendation_service.errors import PublishRefused
from recommendation_service.training.lock import FILE_NAME, training_lock


def test_a_second_training_of_the_same_catalogue_is_refused(tmp_path):
    with training_lock(tmp_path), pytest.raises(PublishRefused, match=f"process {os.getpid()}"), training_lock(tmp_path):
        pass


def test_another_process_holding_the_lock_refuses_us(tmp_path):
    holder = (
        "import sys, pathlib\n"
        "from recommendation_service.training.lock import training_lock\n"
        "with training_lock(pathlib.Path(sys.argv[1])):\n"
        "    print('held', flush=True)\n"
        "    sys.stdin.read()\n"
    )
    with subprocess.Popen(
        [sys.executable, "-c", holder, str(tmp_path)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as child:
        assert child.stdout.readline() == "held\n"
        with pytest.raises(PublishRefused, match=f"process {child.pid}"), training_lock(tmp_path):
            pass
        child.stdin.close()
    with training_lock(tmp_path):
        assert (tmp_path / FILE_NAME).exists()


def test_the_lock_is_gone_afterwards_also_after_a_failure(tmp_path):
    with pytest.raises(ZeroDivisionError), training_lock(tmp_path):
        _ = 1 / 0
    assert not (tmp_path / FILE_NAME).exists()


def test_the_lock_of_a_dead_process_is_taken_over(tmp_path):
    with subprocess.Popen([sys.executable, "-c", ""]) as child:
        child.wait()
    (tmp_path / FILE_NAME).write_text(f"{child.pid}\n", encoding="ascii")
    with training_lock(tmp_path):
        assert (tmp_path / FILE_NAME).read_text(encoding="ascii") == f"{os.getpid()}\n"


def test_an_unreadable_lock_is_not_taken_over_in_silence(tmp_path):
    (tmp_path / FILE_NAME).write_text("", encoding="ascii")
    with pytest.raises(PublishRefused, match=r"delete \.training\.lock"), training_lock(tmp_path):
        pass


def test_a_full_disk_leaves_no_lock_behind(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(handle: int, *_args: object, **_options: object) -> None:
        os.close(handle)
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr(os, "fdopen", refuse)
    with pytest.raises(OSError, match="No space left") as caught, training_lock(tmp_path):
        pass
    assert caught.value.filename == str(tmp_path / ".training.lock")
    assert list(tmp_path.iterdir()) == []
