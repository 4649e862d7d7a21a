"""A reader of docs/quickstart.md, who follows its blocks in a project elsewhere."""

import json
import re
import signal
import socket
import subprocess
import time
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

from tests.infra.place import ROOT
from tests.support.wheel import environment_with, make_environment, run

BLOCK = re.compile(r"^```(sh|python|toml)\n(.*?)^```$", re.DOTALL | re.MULTILINE)
BLOCKS = BLOCK.findall((ROOT / "docs/quickstart.md").read_text())  # (language, text)
SERVERS = {"python -m recommendation_service.app": "/readyz", "python manage.py runserver": "/for/1/"}


def free_port() -> int:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        return int(taken.getsockname()[1])


def get(url: str) -> Any:
    with urllib.request.urlopen(url, timeout=10) as answer:  # noqa: S310 - a loopback address
        return json.load(answer)


class Reader:
    """Does what a reader of the page does: writes the files, and types the commands into one terminal."""

    def __init__(self, folder: Path, wheel: Path) -> None:
        self.folder, self.wheel = folder, wheel
        self.environment = environment_with(folder / ".venv", RS_PORT=str(free_port()))
        self.django_port = free_port()
        self.output = ""
        self.servers: dict[str, subprocess.Popen[bytes]] = {}

    def follow(self, language: str, block: str) -> None:
        if language == "sh":
            self._type(block)
        else:
            self._write(block)

    def _write(self, block: str) -> None:
        name, _, where = block.partition("\n")[0].removeprefix("# ").partition(", ")
        path = self.folder / name
        path.parent.mkdir(exist_ok=True)
        path.write_text((path.read_text() if where == "at the end" else "") + block)
        if name.endswith("settings.py"):  # a port of this test's own
            with path.open("a") as settings:
                settings.write(f'TANDEM["SERVICE_URL"] = "http://127.0.0.1:{self.environment["RS_PORT"]}"\n')

    def _type(self, block: str) -> None:
        if extras := re.search(r"pip install .*tandem\[([a-z,]+)\]", block):
            make_environment(self.folder / ".venv", self.wheel, extras[1].split(","))
        elif block.strip() in SERVERS:
            self._serve(block.strip())
        elif block.startswith("curl"):
            self.output += json.dumps(self.ask(1))
        else:
            after = self.folder / ".after"
            script = f"set -e\n{block}\n{{ pwd; env -0; }} > '{after}'\n"
            self.output += run(["bash", "-c", script], self.folder, self.environment)
            where, _, variables = after.read_text().partition("\n")
            after.unlink()
            self.folder = Path(where)
            self.environment = dict(pair.partition("=")[::2] for pair in variables.split("\0") if pair)

    def _serve(self, command: str) -> None:
        port = self.environment["RS_PORT"] if "runserver" not in command else str(self.django_port)
        words = command.split() + (["--noreload", port] if "runserver" in command else [])
        with (self.folder / "server.log").open("ab") as log:
            self.servers[command] = subprocess.Popen(words, cwd=self.folder, env=self.environment, stdout=log, stderr=log)
        end = time.monotonic() + 60
        while time.monotonic() < end and self.servers[command].poll() is None:
            with suppress(OSError):
                get(f"http://127.0.0.1:{port}{SERVERS[command]}")
                return
            time.sleep(0.1)
        raise AssertionError((self.folder / "server.log").read_text())

    def ask(self, candidate: int) -> dict[str, Any]:
        answer: dict[str, Any] = get(f"http://127.0.0.1:{self.django_port}/for/{candidate}/")
        return answer

    def stop(self, command: str) -> None:
        process = self.servers.pop(command)
        process.send_signal(signal.SIGTERM)
        process.wait(20)

    def manage(self, *words: str) -> str:
        return run(["python", "manage.py", *words], self.folder, self.environment)


@contextmanager
def reading(folder: Path, wheel: Path) -> Iterator[Reader]:
    reader = Reader(folder, wheel)
    try:
        yield reader
    finally:
        for command in list(reader.servers):
            reader.stop(command)
