"""One gunicorn, started for a benchmark, asked over one kept-alive connection, and measured from outside."""

import http.client
import json
import socket
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import psutil

READY_S = 60.0


@dataclass(frozen=True, slots=True)
class Running:
    """A server that answers, and its processes."""

    port: int
    process: psutil.Process

    def family(self) -> list[psutil.Process]:
        """The arbiter and its workers."""
        return [self.process, *self.process.children(recursive=True)]

    def cpu_s(self) -> float:
        """CPU seconds of the whole family so far, user and system."""
        return sum(_cpu_s(one) for one in self.family())

    def pss_bytes(self) -> int:
        """Memory of the whole family, a shared page counted once. Linux only."""
        return sum(one.memory_full_info().pss for one in self.family())

    def connect(self) -> "Caller":
        """A kept-alive connection."""
        return Caller(http.client.HTTPConnection("127.0.0.1", self.port, timeout=30))


@dataclass(frozen=True, slots=True)
class Caller:
    """One connection."""

    connection: http.client.HTTPConnection

    def ask(self, method: str, path: str, body: Any = None, headers: Mapping[str, str] | None = None) -> bytes:
        """The body of a 200 answer; raises RuntimeError for any other, so that no error page is ever timed."""
        sent = None if body is None else json.dumps(body)
        self.connection.request(method, path, sent, {"Content-Type": "application/json", **(headers or {})})
        answer = self.connection.getresponse()
        content = answer.read()
        if answer.status != 200:
            raise RuntimeError(f"{path}: {answer.status} {content[:300]!r}")
        return content


def _cpu_s(process: psutil.Process) -> float:
    """Of one process, to the nanosecond on Linux, where every process is a clock; elsewhere to the hundredth."""
    if sys.platform == "linux":
        return time.clock_gettime((~process.pid << 3) | 2)  # as clock_getcpuclockid(3) numbers them
    times = process.cpu_times()
    return times.user + times.system


def free_port() -> int:
    """A port that nobody listens on now."""
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        return int(taken.getsockname()[1])


@contextmanager
def served(
    command: Sequence[str], *, port: int, environment: Mapping[str, str], log: Path, ready: str = "/readyz"
) -> Iterator[Running]:
    """Start, wait for `ready`, give, stop. Raises RuntimeError with the log's end when it does not come up."""
    with log.open("wb") as output:
        process = subprocess.Popen(command, env=dict(environment), stdout=output, stderr=subprocess.STDOUT)
    try:
        running = Running(port, psutil.Process(process.pid))
        _wait(running, process, log, ready)
        yield running
    finally:
        process.terminate()
        process.wait(20)


def _wait(running: Running, process: "subprocess.Popen[bytes]", log: Path, ready: str) -> None:
    end = time.monotonic() + READY_S
    while process.poll() is None and time.monotonic() < end:
        try:
            running.connect().ask("GET", ready)
        except (OSError, RuntimeError, http.client.HTTPException):
            time.sleep(0.1)
        else:
            return
    raise RuntimeError(f"the server did not become ready: {log.read_text(errors='replace')[-600:]}")
