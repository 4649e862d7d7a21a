"""A Django project that is not this repository, with the wheel in an environment of its own."""

import os
import secrets
import shutil
import signal
import socket
import subprocess
import time
import urllib.error
import urllib.request
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from http.cookiejar import CookieJar
from pathlib import Path

from tests.foreign.pages import block_of
from tests.support.wheel import environment_with, make_environment, run

EXTRAS = ("django", "export", "serve", "train")
START_S = 60


def free_port() -> int:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        return int(taken.getsockname()[1])


class ForeignSite:
    """One project in a folder: its commands, its two servers, and a visitor with a session."""

    def __init__(
        self,
        folder: Path,
        project: Path,
        wheel: Path,
        *,
        beside: Sequence[str] = (),
        extras: Sequence[str] = EXTRAS,
        **variables: str,
    ) -> None:
        self.folder = folder / "site"
        self.environment = environment_with(
            folder / ".venv",
            RS_SIGNING_KEYS=f"k1:{secrets.token_urlsafe(48)}",
            RS_PORT=str(free_port()),
            RS_USE_CASES_DIR=str(self.folder / "use_cases"),
            RS_DATA_DIR=str(self.folder / "var/data"),
            RS_MODELS_DIR=str(self.folder / "var/models"),
            RS_LOG_FILE=str(self.folder / "var/service.log"),
            **variables,
        )
        self.distributions = make_environment(folder / ".venv", wheel, extras, beside=beside)
        self._make(project)
        self.port = free_port()
        self.url = f"http://127.0.0.1:{self.port}"
        self.servers: dict[str, subprocess.Popen[bytes]] = {}
        self.visitor = urllib.request.build_opener(urllib.request.HTTPCookieProcessor(CookieJar()))

    def _make(self, project: Path) -> None:
        """Copy the project; one without settings is made by `startproject`, and gets the settings of the documentation."""
        own = project / "settings_end.py"
        if own.exists():
            self.folder.mkdir()
            run(["django-admin", "startproject", "mysite", "."], self.folder, self.environment)
        shutil.copytree(project, self.folder, ignore=shutil.ignore_patterns("__pycache__", own.name), dirs_exist_ok=True)
        if own.exists():
            port = f'TANDEM["SERVICE_URL"] = "http://127.0.0.1:{self.environment["RS_PORT"]}"\n'  # several services run here
            with (self.folder / "mysite/settings.py").open("a") as settings:
                settings.write(f"import os\n{own.read_text()}\n{block_of('site-shop.md', 'mysite/settings.py')}{port}")

    @contextmanager
    def variables(self, **changed: str) -> Iterator[None]:
        """Run the commands inside with these environment variables too."""
        before = dict(self.environment)
        self.environment.update(changed)
        try:
            yield
        finally:
            self.environment.clear()
            self.environment.update(before)

    def manage(self, *words: str) -> str:
        """Return the output of a management command that must succeed."""
        return run(["python", "manage.py", *words], self.folder, self.environment)

    def python(self, code: str) -> str:
        """Return the output of code in the project's shell."""
        return self.manage("shell", "-v0", "-c", code)

    def start_service(self) -> None:
        self._start("service", ["python", "-m", "recommendation_service.app"], int(self.environment["RS_PORT"]), "/readyz")

    def start_django(self, path: str) -> None:
        """Start the development server; `path` must answer."""
        self._start("django", ["python", "manage.py", "runserver", "--noreload", str(self.port)], self.port, path)

    def _start(self, name: str, command: list[str], port: int, path: str) -> None:
        with (self.folder / f"{name}.log").open("ab") as log:
            self.servers[name] = subprocess.Popen(command, cwd=self.folder, env=self.environment, stdout=log, stderr=log)
        end = time.monotonic() + START_S
        while time.monotonic() < end and self.servers[name].poll() is None:
            with suppress(OSError):
                urllib.request.urlopen(f"http://127.0.0.1:{port}{path}", timeout=10).read()
                return
            time.sleep(0.1)
        raise AssertionError(f"{name} does not answer:\n{self.log(name)}")

    def log(self, name: str) -> str:
        return (self.folder / f"{name}.log").read_text(errors="replace")

    def stop(self, name: str, number: signal.Signals = signal.SIGTERM) -> None:
        process = self.servers.pop(name)
        process.send_signal(number)
        process.wait(20)

    def get(self, path: str) -> str:
        """Return a page that must answer 200."""
        with self.visitor.open(self.url + path, timeout=30) as response:
            return str(response.read().decode())

    def status(self, path: str) -> int:
        try:
            with self.visitor.open(self.url + path, timeout=30) as response:
                return int(response.status)
        except urllib.error.HTTPError as error:
            return error.code

    def log_in(self, email: str) -> None:
        """Give the visitor the session of an account, without its password."""
        key = self.python(
            "from django.contrib.auth import get_user_model, login\n"
            "from django.contrib.sessions.backends.db import SessionStore\n"
            "from django.http import HttpRequest\n"
            "request = HttpRequest(); request.session = SessionStore()\n"
            f"user = get_user_model().objects.get(email='{email}')\n"
            "login(request, user, backend='django.contrib.auth.backends.ModelBackend'); request.session.save()\n"
            "print(request.session.session_key)"
        ).strip()
        self.visitor.addheaders = [("Cookie", f"sessionid={key}")]


@contextmanager
def foreign_site(
    folder: Path,
    project: Path,
    wheel: Path,
    *,
    beside: Sequence[str] = (),
    extras: Sequence[str] = EXTRAS,
    **variables: str,
) -> Iterator[ForeignSite]:
    site = ForeignSite(folder, project, wheel, beside=beside, extras=extras, **variables)
    try:
        yield site
    finally:
        for name in list(site.servers):
            site.stop(name, signal.SIGKILL if os.name != "nt" else signal.SIGTERM)
