"""gunicorn's settings. Start with: gunicorn -c recommendation_service/gunicorn.conf.py"""

import os
import select
import shutil
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from recommendation_service.errors import TandemError  # needs the path above
from recommendation_service.settings import load_settings  # needs the path above

try:
    _settings = load_settings()
except TandemError as error:
    sys.stderr.write(f"error: {error.message}\n")
    sys.exit(1)

_FIGURES = "PROMETHEUS_MULTIPROC_DIR"
_metrics_prefix = f"recs-metrics-{os.getpid()}-"  # a reload reads this file again, in the same process
if _FIGURES not in os.environ:
    os.environ[_FIGURES] = tempfile.mkdtemp(prefix=_metrics_prefix)

wsgi_app = "recommendation_service.app:create_app()"
bind = f"[{_settings.host}]:{_settings.port}" if ":" in _settings.host else f"{_settings.host}:{_settings.port}"
worker_class = "gthread"
workers = _settings.workers
threads = _settings.threads
preload_app = False  # native pools do not survive a fork; memory-mapped arrays are shared without it
timeout = 30
graceful_timeout = 10
keepalive = 30
max_requests = 200_000  # a worker that leaks is replaced long before it matters
max_requests_jitter = 20_000
limit_request_line = 4094
limit_request_fields = 50
worker_tmp_dir = "/dev/shm" if Path("/dev/shm").is_dir() else None  # noqa: S108  # gunicorn's own heartbeat file
loglevel = "warning"
_TRY = "from recommendation_service.app import create_app; create_app(); print('can start')"
_ready_pipe: int | None = None  # while a reload forks: where its workers write


def on_starting(server: Any) -> None:
    """Stop before any worker starts if the settings would serve without authentication: one line, exit code 1."""
    from recommendation_service.web.auth import refuse_to_start_open  # imports Flask, which the master needs only here

    hosts = [_settings.host, *(address[0] if isinstance(address, tuple) else "" for address in server.cfg.address)]
    try:
        refuse_to_start_open(_settings, hosts)
    except TandemError as error:
        sys.stderr.write(f"error: {error.message}\n")
        sys.exit(1)


def on_reload(server: Any) -> None:
    """Let the old workers serve until the new ones can; gunicorn would stop them as soon as the new ones are forked.

    Without this, no worker would accept connections while the new ones load their models. A worker that cannot start
    would also stop the whole server. So a start is first tried in a separate process; if it fails, the old workers
    stay.
    """
    global _ready_pipe
    if problem := _cannot_start():
        sys.stderr.write(f"error: not reloaded, the old workers go on: {problem}\n")
        server.cfg.set("workers", 0)  # of new ones; the number wanted is the server's own
        return
    reads, writes = os.pipe()
    _ready_pipe = writes
    stop_the_old = server.manage_workers

    def stop_the_old_when_ready() -> None:
        global _ready_pipe
        del server.manage_workers  # from here on it is gunicorn's own again
        os.close(writes)  # so that the pipe ends when every new worker is gone
        _ready_pipe = None
        _wait_for(reads, server.cfg.workers)
        os.close(reads)
        stop_the_old()

    server.manage_workers = stop_the_old_when_ready


def _cannot_start() -> str:
    """Return why a new worker would not start: the last line of its output; empty if it would start."""
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)}
    del environment[_FIGURES]
    try:
        tried = subprocess.run(  # noqa: S603  # our own interpreter and words
            [sys.executable, "-c", _TRY], env=environment, capture_output=True, text=True, timeout=timeout, check=False
        )
    except subprocess.TimeoutExpired:
        return f"a new worker was not ready after {timeout} s"
    if "can start" in tried.stdout:  # not the exit status, which the master's own waiting may have taken
        return ""
    return (tried.stderr.strip().splitlines() or ["it said nothing"])[-1]


def post_worker_init(worker: Any) -> None:
    """Tell a master that is reloading that this worker can serve."""
    if _ready_pipe is not None:
        os.write(_ready_pipe, b".")
        os.close(_ready_pipe)


def _wait_for(reads: int, count: int) -> None:
    """Wait until `count` workers are ready, no further worker can become ready, or `graceful_timeout` has passed."""
    end = time.monotonic() + graceful_timeout
    while count > 0 and (left := end - time.monotonic()) > 0:
        if select.select([reads], [], [], left)[0]:
            ready = len(os.read(reads, count))
            if ready == 0:
                return
            count -= ready


def child_exit(server: Any, worker: Any) -> None:
    """Remove the gauges of a worker that ended from the metrics."""
    from prometheus_client import multiprocess  # the master reads metrics only here

    multiprocess.mark_process_dead(worker.pid)  # type: ignore[no-untyped-call]  # the package's own gap


def on_exit(server: Any) -> None:
    """Remove the metrics folder if this process made it."""
    if Path(os.environ[_FIGURES]).name.startswith(_metrics_prefix):
        shutil.rmtree(os.environ[_FIGURES], ignore_errors=True)
