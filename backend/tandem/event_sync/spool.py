"""What the database refused, as JSON lines on disk, until a replay writes it.

A line names a declaration and the primary keys of rows, which a replay reads again, or one event or shown lists with ids.
Each may be replayed twice and is stored once. Lines are replayed in their order, so a click finds its list. A replay first
moves the file away, and deletes it when every line is done.
"""

import json
import logging
import os
import time
import uuid
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, TextIO

import orjson
from django.db import DatabaseError, DataError, IntegrityError
from django.utils.module_loading import import_string

from tandem.conf import tandem_settings

try:
    import fcntl
except ImportError:  # Windows: one process may spool
    fcntl = None  # type: ignore[assignment]  # checked where it is used

LIMIT_BYTES = 16 << 20
SHORT_BYTES = 64 << 10  # what a request of the site may replay
WRITERS = {  # kind of an entry -> what stores it, once however often it is called; imported when it is used
    "rows": "tandem.event_sync.refresh.refresh_spooled",
    "event": "tandem.services.record_interactions.record_answer",
    "lists": "tandem.services.impressions.record_spooled",
}
log = logging.getLogger(__name__)


def append(origin: str, keys: Sequence[Any], using: str) -> bool:
    """Store the primary keys of rows of one declaration; False, with a logged error, if the spool is full or unwritable."""
    rows = {"origin": origin, "keys": [str(key) for key in keys], "using": using, "time": _now().isoformat()}
    return _append({"rows": rows}, of=origin)


def append_entry(kind: str, value: Mapping[str, Any], *, durable: bool = True) -> bool:
    """Store something for the writer of this kind; False, with a logged error, if that is not possible.

    Without `durable` a line is safe when the process is killed, and not when the machine loses its power.
    """
    return _append({kind: {"time": _now().isoformat(), **value}}, of=f"one {kind}", durable=durable)


def _append(entry: Mapping[str, Any], *, of: str, durable: bool = True) -> bool:
    line = orjson.dumps(entry, option=orjson.OPT_APPEND_NEWLINE)
    try:
        folder = tandem_settings().spool_dir
        folder.mkdir(parents=True, exist_ok=True)
        with _locked(folder), (folder / "events.jsonl").open("ab") as file:
            if _size(folder) + len(line) > LIMIT_BYTES:
                log.error("%s: the spool in %s is full; run manage.py sync_interactions", of, folder)
                _count_lost(folder)
                return False
            file.write(line)
            file.flush()
            if durable:
                os.fsync(file.fileno())
    except OSError:
        log.exception("%s: cannot be spooled; run manage.py sync_interactions", of)
        return False
    return True


def waits() -> bool:
    """True if something waits."""
    folder = tandem_settings().spool_dir
    try:
        with _locked(folder):  # while a file is moved, a listing may have neither its old nor its new name
            return _size(folder) > 0
    except OSError:
        return False  # there is no folder


def lost() -> int:
    """Return how many lists, clicks and changes did not fit into the spool, since it was made."""
    try:
        return int((tandem_settings().spool_dir / "lost").read_text())
    except (OSError, ValueError):
        return 0


def _count_lost(folder: Path) -> None:
    """The folder is locked."""
    (folder / "lost").write_text(str(lost() + 1))


def is_short() -> bool:
    """True if something waits, and so little that a request of the site may replay it."""
    return 0 < _size(tandem_settings().spool_dir) <= SHORT_BYTES


def replay_for_lists(wait_s: float = 0.2) -> None:
    """Write what waits before something that answers a list is stored; wait for another process that writes already."""
    over = time.monotonic() + wait_s
    while is_short() and time.monotonic() < over:
        if not replay():
            time.sleep(0.01)


def replay() -> int:
    """Write what waits; return the number of rows and events. What the database refuses again keeps waiting."""
    folder = tandem_settings().spool_dir
    if not _size(folder):
        return 0
    count = 0
    try:
        with _locked(folder):
            if (folder / "events.jsonl").exists():
                (folder / "events.jsonl").rename(folder / f"replay-{time.time_ns():020d}-{uuid.uuid4().hex}.jsonl")
        for path in sorted(folder.glob("replay-*.jsonl")):
            with path.open(encoding="utf-8") as file:
                if _lock(file, wait=False):  # else another process replays it
                    count += _replay_file(file)
                    path.unlink(missing_ok=True)
    except (OSError, DatabaseError):
        log.exception("the spool in %s cannot be replayed now", folder)
    return count


def _replay_file(file: TextIO) -> int:
    count = 0
    for line in file:
        try:
            count += _replay_line(json.loads(line))
        except (IntegrityError, DataError):  # it will never be accepted, and what follows it must not wait for it
            log.exception("a line of the spool is skipped: %.200s", line)
        except DatabaseError:
            raise
        except Exception:  # cut short, of a declaration that was removed, or a bug: the page that replays must not fail
            log.exception("a line of the spool is skipped: %.200s", line)
    return count


def _replay_line(entry: Mapping[str, Any]) -> int:
    """Store one entry; return the number of rows that it names, or 1."""
    if "origin" in entry:  # as 0.3.0 wrote it
        entry = {"rows": entry}
    ((kind, value),) = entry.items()
    import_string(WRITERS[kind])(value)
    return len(value["keys"]) if kind == "rows" else 1


@contextmanager
def _locked(folder: Path) -> Iterator[None]:
    with (folder / "lock").open("a") as file:
        _lock(file, wait=True)
        yield


def _lock(file: Any, *, wait: bool) -> bool:
    """Lock the file until it is closed; False if another process has it."""
    if fcntl is None:
        return True
    try:
        fcntl.flock(file, fcntl.LOCK_EX | (0 if wait else fcntl.LOCK_NB))
    except BlockingIOError:
        return False
    return True


def _size(folder: Path) -> int:
    size = 0
    with suppress(OSError):
        for path in folder.glob("*.jsonl"):
            with suppress(OSError):  # another process has just written all of it
                size += path.stat().st_size
    return size


def _now() -> datetime:
    return datetime.now(UTC)
