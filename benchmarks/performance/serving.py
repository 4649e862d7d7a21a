"""Starts one gunicorn for a benchmark, sends requests over one keep-alive connection, and measures its processes."""

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
    """A running server and its processes."""

    port: int
    process: psutil.Process

    def family(self) -> list[psutil.Process]:
        """The arbiter and its workers."""
        return [self.process, *self.process.children(recursive=True)]

    def cpu_s(self) -> float:
        """CPU seconds of all processes so far, user and system."""
        return sum(_cpu_s(process) for process in self.family())

    def pss_bytes(self) -> int:
        """Memory of all processes; a shared page counts once. Linux only."""
        return sum(process.memory_full_info().pss for process in self.family())

    def connect(self) -> "Caller":
        """A kept-alive connection."""
        return Caller(http.client.HTTPConnection("127.0.0.1", self.port, timeout=30))


@dataclass(frozen=True, slots=True)
class Caller:
    """One connection."""

    connection: http.client.HTTPConnection

    def ask(self, method: str, path: str, body: Any = None, headers: Mapping[str, str] | None = None) -> bytes:
        """Return the body of a response with status 200. Raises RuntimeError for another status: no error page is timed."""
        sent = None if body is None else json.dumps(body)
        self.connection.request(method, path, sent, {"Content-Type": "application/json", **(headers or {})})
        answer = self.connection.getresponse()
        content = answer.read()
        if answer.status != 200:
            raise RuntimeError(f"{path}: {answer.status} {content[:300]!r}")
        return content


def _cpu_s(process: psutil.Process) -> float:
    """CPU seconds of one process: in nanoseconds on Linux, elsewhere in hundredths."""
    if sys.platform == "linux":
        return time.clock_gettime((~process.pid << 3) | 2)  # as clock_getcpuclockid(3) numbers them
    times = process.cpu_times()
    return times.user + times.system


def free_port() -> int:
    """A free port."""
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        return int(taken.getsockname()[1])


@contextmanager
def served(
    command: Sequence[str], *, port: int, environment: Mapping[str, str], log: Path, ready: str = "/readyz"
) -> Iterator[Running]:
    """Start the server, wait for `ready`, yield it, stop it. Raises RuntimeError with the end of the log if it fails."""
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
