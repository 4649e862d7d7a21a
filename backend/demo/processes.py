"""Child processes of a command: each has its own process group, and all are stopped together."""

import os
import signal
import socket
import subprocess
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from types import FrameType
from typing import NoReturn

import urllib3

from demo.plan import HOST, Server
from recommendation_service.errors import TandemError

GRACE_S = 10.0
AT_ONCE = 2  # commands of one stage in parallel: a demo needs two cores
RESTART_S = 15.0  # long enough to see one server without the other
_PAUSE_S = 0.1


class Stopped(Exception):
    """Ctrl-C or SIGTERM was received; the message is the name of the signal."""


class StageFailed(TandemError):
    """A stage or a server failed; its log has the reason."""

    code = "stage_failed"


class Processes:
    """Starts processes and stops all of them, the newest first."""

    def __init__(self, logs: Path, environment: Mapping[str, str], signals: "Signals") -> None:
        self.logs = logs
        self.environment = environment
        self.signals = signals
        self._running: list[tuple[str, subprocess.Popen[bytes]]] = []

    def run(self, name: str, *commands: Sequence[str]) -> float:
        """Run all commands, AT_ONCE in parallel, with the output in `<name>.log`; return the seconds.

        Several commands write `<name>-1.log` and so on. Raises StageFailed as soon as a command fails, and Stopped.
        """
        begun = time.monotonic()
        numbered = enumerate(commands, start=1)
        waiting = [(name if len(commands) == 1 else f"{name}-{number}", command) for number, command in numbered]
        busy: list[tuple[str, subprocess.Popen[bytes]]] = []
        while waiting or busy:
            self.signals.check()
            if waiting and len(busy) < AT_ONCE:
                log, command = waiting.pop(0)
                busy.append((log, self.start(log, command)))
                continue
            for log, process in [entry for entry in busy if entry[1].poll() is not None]:
                busy.remove((log, process))
                self._running.remove((log, process))
                if process.returncode != 0:
                    raise StageFailed(self._why(log, f"failed with exit status {process.returncode}"))
            time.sleep(_PAUSE_S / 5)
        return time.monotonic() - begun

    def output(self, name: str, command: Sequence[str]) -> str:
        """Run a command and return its output, without leaving a log. Raises StageFailed, Stopped."""
        self.run(name, command)
        log = self.logs / f"{name}.log"
        printed = log.read_text()
        log.unlink()
        return printed.strip()

    def start(self, name: str, command: Sequence[str], *, again: bool = False) -> "subprocess.Popen[bytes]":
        """Start a process in a group of its own, so that the terminal's Ctrl-C reaches only this process."""
        with (self.logs / f"{name}.log").open("ab" if again else "wb") as log:
            process = subprocess.Popen(
                command,
                env=self.environment,
                stdout=log,
                stderr=subprocess.STDOUT,
                stdin=subprocess.DEVNULL,
                start_new_session=True,
            )
        self._running.append((name, process))
        return process

    def wait_ready(self, servers: Sequence[Server], timeout_s: float) -> float:
        """Wait until every server is ready; return the seconds. Raises StageFailed if a server ends or is late."""
        begun = time.monotonic()
        for server in servers:
            while not answers(server.ready):
                self.check_alive()
                if time.monotonic() - begun > timeout_s:
                    raise StageFailed(self._why(server.name, f"was not ready after {timeout_s:.0f} s ({server.ready})"))
                time.sleep(_PAUSE_S)
        return time.monotonic() - begun

    def check_alive(self) -> None:
        """Raise Stopped after a signal, StageFailed if a server has ended."""
        self.signals.check()
        for name, process in self._running:
            if process.poll() is not None:
                raise StageFailed(self._why(name, f"ended with exit status {process.returncode}"))

    def supervise(self, servers: Sequence[Server], say: Callable[[str], None], *, restart_s: float = RESTART_S) -> NoReturn:
        """Restart servers that end, after `restart_s`; the other server continues meanwhile. Raises Stopped."""
        command_of = {server.name: server.command for server in servers}
        due: dict[str, float] = {}
        while True:
            self.signals.check()
            for name in self._ended():
                say(f"{name} ended; it restarts in {restart_s:g} s, and the other server continues without it")
                due[name] = time.monotonic() + restart_s
            for name in [name for name, when in due.items() if time.monotonic() >= when]:
                del due[name]
                self.start(name, command_of[name], again=True)
                say(f"{name} restarts")
            time.sleep(_PAUSE_S)

    def _ended(self) -> list[str]:
        """Return names of servers that ended since the last call; kill their groups, so that the ports are free."""
        ended = [(name, process) for name, process in self._running if process.poll() is not None]
        for _, process in ended:
            _signal(process, signal.SIGKILL)
        self._running = [entry for entry in self._running if entry not in ended]
        return [name for name, _ in ended]

    def stop(self) -> None:
        """Send SIGTERM to every group, wait, and kill the rest; safe to call twice."""
        for _, process in reversed(self._running):
            _signal(process, signal.SIGTERM)
        end = time.monotonic() + GRACE_S
        while time.monotonic() < end and any(_group_lives(process) for _, process in self._running):
            time.sleep(_PAUSE_S)
        for _, process in self._running:
            _signal(process, signal.SIGKILL)
            process.wait()
        self._running.clear()

    def _why(self, name: str, what: str) -> str:
        log = self.logs / f"{name}.log"
        lines = [line.strip() for line in log.read_text(errors="replace").splitlines() if line.strip()]
        return f"{name} {what}: {lines[-1] if lines else 'no output'}. Log: {log}"


class Signals:
    """Stores SIGINT and SIGTERM instead of raising, so that no started process is missing in the list."""

    def __init__(self) -> None:
        self.received: signal.Signals | None = None

    def check(self) -> None:
        """Raise Stopped after a signal."""
        if self.received is not None:
            raise Stopped(self.received.name)

    @contextmanager
    def watched(self) -> Iterator[None]:
        """Handle signals inside the block, then restore the previous handlers."""
        before = {number: signal.signal(number, self._remember) for number in (signal.SIGINT, signal.SIGTERM)}
        try:
            yield
        finally:
            for number, handler in before.items():
                signal.signal(number, handler)

    def _remember(self, number: int, frame: FrameType | None) -> None:
        self.received = signal.Signals(number)


def require_free(servers: Sequence[Server]) -> None:
    """Raise StageFailed, with the fix, if a port is in use."""
    for server in servers:
        with socket.socket() as attempt:
            attempt.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                attempt.bind((HOST, server.port))
            except OSError as error:
                fix = f"make demo {server.change_port}={server.port + 1}"
                raise StageFailed(f"port {server.port} is busy; stop what listens there, or run: {fix}") from error


def answers(url: str) -> bool:
    """Return True if the URL answers 200."""
    try:
        return urllib3.request("GET", url, timeout=2.0, retries=False, redirect=False).status == 200
    except urllib3.exceptions.HTTPError:
        return False


def _group_lives(process: "subprocess.Popen[bytes]") -> bool:
    process.poll()  # reaps it, so that the group of an ended process is gone
    try:
        os.killpg(process.pid, 0)
    except (ProcessLookupError, PermissionError):
        return False
    return True


def _signal(process: "subprocess.Popen[bytes]", number: signal.Signals) -> None:
    try:
        os.killpg(process.pid, number)
    except (ProcessLookupError, PermissionError):
        return  # the whole group has ended
