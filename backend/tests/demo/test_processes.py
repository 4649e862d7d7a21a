"""Real processes, started and stopped: nothing may stay behind."""

import os
import signal
import socket
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from demo.plan import Server
from demo.processes import Processes, Signals, StageFailed, Stopped, answers, require_free

READY = """
import http.server, sys
class Site(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        self.send_response(200); self.end_headers()
http.server.HTTPServer(("127.0.0.1", int(sys.argv[1])), Site).serve_forever()
"""
PARENT = """
import subprocess, sys, time
print(subprocess.Popen([sys.executable, "-c", "import time; time.sleep(60)"]).pid, flush=True)
time.sleep(60)
"""
DEAF = "import signal, time; signal.signal(signal.SIGTERM, signal.SIG_IGN); print('deaf', flush=True); time.sleep(60)"


@pytest.fixture
def signals() -> Signals:
    return Signals()


@pytest.fixture
def processes(tmp_path: Path, signals: Signals) -> Iterator[Processes]:
    made = Processes(tmp_path, dict(os.environ), signals)
    yield made
    made.stop()


def python(code: str, *words: str) -> tuple[str, ...]:
    return (sys.executable, "-c", code, *words)


def free_port() -> int:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        return int(taken.getsockname()[1])


def wait_for(path: Path) -> str:
    end = time.monotonic() + 10
    while not path.exists() or not path.read_text().endswith("\n"):
        assert time.monotonic() < end
        time.sleep(0.02)
    return path.read_text()


def lives(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except FileNotFoundError:
        return False


def test_a_stage_that_ends_well_says_how_long_it_took(processes: Processes) -> None:
    assert 0 < processes.run("quick", python("pass")) < 10


def test_a_stage_that_fails_says_its_last_line_and_where_the_rest_is(processes: Processes, tmp_path: Path) -> None:
    with pytest.raises(StageFailed) as caught:
        processes.run("train", python("print('so'); raise SystemExit('not enough interactions; generate more')"))
    assert "train failed with exit status 1: not enough interactions; generate more" in caught.value.message
    assert str(tmp_path / "train.log") in caught.value.message


def test_what_a_command_prints_stays_in_no_file(processes: Processes, tmp_path: Path) -> None:
    assert processes.output("token", python("print('word')")) == "word"
    assert list(tmp_path.iterdir()) == []


def test_stopping_ends_grandchildren_too(processes: Processes, tmp_path: Path) -> None:
    processes.start("parent", python(PARENT))
    grandchild = int(wait_for(tmp_path / "parent.log"))
    assert lives(grandchild)
    processes.stop()
    assert not lives(grandchild)


def test_a_process_that_ignores_the_request_is_killed(
    processes: Processes, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("demo.processes.GRACE_S", 0.3)
    deaf = processes.start("deaf", python(DEAF))
    wait_for(tmp_path / "deaf.log")
    processes.stop()
    assert deaf.returncode == -signal.SIGKILL


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_during_a_stage_ends_it(processes: Processes, signals: Signals, number: signal.Signals) -> None:
    with signals.watched():
        os.kill(os.getpid(), number)
        with pytest.raises(Stopped, match=number.name):
            processes.run("long", python("import time; time.sleep(60)"))


def test_the_handlers_of_before_come_back(signals: Signals) -> None:
    before = signal.getsignal(signal.SIGTERM)
    with signals.watched():
        assert signal.getsignal(signal.SIGTERM) is not before
    assert signal.getsignal(signal.SIGTERM) is before


def test_a_server_is_waited_for(processes: Processes) -> None:
    server = Server("site", python(READY), free_port(), "PORT")
    processes.start(server.name, (*server.command, str(server.port)))
    assert processes.wait_ready([server], 20) < 20
    assert answers(server.ready)


def test_a_server_that_ends_by_itself_is_said_at_once(processes: Processes) -> None:
    server = Server("site", python("raise SystemExit('RS_SIGNING_KEYS is empty')"), free_port(), "PORT")
    processes.start(server.name, server.command)
    with pytest.raises(StageFailed, match="site ended with exit status 1: RS_SIGNING_KEYS is empty"):
        processes.wait_ready([server], 20)


def test_a_server_that_stays_silent_is_given_up(processes: Processes) -> None:
    server = Server("site", python("import time; time.sleep(60)"), free_port(), "PORT")
    processes.start(server.name, server.command)
    with pytest.raises(StageFailed, match="was not ready after"):
        processes.wait_ready([server], 0.3)


def test_a_server_that_is_killed_starts_again_and_the_other_one_goes_on(processes: Processes, signals: Signals) -> None:
    ports = [free_port(), free_port()]
    servers = [Server(f"site{port}", python(READY, str(port)), port, "PORT") for port in ports]
    started = [processes.start(server.name, server.command) for server in servers]
    processes.wait_ready(servers, 20)
    os.killpg(started[0].pid, signal.SIGKILL)
    said: list[str] = []

    def say(line: str) -> None:
        said.append(line)
        if "restarts in" in line:
            assert answers(servers[1].ready)
        else:
            processes.wait_ready(servers, 20)
            signals.received = signal.SIGINT

    with pytest.raises(Stopped):
        processes.supervise(servers, say, restart_s=0.2)
    assert [line.split(";")[0] for line in said] == [f"{servers[0].name} ended", f"{servers[0].name} restarts"]
    assert started[1].poll() is None


def test_a_busy_port_is_said_with_the_way_out() -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = int(taken.getsockname()[1])
        with pytest.raises(StageFailed, match=rf"port {port} is busy.*make demo SERVICE_PORT={port + 1}"):
            require_free([Server("site", (), port, "SERVICE_PORT")])
