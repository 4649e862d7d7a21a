"""`manage.py demo`: makes and runs the demo sites with their service, until Ctrl-C."""

import os
import sys
from argparse import ArgumentParser
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand

from demo import output
from demo.plan import SEEDED, movies, plan, seeded
from demo.processes import Processes, Signals, Stopped, require_free
from recommendation_service.errors import TandemError


class Command(BaseCommand):
    """Make a database, an export and models under .demo/, start both servers, and stop them."""

    help = __doc__ or ""
    requires_system_checks = []  # its stages run the checks; this process opens no database

    def add_arguments(self, parser: ArgumentParser) -> None:
        """Add ports and sites."""
        parser.add_argument("--port", type=int, default=8000, help="where Django listens")
        parser.add_argument("--service-port", type=int, default=5000, help="where Flask listens")
        parser.add_argument("--movielens", type=Path, metavar="FOLDER", help="show the movies site with this MovieLens release")
        known = ", ".join(SEEDED)
        parser.add_argument("--sites", default="", help=f"comma-separated, of {known}; default: all of them")
        parser.add_argument("--keep", action="store_true", help="reuse the results of the last demo of these sites")

    def handle(self, *args: Any, **options: Any) -> None:
        """Exit with status 0 after a signal, with 1 and one line after a failure."""
        signals = Signals()
        with signals.watched():
            try:
                self._run(signals, **options)
            except Stopped as signal:
                self._say(f"\nstopping after {signal}")
            except TandemError as error:
                self.stderr.write(f"demo: {error.message}")
                sys.exit(1)
        self._say("stopped")

    def _run(self, signals: Signals, **options: Any) -> None:
        named = [name.strip() for name in options["sites"].split(",") if name.strip()]
        sites = (movies(options["movielens"]),) if options["movielens"] else seeded(named)
        whole = plan(sites, port=options["port"], service_port=options["service_port"], environ=os.environ)
        require_free(whole.servers)  # before anything is removed: the folder may be that of a running demo
        output.make_folder(whole, keep=options["keep"])
        processes = Processes(whole.folder, whole.environment, signals)
        try:
            output.run(whole, processes, self._say, keep=options["keep"])
        finally:
            processes.stop()

    def _say(self, line: str) -> None:
        self.stdout.write(line)
        self.stdout.flush()
