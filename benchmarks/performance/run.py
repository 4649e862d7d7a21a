"""Run every benchmark of this folder and print one table of ratios: make bench."""

from recommendation_service.core import threads  # first: it pins the thread pools before numpy is imported  # isort: skip

import argparse
import os
import platform
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from importlib import import_module
from pathlib import Path

MODULES = {  # name on the command line -> module, in the order in which they run
    "requests": "requests",
    "memory": "memory",
    "hop": "proxy_overhead",
    "export": "export",
    "learned": "learned_ranker",
    "stages": "stages",
    "texts": "text_models",
    "vectors": "vectors",
    "pairs": "pairs",
    "standings": "standings",
    "lists": "marketplace_lists",
}
Measure = Callable[[Path], list[tuple[str, str]]]


def known() -> dict[str, Measure]:
    """The benchmarks of this folder; `measure(root)` of each returns rows to print."""
    return {name: import_module(f"benchmarks.performance.{module}").measure for name, module in MODULES.items()}


def main(argv: Sequence[str] | None = None) -> int:
    """Return 0 if every chosen benchmark ran, else 1."""
    choices = known()
    parser = argparse.ArgumentParser(prog="make bench", description=__doc__)
    parser.add_argument("names", nargs="*", metavar="NAME", help=f"of {', '.join(choices)}; default: all")
    parser.add_argument("--seconds", type=float, default=120, help="start no further benchmark after so long")
    options = parser.parse_args(argv)
    wrong = [name for name in options.names if name not in choices]
    if wrong:
        parser.error(f"no benchmark is called {wrong[0]}; there are {', '.join(choices)}")
    print(f"{platform.machine()}, {os.cpu_count()} cores, load {os.getloadavg()[0]:.1f}, Python {platform.python_version()}")
    begun, code = time.monotonic(), 0
    for name in options.names or choices:
        if time.monotonic() - begun > options.seconds:
            print(f"\n{name}: not started, {options.seconds:.0f} s are over; run it alone: make bench BENCH={name}")
            continue
        code |= _print(name, choices[name])
    print(f"\n{time.monotonic() - begun:.0f} s in all")
    return code


def _print(name: str, measure: Measure) -> int:
    print(f"\n{name}: {(sys.modules[measure.__module__].__doc__ or '').splitlines()[0]}")
    with tempfile.TemporaryDirectory(prefix="tandem-bench-") as folder:
        try:
            rows = measure(Path(folder))
        except RuntimeError as error:
            print(f"  could not run: {error}")
            return 1
    for what, value in rows:
        print(f"  {what:<36} {value}")
    return 0


if __name__ == "__main__":
    threads.check()
    sys.exit(main())
