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
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, TextIO

from django.db import DatabaseError, DataError, IntegrityError
from django.utils.module_loading import import_string

from tandem.conf import tandem_settings
from tandem.event_sync.mirror import Mirror, all_mirrors
from tandem.event_sync.refresh import refresh

try:
    import fcntl
except ImportError:  # Windows: one process may spool
    fcntl = None  # type: ignore[assignment]  # checked where it is used

LIMIT_BYTES = 16 << 20
SHORT_BYTES = 64 << 10  # what a request of the site may replay
WRITERS = {  # kind of an entry -> what stores it, once however often it is called; imported when it is used
    "event": "tandem.services.record_interactions.record_answer",
    "lists": "tandem.services.impressions.record_spooled",
}
log = logging.getLogger(__name__)


def append(origin: str, keys: Sequence[Any], using: str) -> bool:
    """Store the primary keys of rows of one declaration; False, with a logged error, if the spool is full or unwritable."""
    entry = {"origin": origin, "keys": [str(key) for key in keys], "using": using, "time": _now().isoformat()}
    return _append(entry, of=origin)


def append_entry(kind: str, value: Mapping[str, Any]) -> bool:
    """Store something for the writer of this kind; False, with a logged error, if that is not possible."""
    return _append({kind: {"time": _now().isoformat(), **value}}, of=f"one {kind}")


def _append(entry: Mapping[str, Any], *, of: str) -> bool:
    line = json.dumps(entry) + "\n"
    try:
        folder = tandem_settings().spool_dir
        folder.mkdir(parents=True, exist_ok=True)
        with _locked(folder), (folder / "events.jsonl").open("a", encoding="utf-8") as file:
            if _size(folder) + len(line) > LIMIT_BYTES:
                log.error("%s: the spool in %s is full; run manage.py sync_interactions", of, folder)
                return False
            file.write(line)
            file.flush()
            os.fsync(file.fileno())
    except OSError:
        log.exception("%s: cannot be spooled; run manage.py sync_interactions", of)
        return False
    return True


def is_short() -> bool:
    """True if something waits, and so little that a request of the site may replay it."""
    return 0 < _size(tandem_settings().spool_dir) <= SHORT_BYTES


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
    mirrors, count = {mirror.origin: mirror for mirror in all_mirrors()}, 0
    for line in file:
        try:
            count += _replay_line(json.loads(line), mirrors)
        except (IntegrityError, DataError):  # it will never be accepted, and what follows it must not wait for it
            log.exception("a line of the spool is skipped: %.200s", line)
        except DatabaseError:
            raise
        except Exception:  # cut short, of a declaration that was removed, or a bug: the page that replays must not fail
            log.exception("a line of the spool is skipped: %.200s", line)
    return count


def _replay_line(entry: Mapping[str, Any], mirrors: Mapping[str, Mirror]) -> int:
    """Store one entry; return the number of rows that it names, or 1."""
    for kind, path in WRITERS.items():
        if kind in entry:
            import_string(path)(entry[kind])
            return 1
    mirror, keys = mirrors[entry["origin"]], entry["keys"]
    refresh(mirror, keys, using=entry.get("using"), now=datetime.fromisoformat(entry["time"]))
    return len(keys)


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
    try:
        return sum(entry.stat().st_size for entry in os.scandir(folder) if entry.name.endswith(".jsonl"))
    except OSError:
        return 0


def _now() -> datetime:
    return datetime.now(UTC)
