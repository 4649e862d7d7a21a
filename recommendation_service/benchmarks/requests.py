"""What one answer of each engine costs, in CPU of the server, against that server's smallest answer.

Runs on a made-up catalogue (see world.py) with one worker; methods alternate in rounds, so that a busy machine is busy for all.
"""

import os
import sys
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from recommendation_service.benchmarks.serving import Caller, Running, free_port, served
from recommendation_service.benchmarks.world import EVENTS_EACH, METHODS, PEOPLE, make_world, surface_of
from recommendation_service.settings import PACKAGE
from recommendation_service.tests.support.exports import NOW
from recommendation_service.tests.support.service import bearer, environment

HELLO = "hello"
ROUNDS = 5
HELLOS = 10  # so many for one of the others: CPU time is counted in hundredths of a second


def command() -> list[str]:
    """gunicorn as everywhere else."""
    return [sys.executable, "-m", "gunicorn", "-c", str(PACKAGE / "gunicorn.conf.py")]


def service_environment(root: Path, *, port: int, workers: int, **more: str) -> dict[str, str]:
    """The variables of a service on the world under `root`."""

    own = environment(root, RS_USE_CASES_DIR=str(root / "use_cases"), RS_PORT=str(port), RS_WORKERS=str(workers), **more)
    kept = {name: value for name, value in os.environ.items() if not name.startswith("RS_")}
    return {**kept, **own, "PYTHONPATH": str(PACKAGE.parent)}


def body_of(person: int, items: int) -> dict[str, Any]:
    """An Ask with a history of EVENTS_EACH likes."""
    events = [
        {"item_id": f"i{(person * 7919 + step * 104729) % items:06d}", "event": "like", "time": _iso(NOW - step * 60.0)}
        for step in range(EVENTS_EACH)
    ]
    return {"user_id": f"u{person % PEOPLE:04d}", "history": events, "limit": 10}


def _iso(seconds: float) -> str:
    return datetime.fromtimestamp(seconds, UTC).isoformat()


def ask_once(caller: Caller, method: str, person: int, items: int, headers: dict[str, str]) -> None:
    """One request of that method, or hello."""
    if method == HELLO:
        caller.ask("GET", "/livez")
    else:
        caller.ask("POST", f"/api/recommendations/bench/{surface_of(method)}", body_of(person, items), headers)


def cpu_of(server: Running, *, items: int, requests: int) -> dict[str, float]:
    """CPU seconds a request by method, hello included: the least of ROUNDS rounds."""
    caller, found = server.connect(), dict.fromkeys((HELLO, *METHODS), float("inf"))
    for _ in range(ROUNDS):
        headers = bearer()  # it lives a minute
        for method in found:
            ask_once(caller, method, 0, items, headers)
            number = requests * HELLOS if method == HELLO else requests
            before = server.cpu_s()
            for person in range(number):
                ask_once(caller, method, person, items, headers)
            found[method] = min(found[method], (server.cpu_s() - before) / number)
    return found


def measure(root: Path, *, items: int = 20_000, requests: int = 100) -> list[tuple[str, str]]:
    """Rows to print: method, and its cost as a multiple of hello."""
    make_world(root, items=items)
    port = free_port()
    surroundings = service_environment(root, port=port, workers=1)
    with served(command(), port=port, environment=surroundings, log=root / "service.log") as server:
        found = cpu_of(server, items=items, requests=requests)
    hello = found.pop(HELLO)
    rows = [(f"{method}, {items} items", f"{cost / hello:.2f} x hello") for method, cost in found.items()]
    return [("hello (GET /livez)", f"{hello * 1e6:.0f} us CPU"), *rows]
