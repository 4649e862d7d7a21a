"""Processes that a command starts and must not leave behind: each in its own group, all stopped together."""

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
AT_ONCE = 2  # commands of one stage side by side: a demo is made on two cores
RESTART_S = 15.0  # long enough to look at one half without the other
_PAUSE_S = 0.1


class Stopped(Exception):
    """Ctrl-C or SIGTERM came; the message is the signal's name."""


class StageFailed(TandemError):
    """A stage or a server ended badly; its log says why."""

    code = "stage_failed"


class Processes:
    """Everything started here, so that all of it can be stopped, newest first."""

    def __init__(self, logs: Path, environment: Mapping[str, str], signals: "Signals") -> None:
        self.logs = logs
        self.environment = environment
        self.signals = signals
        self._running: list[tuple[str, subprocess.Popen[bytes]]] = []

    def run(self, name: str, *commands: Sequence[str]) -> float:
        """Run all to the end, AT_ONCE of them side by side, with the output in `<name>.log`; the seconds it took.

        Several commands write `<name>-1.log` and so on. Raises StageFailed as soon as one failed, Stopped.
        """
        begun = time.monotonic()
        waiting = [(name if len(commands) == 1 else f"{name}-{place}", one) for place, one in enumerate(commands, start=1)]
        busy: list[tuple[str, subprocess.Popen[bytes]]] = []
        while waiting or busy:
            self.signals.check()
            if waiting and len(busy) < AT_ONCE:
                log, command = waiting.pop(0)
                busy.append((log, self.start(log, command)))
                continue
            for log, process in [one for one in busy if one[1].poll() is not None]:
                busy.remove((log, process))
                self._running.remove((log, process))
                if process.returncode != 0:
                    raise StageFailed(self._why(log, f"failed with exit status {process.returncode}"))
            time.sleep(_PAUSE_S / 5)
        return time.monotonic() - begun

    def output(self, name: str, command: Sequence[str]) -> str:
        """Run to the end; what it printed, which stays in no file. Raises StageFailed, Stopped."""
        self.run(name, command)
        log = self.logs / f"{name}.log"
        printed = log.read_text()
        log.unlink()
        return printed.strip()

    def start(self, name: str, command: Sequence[str], *, again: bool = False) -> "subprocess.Popen[bytes]":
        """Start and leave running. A group of its own: the terminal's Ctrl-C reaches us only, and we stop in order."""
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
        """Wait until every server is ready; the seconds it took. Raises StageFailed when one ends or stays silent."""
        begun = time.monotonic()
        for server in servers:
            while not answers(server.ready):
                self.check_alive()
                if time.monotonic() - begun > timeout_s:
                    raise StageFailed(self._why(server.name, f"was not ready after {timeout_s:.0f} s ({server.ready})"))
                time.sleep(_PAUSE_S)
        return time.monotonic() - begun

    def check_alive(self) -> None:
        """Raises Stopped after a signal, StageFailed when a server has ended by itself."""
        self.signals.check()
        for name, process in self._running:
            if process.poll() is not None:
                raise StageFailed(self._why(name, f"ended by itself with exit status {process.returncode}"))

    def supervise(self, servers: Sequence[Server], say: Callable[[str], None], *, restart_s: float = RESTART_S) -> NoReturn:
        """Start again what ends by itself, after `restart_s`; the other half goes on alone meanwhile. Ends by Stopped."""
        command_of = {server.name: server.command for server in servers}
        due: dict[str, float] = {}
        while True:
            self.signals.check()
            for name in self._ended():
                say(f"{name} ended; it starts again in {restart_s:g} s, and the other half goes on without it")
                due[name] = time.monotonic() + restart_s
            for name in [one for one, when in due.items() if time.monotonic() >= when]:
                del due[name]
                self.start(name, command_of[name], again=True)
                say(f"{name} starts again")
            time.sleep(_PAUSE_S)

    def _ended(self) -> list[str]:
        """Names of those that ended since the last look; their groups are cleared, so that the port is free again."""
        ended = [(name, process) for name, process in self._running if process.poll() is not None]
        for _, process in ended:
            _signal(process, signal.SIGKILL)
        self._running = [one for one in self._running if one not in ended]
        return [name for name, _ in ended]

    def stop(self) -> None:
        """Ask every group to end, wait, and kill what is left; safe to call twice."""
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
        return f"{name} {what}: {lines[-1] if lines else 'it said nothing'}. All of it: {log}"


class Signals:
    """Remembers SIGINT and SIGTERM instead of raising: a process is never lost between its start and our list."""

    def __init__(self) -> None:
        self.came: signal.Signals | None = None

    def check(self) -> None:
        """Raises Stopped once a signal came."""
        if self.came is not None:
            raise Stopped(self.came.name)

    @contextmanager
    def watched(self) -> Iterator[None]:
        """Watch while inside; the handlers of before come back after."""
        before = {number: signal.signal(number, self._remember) for number in (signal.SIGINT, signal.SIGTERM)}
        try:
            yield
        finally:
            for number, handler in before.items():
                signal.signal(number, handler)

    def _remember(self, number: int, frame: FrameType | None) -> None:
        self.came = signal.Signals(number)


def require_free(servers: Sequence[Server]) -> None:
    """Raises StageFailed, with the way out, when a port is taken."""
    for server in servers:
        with socket.socket() as attempt:
            attempt.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                attempt.bind((HOST, server.port))
            except OSError as error:
                way_out = f"make demo {server.change_port}={server.port + 1}"
                raise StageFailed(f"port {server.port} is busy; stop what listens there, or run: {way_out}") from error


def answers(url: str) -> bool:
    """Whether that address answers 200 now."""
    try:
        return urllib3.request("GET", url, timeout=2.0, retries=False, redirect=False).status == 200
    except urllib3.exceptions.HTTPError:
        return False


def _group_lives(process: "subprocess.Popen[bytes]") -> bool:
    process.poll()  # reaps it, so that a group of one that ended is gone
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
