"""docs/quickstart.md, block by block, with the wheel of this repository in a new project elsewhere."""

import json
import os
import re
import shutil
import signal
import socket
import subprocess
import sys
import time
import urllib.request
import venv
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import pytest

from tests.infra.place import ROOT

BLOCK = re.compile(r"^```(sh|python|toml)\n(.*?)^```$", re.DOTALL | re.MULTILINE)
SERVERS = {"python -m recommendation_service.app": "/readyz", "python manage.py runserver": "/for/1/"}


@pytest.fixture(scope="session")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The wheel of this checkout; the network is needed only where hatchling is not installed (extra dev)."""
    folder = tmp_path_factory.mktemp("wheel")
    isolated = [] if find_spec("hatchling") is None else ["--no-build-isolation"]
    run(
        [sys.executable, "-m", "pip", "wheel", "-q", "--no-deps", *isolated, "-w", str(folder), str(ROOT)],
        ROOT,
        dict(os.environ),
    )
    return next(folder.glob("*.whl"))


def run(command: list[str], folder: Path, environment: dict[str, str]) -> str:
    done = subprocess.run(command, cwd=folder, env=environment, capture_output=True, text=True, check=False)
    assert done.returncode == 0, f"{command}\n{done.stdout}\n{done.stderr}"
    return done.stdout + done.stderr


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
        self.environment = {name: os.environ[name] for name in ("PATH", "HOME", "LANG") if name in os.environ}
        self.environment |= {"OPENBLAS_NUM_THREADS": "1", "PYTHONDONTWRITEBYTECODE": "1", "RS_PORT": str(free_port())}
        self.django_port = free_port()
        self.output = ""
        self.servers: dict[str, subprocess.Popen[bytes]] = {}

    def install(self) -> None:
        """A virtual environment with the wheel; what the wheel needs is borrowed from this one, without this repository."""
        home = self.folder / ".venv"
        venv.create(home, with_pip=False, symlinks=True)
        packages = next(home.glob("lib/python*/site-packages"))
        (packages / "borrowed.pth").write_text("\n".join(path for path in sys.path if path.endswith("site-packages")))
        shutil.unpack_archive(self.wheel, packages, "zip")
        script = home / "bin/django-admin"
        script.write_text(f'#!/bin/sh\nexec {home}/bin/python -m django "$@"\n')
        script.chmod(0o755)
        self.environment["PATH"] = f"{home / 'bin'}{os.pathsep}{self.environment['PATH']}"

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
        if "pip install" in block:
            self.install()
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


@pytest.mark.timeout(240)
def test_the_quickstart_works_in_a_project_of_its_own(tmp_path: Path, wheel: Path) -> None:
    with reading(tmp_path, wheel) as reader:
        for language, block in BLOCK.findall((ROOT / "docs/quickstart.md").read_text()):
            reader.follow(language, block)
        where = "import tandem, recommendation_service as service; print(tandem.__file__, service.__file__)"
        assert run(["python", "-c", where], reader.folder, reader.environment).count(f"{tmp_path}/.venv/") == 2
        assert "no issues" in reader.manage("check")
        assert "No changes" in reader.manage("makemigrations", "--check", "--dry-run")
        served = reader.ask(2)
        assert (served["degraded"], served["degradation"], served["method_used"]) == (False, [], "als")
        assert len(served["recommendations"]) == 5
        assert served["interaction_count"] >= 4
        assert all(item["title"] and item["reasons"] for item in served["recommendations"])
        reader.stop("python -m recommendation_service.app")
        assert reader.ask(2) == served  # from the cache
        for candidate in (3, 4040):  # a candidate without a cached list, and an unknown one
            fallback = reader.ask(candidate)
            assert fallback["degraded"]
            assert fallback["degradation"][0]["code"] == "unreachable"
            assert len(fallback["recommendations"]) == 5
