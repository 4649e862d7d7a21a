"""Memory of four workers against one: models are memory-mapped, so one more worker needs only its own memory.

Linux only: proportional set size (PSS) counts a page that n processes share as 1/n in each.
"""

from pathlib import Path

from benchmarks.performance.requests import ask_once, command, service_environment
from benchmarks.performance.serving import free_port, served
from benchmarks.performance.synthetic.site import SHIPPED, make_world
from recommendation_service.tests.support.service import bearer

MIB = 1024 * 1024
TOUCHES = 40  # requests a method before measuring, over several connections, so that every worker has mapped its models


def pss_of(root: Path, *, workers: int, items: int) -> int:
    """PSS of this number of workers after all of them have served a request."""
    port = free_port()
    surroundings = service_environment(root, port=port, workers=workers)
    with served(command(), port=port, environment=surroundings, log=root / f"service{workers}.log") as server:
        headers = bearer()
        for person in range(TOUCHES):
            caller = server.connect()
            for method in SHIPPED:
                ask_once(caller, method, person, items, headers)
            caller.connection.close()
        return server.pss_bytes()


def measure(root: Path, *, items: int = 50_000) -> list[tuple[str, str]]:
    """Rows to print."""
    make_world(root, items=items, methods=SHIPPED)
    models = sum(path.stat().st_size for path in (root / "models").rglob("*.npy"))
    single, four = (pss_of(root, workers=workers, items=items) for workers in (1, 4))
    return [
        (f"models on disk, {items} items", f"{models / MIB:.0f} MiB"),
        ("1 worker", f"{single / MIB:.0f} MiB PSS"),
        ("4 workers", f"{four / MIB:.0f} MiB PSS, {four / single:.2f} x one"),
    ]
