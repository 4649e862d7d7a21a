"""gunicorn's settings. Start with: gunicorn -c recommendation_service/gunicorn.conf.py"""

import os
import shutil
import sys
import tempfile
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

_own_figures = "PROMETHEUS_MULTIPROC_DIR" not in os.environ
os.environ.setdefault("PROMETHEUS_MULTIPROC_DIR", tempfile.mkdtemp(prefix="recs-metrics-"))

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


def on_starting(server: Any) -> None:
    """Refuse to start open, before any worker: one line and exit code 1 in place of a crash loop."""
    from recommendation_service.web.auth import refuse_to_start_open  # imports Flask, which the master needs only here

    hosts = [_settings.host, *(address[0] if isinstance(address, tuple) else "" for address in server.cfg.address)]
    try:
        refuse_to_start_open(_settings, hosts)
    except TandemError as error:
        sys.stderr.write(f"error: {error.message}\n")
        sys.exit(1)


def child_exit(server: Any, worker: Any) -> None:
    """Take a gone worker's live figures out of the sums."""
    from prometheus_client import multiprocess  # the master reads metrics only here

    multiprocess.mark_process_dead(worker.pid)  # type: ignore[no-untyped-call]  # the package's own gap


def on_exit(server: Any) -> None:
    """Remove the metrics folder, if it was made here."""
    if _own_figures:
        shutil.rmtree(os.environ["PROMETHEUS_MULTIPROC_DIR"], ignore_errors=True)
