"""CPU cost of one request for each engine, relative to the smallest request of the same server.

Runs on synthetic catalogues (synthetic/site.py) with one worker. Methods alternate in rounds, so that other load affects all.
The table also has the time of the engine alone. The service of another checkout can alternate with this one:
python -m benchmarks.performance.requests --against <folder>
"""

from recommendation_service.core import threads  # first: it pins the thread pools before numpy is imported  # isort: skip

import argparse
import json
import os
import sys
import tempfile
from collections.abc import Mapping, Sequence
from contextlib import ExitStack
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from benchmarks.performance.engine_cost import Alone
from benchmarks.performance.serving import Caller, Running, free_port, served
from benchmarks.performance.synthetic.site import METHODS, PEOPLE, make_world, past_of, surface_of
from recommendation_service.settings import PACKAGE, load_settings
from recommendation_service.tests.support.service import bearer, environment
from recommendation_service.wiring import build_service

HELLO = "hello"
ROUNDS = 5
HELLOS = 3  # per request of another kind, which takes several times as long
SIZES = (2_000, 20_000)
SAMPLE = 1_000  # people whose lists are compared
CURRENT, BASELINE = "here", "there"


def command(package: Path = PACKAGE) -> list[str]:
    """The command that starts gunicorn."""
    return [sys.executable, "-m", "gunicorn", "-c", str(package / "gunicorn.conf.py")]


def service_environment(root: Path, *, port: int, workers: int, **more: str) -> dict[str, str]:
    """The environment of a service on the synthetic site under `root`."""

    overrides = environment(root, RS_USE_CASES_DIR=str(root / "use_cases"), RS_PORT=str(port), RS_WORKERS=str(workers), **more)
    inherited = {name: value for name, value in os.environ.items() if not name.startswith("RS_")}
    return {**inherited, "PYTHONPATH": str(PACKAGE.parent), **overrides}


def body_of(person: int, items: int) -> dict[str, Any]:
    """An Ask with a history of EVENTS_EACH likes."""
    events = [{"item_id": event.item_id, "event": event.event, "time": _iso(event.time)} for event in past_of(person, items)]
    return {"user_id": f"u{person % PEOPLE:04d}", "history": events, "limit": 10}


def _iso(seconds: float) -> str:
    return datetime.fromtimestamp(seconds, UTC).isoformat()


def ask_once(caller: Caller, method: str, person: int, items: int, headers: dict[str, str]) -> bytes:
    """The response to one request of this method, or to hello."""
    if method == HELLO:
        return caller.ask("GET", "/livez")
    return caller.ask("POST", f"/api/recommendations/bench/{surface_of(method)}", body_of(person, items), headers)


def cpu_of(servers: Mapping[str, Running], *, items: int, requests: int) -> dict[str, dict[str, float]]:
    """Server -> method -> CPU seconds a request, with hello: the minimum of ROUNDS rounds in which the servers alternate."""
    callers = {name: server.connect() for name, server in servers.items()}
    costs = {name: dict.fromkeys((HELLO, *METHODS), float("inf")) for name in servers}
    for _ in range(ROUNDS):
        headers = bearer()  # it lives a minute
        for method in (HELLO, *METHODS):
            number = requests * HELLOS if method == HELLO else requests
            for name, server in servers.items():
                ask_once(callers[name], method, 0, items, headers)
                before = server.cpu_s()
                for person in range(number):
                    ask_once(callers[name], method, person, items, headers)
                costs[name][method] = min(costs[name][method], (server.cpu_s() - before) / number)
    return costs


def started(stack: ExitStack, root: Path, packages: Mapping[str, Path]) -> dict[str, Running]:
    """Start the services of these packages on the synthetic site under `root`; they run until `stack` closes."""
    servers = {}
    for name, package in packages.items():
        port = free_port()
        engine_costs = service_environment(root, port=port, workers=1, PYTHONPATH=str(package.parent))
        up = served(command(package), port=port, environment=engine_costs, log=root / f"{name}.log")
        servers[name] = stack.enter_context(up)
    return servers


def alike(servers: Mapping[str, Running], *, items: int, method: str, sample: int = SAMPLE) -> int:
    """Number of `sample` people for whom all servers return the same items, scores and reasons.

    The history of each is in the request; that of the first PEOPLE also comes from the export, and both lists must be the same.
    """
    callers, headers, same = [server.connect() for server in servers.values()], bearer(), 0
    for person in range(sample):
        answers = [ask_once(caller, method, person, items, headers) for caller in callers]
        equal = _equal(answers)
        if person < PEOPLE:
            path = f"/api/recommendations/bench/{surface_of(method)}/u{person:04d}"
            equal &= _equal([caller.ask("GET", path, headers=headers) for caller in callers])
        same += equal
    return same


def _equal(answers: Sequence[bytes]) -> bool:
    """True if the items of all answers are the same, with scores and reasons."""
    lists = [json.loads(answer)["recommendations"] for answer in answers]
    return all(other == lists[0] for other in lists)


def measure(root: Path, *, sizes: Sequence[int] = SIZES, requests: int = 60) -> list[tuple[str, str]]:
    """Rows to print: method, and its cost as a multiple of hello."""
    rows = []
    for items in sizes:
        world = root / f"items{items}"
        make_world(world, items=items)
        with ExitStack() as stack:
            costs = cpu_of(started(stack, world, {CURRENT: PACKAGE}), items=items, requests=requests)[CURRENT]
        service = build_service(load_settings(service_environment(world, port=free_port(), workers=1)))
        rows += _rows(costs, Alone.of(service, items=items), items)
    return rows


def _rows(costs: Mapping[str, float], alone: Alone, items: int) -> list[tuple[str, str]]:
    hello, engine_costs, click = costs[HELLO], alone.seconds(), alone.click_seconds()
    rows = [
        (
            f"{method}, {items} items",
            f"{costs[method] / hello:5.2f} x hello; the engine alone {engine_costs[method] / hello:5.2f}",
        )
        for method in METHODS
    ]
    blends = costs["learned"] / costs["ensemble"], engine_costs["learned"] / engine_costs["ensemble"]
    return [
        (f"hello (GET /livez), {items} items", f"{hello * 1e6:.0f} us CPU"),
        *rows,
        ("  learned against default blend", f"{blends[0]:5.2f} x      ; the engine alone {blends[1]:5.2f} x"),
        ("  one click, until next_item knows it", f"{click * 1e6:.0f} us CPU, {click / hello:.2f} x hello"),
    ]


def compared(root: Path, other: Path, *, sizes: Sequence[int], requests: int) -> list[tuple[str, str]]:
    """Rows to print: method, its cost here and in the checkout `other`, and the ratio of CPU times."""
    rows = []
    for items in sizes:
        world = root / f"items{items}"
        make_world(world, items=items)
        packages = {BASELINE: other / PACKAGE.name, CURRENT: PACKAGE}
        with ExitStack() as stack:
            servers = started(stack, world, packages)
            costs = cpu_of(servers, items=items, requests=requests)
            same = {method: alike(servers, items=items, method=method) for method in METHODS}
        for method in METHODS:
            baseline, current = (costs[side][method] / costs[side][HELLO] for side in (BASELINE, CURRENT))
            ratio = costs[CURRENT][method] / costs[BASELINE][method]
            rows.append(
                (
                    f"{method}, {items} items",
                    f"{baseline:5.2f} -> {current:5.2f} x hello; {ratio:.2f} x the CPU;"
                    f" {same[method]} of {SAMPLE} people have the same lists",
                )
            )
    return rows


def main(argv: Sequence[str] | None = None) -> int:
    """Return 0 if both checkouts could be measured, else 1."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.performance.requests", description=__doc__)
    parser.add_argument("--against", type=Path, required=True, metavar="FOLDER", help="another checkout of this project")
    parser.add_argument("--items", type=int, nargs="+", default=SIZES, help="catalogue sizes (%(default)s)")
    parser.add_argument("--requests", type=int, default=60, help="requests a round (%(default)s)")
    options = parser.parse_args(argv)
    other = options.against.resolve()
    if not (other / PACKAGE.name / "gunicorn.conf.py").is_file():
        parser.error(f"{other} holds no checkout: {PACKAGE.name}/gunicorn.conf.py is missing")
    print(f"{os.cpu_count()} cores, load {os.getloadavg()[0]:.1f}; costs there -> here")
    with tempfile.TemporaryDirectory(prefix="tandem-bench-") as folder:
        try:
            rows = compared(Path(folder), other, sizes=options.items, requests=options.requests)
        except RuntimeError as error:
            print(f"could not run: {error}", file=sys.stderr)
            return 1
    for what, value in rows:
        print(f"  {what:<36} {value}")
    return 0


if __name__ == "__main__":
    threads.check()
    sys.exit(main())
