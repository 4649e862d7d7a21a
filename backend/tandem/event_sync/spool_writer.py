"""The thread that writes what waits in the spool, one in each process that serves requests.

A request only appends to the spool, so no visitor waits for a write, whatever the database does. A process that is killed
leaves its lines; another one writes them.
"""

import logging
import os
import threading
import time

from django.db import close_old_connections, connections, router

from tandem.conf import tandem_settings
from tandem.event_sync import spool
from tandem.models import Impression
from tandem.selectors.deadlines import database_deadline

GATHER_S = 0.02  # the lists of a busy moment are written together
PAUSE_S = 2.0  # after the database refused
DATABASE_S = 30.0
LATE_S = 5.0  # a thread that has not begun by then does not run, as under uWSGI without --enable-threads

log = logging.getLogger(__name__)


class _Writer:
    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._asked = threading.Event()
        self._asked_at = 0.0  # monotonic; 0: nothing is asked that the thread has not begun
        self._thread: threading.Thread | None = None

    def wake(self) -> bool:
        """Let the thread write what waits; False if it does not run."""
        with self._lock:
            if self._thread is None:
                self._thread = threading.Thread(target=self._run, name="tandem-spool", daemon=True)
                self._thread.start()
            now = time.monotonic()
            if self._asked_at and now - self._asked_at > LATE_S:
                self._asked_at = now
                return False
            self._asked_at = self._asked_at or now
        self._asked.set()
        return True

    def _run(self) -> None:
        while True:
            self._asked.wait()
            time.sleep(GATHER_S)
            with self._lock:
                self._asked.clear()
                self._asked_at = 0.0
            while not self._write():
                with self._lock:
                    self._asked_at = 0.0
                time.sleep(PAUSE_S)

    def _write(self) -> bool:
        """Return True if nothing waits any more."""
        try:
            close_old_connections()
            with database_deadline(DATABASE_S, busy_s=DATABASE_S):
                spool.replay()
            close_old_connections()
        except Exception:  # the thread must live as long as its process
            log.exception("the spool cannot be written now")
        if not spool.waits():
            return True
        connections.close_all()
        return False


_writer = _Writer()


def _after_fork() -> None:
    global _writer
    _writer = _Writer()  # threads do not survive a fork


os.register_at_fork(after_in_child=_after_fork)


def writes_in_background() -> bool:
    """Return TANDEM["BACKGROUND_WRITER"], but False on SQLite.

    There a page of the site that reads first and then writes in one transaction fails if another connection wrote meanwhile,
    so a thread that writes at any moment would be a harm.
    """
    return tandem_settings().background_writer and connections[router.db_for_write(Impression)].vendor != "sqlite"


def write_soon() -> None:
    """Let what waits in the spool be written: by the thread, or here where there is none and little waits."""
    if writes_in_background() and _writer.wake():
        return
    if spool.is_short():
        spool.replay()
