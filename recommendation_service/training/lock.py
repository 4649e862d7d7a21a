"""One training per catalogue at a time: a lock file, next to the models, with the id of the process that holds it."""

import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from recommendation_service.errors import PublishRefused
from recommendation_service.publishing.versions import named_errors

FILE_NAME = ".training.lock"


@contextmanager
def training_lock(root: Path, file_name: str = FILE_NAME) -> Iterator[None]:
    """Hold the lock of one catalogue's models. Raises PublishRefused if a running process holds it.

    Work that may run at the same time as a training uses another `file_name`. A lock whose process has ended is taken
    over, so that a killed training does not block the next one.
    """
    root.mkdir(parents=True, exist_ok=True)
    path = root / file_name
    _take(path)
    try:
        yield
    finally:
        path.unlink(missing_ok=True)


def _take(path: Path) -> None:
    for _attempt in range(2):
        try:
            handle = os.open(path, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o644)
        except FileExistsError:
            owner = _owner(path)
            if owner is None or _alive(owner):
                raise PublishRefused(
                    f"{path.parent.name}: another training (process {owner or 'unknown'}) is at work;"
                    f" wait for it, or delete {path.name} when it is gone"
                ) from None
            path.unlink(missing_ok=True)
            continue
        try:
            with named_errors(path), os.fdopen(handle, "w", encoding="ascii") as file:
                file.write(f"{os.getpid()}\n")
        except OSError:
            path.unlink(missing_ok=True)  # an empty lock would look like one of an unknown process
            raise
        return
    raise PublishRefused(f"{path.parent.name}: another training took the lock in the same moment; wait for it")


def _owner(path: Path) -> int | None:
    try:
        return int(path.read_text(encoding="ascii"))
    except (OSError, ValueError):
        return None


def _alive(process: int) -> bool:
    if sys.platform == "win32":  # signal 0 would end the process there
        import ctypes  # only Windows needs it

        limited_query = 0x1000
        handle = ctypes.windll.kernel32.OpenProcess(limited_query, False, process)
        if handle:
            ctypes.windll.kernel32.CloseHandle(handle)
        return bool(handle)
    try:
        os.kill(process, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return True
