"""The real server: how it refuses to start, and that new models cost no request."""

import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import threading
import time
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from http.client import HTTPConnection
from pathlib import Path
from typing import Any

import psutil
import pytest

from recommendation_service.tests.support import service

ROOT = Path(__file__).parents[2]
COMMAND = [sys.executable, "-m", "gunicorn", "-c", str(ROOT / "recommendation_service" / "gunicorn.conf.py")]
PATH = "/api/recommendations/startups/for-developer/u001"


def _environment(root: Path, **more: str) -> dict[str, str]:
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("RS_", "PROMETHEUS"))}
    return {**kept, **service.environment(root, **more)}


def _free_port() -> int:
    with socket.socket() as place:
        place.bind(("127.0.0.1", 0))
        return int(place.getsockname()[1])


@contextmanager
def _server(root: Path, **more: str) -> Iterator[int]:
    with _master(root, **more) as (port, _process):
        yield port


@contextmanager
def _master(root: Path, **more: str) -> "Iterator[tuple[int, subprocess.Popen[bytes]]]":
    port = _free_port()
    variables = _environment(root, RS_PORT=str(port), **more)
    with subprocess.Popen(COMMAND, cwd=ROOT, env=variables, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) as process:
        try:
            _wait_until_ready(port, process)
            yield port, process
        finally:
            process.send_signal(signal.SIGTERM)
            process.wait(timeout=20)


def _wait_until_ready(port: int, process: "subprocess.Popen[bytes]") -> None:
    deadline = time.monotonic() + 20
    while time.monotonic() < deadline and process.poll() is None:
        try:
            with urllib.request.urlopen(f"http://127.0.0.1:{port}/livez", timeout=1):  # our own server
                return
        except OSError:
            time.sleep(0.05)
    raise AssertionError("the server did not come up")


def _get(port: int, path: str, token: str) -> Any:
    request = urllib.request.Request(f"http://127.0.0.1:{port}{path}", headers={"Authorization": f"Bearer {token}"})  # ours
    with urllib.request.urlopen(request, timeout=5) as answer:  # noqa: S310  # our own server
        return answer.read().decode()


@pytest.mark.parametrize(
    ("more", "arguments", "told"),
    [
        ({"RS_SIGNING_KEYS": ""}, [], "RS_SIGNING_KEYS is empty"),
        ({"RS_SIGNING_KEYS": "k:short"}, [], "32 bytes or longer"),
        ({"RS_SIGNING_KEYS": "", "RS_INSECURE_DEV": "1", "ENV": "dev"}, ["-b", "0.0.0.0:0"], "loopback"),
        ({"RS_SIGNING_KEY": "x"}, [], "unknown setting RS_SIGNING_KEY"),
    ],
)
def test_a_wrong_setting_is_one_line_and_exit_code_1(
    tmp_path: Path, more: dict[str, str], arguments: list[str], told: str
) -> None:
    ran = subprocess.run(
        [*COMMAND, *arguments],
        cwd=ROOT,
        env=_environment(tmp_path, **more),
        capture_output=True,
        text=True,
        timeout=30,
        check=False,
    )
    assert ran.returncode == 1
    assert told in ran.stderr
    assert len(ran.stderr.strip().splitlines()) == 1


def test_metrics_are_summed_over_the_workers(tmp_path: Path) -> None:
    service.export_startups(tmp_path)
    with _server(tmp_path, RS_WORKERS="2", RS_THREADS="2") as port:
        for _ in range(20):
            _get(port, PATH, service.token())
        text = _get(port, "/metrics", service.token())
    counted = [line for line in text.splitlines() if line.startswith("recs_answers_total{")]
    assert sum(float(line.rpartition(" ")[2]) for line in counted) == 20


class Caller(threading.Thread):
    """Asks without pause over kept connections and keeps every answer."""

    def __init__(self, port: int, stop: threading.Event) -> None:
        super().__init__()
        self.port, self.stop = port, stop
        self.answers: list[tuple[int, dict[str, Any]]] = []
        self.slowest_s = 0.0

    def run(self) -> None:
        token = service.token()
        connection = HTTPConnection("127.0.0.1", self.port, timeout=5)
        while not self.stop.is_set():
            started = time.perf_counter()
            connection.request("GET", PATH, headers={"Authorization": f"Bearer {token}"})
            answer = connection.getresponse()
            self.answers.append((answer.status, json.loads(answer.read())))
            self.slowest_s = max(self.slowest_s, time.perf_counter() - started)
        connection.close()


def test_new_models_are_taken_up_by_every_worker_without_losing_a_request(tmp_path: Path) -> None:
    service.export_startups(tmp_path)
    service.publish(tmp_path, "als")
    stop = threading.Event()
    with _server(tmp_path, RS_WORKERS="2", RS_THREADS="3", RS_RELOAD_SECONDS="0.1", RS_LOG_LEVEL="ERROR") as port:
        callers = [Caller(port, stop) for _ in range(4)]
        for caller in callers:
            caller.start()
        for seed in range(1, 9):
            service.publish(tmp_path, "als", service.als_arrays(seed=seed))
            time.sleep(0.25)
        _publish_damaged(tmp_path)
        time.sleep(0.6)
        before_stop = [len(caller.answers) for caller in callers]
        stop.set()
        for caller in callers:
            caller.join()
    answers = [one for caller in callers for one in caller.answers]
    versions = [body["model_version"] for _, body in answers]
    print(f"{len(answers)} answers over 9 swaps, slowest {1000 * max(one.slowest_s for one in callers):.0f} ms")  # noqa: T201  # pytest -s shows it
    assert len(answers) >= 300
    assert {status for status, _ in answers} == {200}
    assert {body["method_used"] for _, body in answers} == {"als"}
    assert len(set(versions)) >= 5
    assert "als_v10" not in versions
    for caller, count in zip(callers, before_stop, strict=True):
        assert {body["model_version"] for _, body in caller.answers[count - 1 :]} == {"als_v9"}


def _publish_damaged(root: Path) -> None:
    """Point to a copy of the newest version with one byte changed, so that it was never whole."""
    place = service.store_under(root).folder("als")
    pointer = place.pointer()
    assert pointer is not None
    shutil.copytree(place.path(pointer.version), place.path("als_v10"))
    file = place.path("als_v10") / "gram.npy"
    file.write_bytes(file.read_bytes()[:-1] + b"\x7f")
    place.point_to("als_v10", pointer.seal)


def test_a_reload_keeps_the_old_workers_until_the_new_ones_serve(tmp_path: Path) -> None:
    service.export_startups(tmp_path)
    service.publish(tmp_path, "als")
    more = {"TMPDIR": str(tmp_path / "tmp"), "RS_WORKERS": "2", "RS_LOG_LEVEL": "ERROR"}
    (tmp_path / "tmp").mkdir()
    slowest, begun = 0.0, time.perf_counter()
    with _master(tmp_path, **more) as (port, process):
        boot = time.perf_counter() - begun
        master = psutil.Process(process.pid)
        old = {worker.pid for worker in master.children()}
        process.send_signal(signal.SIGHUP)
        end = time.monotonic() + 15
        while time.monotonic() < end and not old.isdisjoint(worker.pid for worker in master.children()):
            begun = time.perf_counter()
            _worker(port)
            slowest = max(slowest, time.perf_counter() - begun)
        answered_by = _worker(port)
        folders = [path.name for path in (tmp_path / "tmp").glob("recs-metrics-*")]
    assert len(old) == 2
    assert answered_by not in old
    assert slowest < boot / 3  # nobody waited while the new workers loaded
    assert len(folders) == 1
    assert list((tmp_path / "tmp").glob("recs-metrics-*")) == []


def _worker(port: int) -> int:
    return int(json.loads(_get(port, "/api/models", service.token()))["worker"])


def test_a_reload_that_could_not_start_leaves_the_old_workers(tmp_path: Path) -> None:
    service.export_startups(tmp_path)
    shutil.copytree(ROOT / "recommendation_service" / "use_cases", tmp_path / "use_cases")
    use_case = tmp_path / "use_cases" / "startups.toml"
    good = use_case.read_text()
    more = {"RS_USE_CASES_DIR": str(use_case.parent), "RS_USE_CASES": "startups", "RS_WORKERS": "1"}
    with _master(tmp_path, **more) as (port, process):
        master = psutil.Process(process.pid)
        old = {worker.pid for worker in master.children()}
        use_case.write_text("name = ")
        process.send_signal(signal.SIGHUP)
        time.sleep(3)
        assert process.poll() is None
        assert old <= {worker.pid for worker in master.children()}
        assert _worker(port) in old
        use_case.write_text(good)
        process.send_signal(signal.SIGHUP)
        end = time.monotonic() + 20
        while time.monotonic() < end and old & {worker.pid for worker in master.children()}:
            time.sleep(0.1)
        assert _worker(port) not in old
