"""Cost of Django: a cached list relative to its smallest response, and an uncached list relative to a direct request.

Runs on a small generated startups site in SQLite with one gunicorn worker each; the costs are the CPU of all processes.
"""

import os
import secrets
import subprocess
import sys
from collections.abc import Callable
from functools import partial
from pathlib import Path

from benchmarks.performance.requests import command
from benchmarks.performance.serving import Caller, Running, free_port, served
from recommendation_service.datasets.reader import Dataset
from recommendation_service.settings import PACKAGE

PEOPLE = 150
ROUNDS = 3
HELLO_REQUESTS = 600
BACKEND = PACKAGE.parent / "backend"
MANAGE = [sys.executable, str(BACKEND / "manage.py")]
FILL = (
    [*MANAGE, "migrate", "--noinput", "-v", "0"],
    [*MANAGE, "generate_startups_data", "--users", str(PEOPLE), "--items", "200", "--events", "4000"],
    [*MANAGE, "generate_all_datasets", "--catalogue", "startups"],
    [sys.executable, "-m", "recommendation_service.cli", "train", "all", "--use-case", "startups", "--no-tune"],
)
TOKEN = [*MANAGE, "issue_token", "--service", "--minutes", "30"]


def surroundings(root: Path, port: int) -> dict[str, str]:
    """The environment of Django and the service, with a database and folders under `root`."""
    inherited = {name: value for name, value in os.environ.items() if not name.startswith("RS_") and name != "CACHE_URL"}
    overrides = {
        "DJANGO_SETTINGS_MODULE": "config.settings.local",
        "DATABASE_URL": f"sqlite:///{root / 'site.sqlite3'}",
        "RS_DATABASE_URL": f"sqlite:///{root / 'site.sqlite3'}",
        "RS_SIGNING_KEYS": f"bench:{secrets.token_urlsafe(48)}",
        "RECOMMENDATION_SERVICE_URL": f"http://127.0.0.1:{port}",
        "RS_DATA_DIR": str(root / "data"),
        "RS_MODELS_DIR": str(root / "models"),
        "RS_LOG_FILE": str(root / "app.log"),
        "RS_USE_CASES": "startups",
        "RS_PORT": str(port),
        "RS_WORKERS": "1",
        "RECOMMENDATION_DEADLINE_S": "5",  # a busy machine must not turn a slow answer into a fallback
        "PYTHONPATH": f"{PACKAGE.parent}{os.pathsep}{BACKEND}",
    }
    return {**inherited, **overrides}


def ran(command: list[str], environment: dict[str, str]) -> str:
    """Return the output of a command. Raises RuntimeError with its error output."""
    done = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
    if done.returncode != 0:
        raise RuntimeError(f"{' '.join(command[1:])}: {done.stderr[-400:]}")
    return done.stdout.strip()


def cpu_per_request(servers: list[Running], requests: int, ask: Callable[[int], None]) -> float:
    """CPU seconds of all these servers per call of `ask`, over `requests` calls."""
    before = sum(server.cpu_s() for server in servers)
    for number in range(requests):
        ask(number)
    return (sum(server.cpu_s() for server in servers) - before) / requests


def costs(django: Running, service: Running, people: list[str], token: str) -> dict[str, float]:
    """CPU seconds per request for each path: the minimum of ROUNDS rounds."""
    front, direct, headers = django.connect(), service.connect(), {"Authorization": f"Bearer {token}"}

    def hello(_: int) -> None:
        front.ask("GET", "/livez")

    def get(caller: Caller, limit: int, at: int) -> None:
        person = people[at % len(people)]
        caller.ask("GET", f"/api/recommendations/startups/for-developer/{person}?limit={limit}", headers=headers)

    cpu = dict.fromkeys(("hello", "uncached", "cached", "direct"), float("inf"))
    for number in range(ROUNDS):
        through = partial(get, front, 10 + number)  # an answer of another length is another cache entry
        modes: list[tuple[str, int, Callable[[int], None]]] = [
            ("hello", HELLO_REQUESTS, hello),
            ("uncached", len(people), through),
            ("cached", HELLO_REQUESTS, through),
            ("direct", len(people), partial(get, direct, 10 + number)),
        ]
        for mode, requests, ask in modes:
            cpu[mode] = min(cpu[mode], cpu_per_request([django, service], requests, ask))
    return cpu


def measure(root: Path) -> list[tuple[str, str]]:
    """Rows to print."""
    port, front_port = free_port(), free_port()
    environment = surroundings(root, port)
    for arguments in FILL:
        ran(arguments, environment)
    token = ran(TOKEN, environment)
    dataset = Dataset.open(root / "data", "startups")
    people = [user_id for user_id in dataset.user_ids.ids() if "skills" in dataset.profile(user_id)]
    wsgi = [sys.executable, "-m", "gunicorn", "config.wsgi", "--chdir", str(BACKEND), "-b", f"127.0.0.1:{front_port}"]
    one_worker = [*wsgi, "--workers", "1", "--worker-class", "gthread", "--threads", "4", "--keep-alive", "30"]
    with (
        served(command(), port=port, environment=environment, log=root / "service.log") as service,
        served(one_worker, port=front_port, environment=environment, log=root / "django.log") as django,
    ):
        cpu = costs(django, service, people, token)
    return [
        ("hello (Django's GET /livez)", f"{cpu['hello'] * 1e6:.0f} us CPU"),
        ("cached answer", f"{cpu['cached'] / cpu['hello']:.2f} x hello"),
        (
            "uncached answer, both halves",
            f"{cpu['uncached'] / cpu['direct']:.2f} x direct, {cpu['uncached'] / cpu['hello']:.2f} x hello",
        ),
        ("direct answer of the service", f"{cpu['direct'] * 1e6:.0f} us CPU"),
    ]
