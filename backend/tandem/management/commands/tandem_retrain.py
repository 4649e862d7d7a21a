"""`manage.py tandem_retrain`: sync, export and train in one command, once or on a schedule.

manage.py tandem_retrain
manage.py tandem_retrain --every 6h --min-new 100
"""

import re
import signal
import threading
from argparse import ArgumentParser, ArgumentTypeError
from typing import Any

from django.core.management.base import BaseCommand, CommandError
from django.db import close_old_connections
from django.utils import timezone

from tandem.management.errors import as_command_errors
from tandem.services.retrain import retrain

UNITS = {"m": 60, "h": 3600, "d": 86_400}


def duration_s(text: str) -> int:
    """Return the seconds of a duration such as 30m, 6h or 1d."""
    match = re.fullmatch(r"([1-9][0-9]{0,4})([mhd])", text)
    if match is None:
        raise ArgumentTypeError(f"'{text}' is not a duration; write a number and a unit, such as 30m, 6h or 1d")
    return int(match[1]) * UNITS[match[2]]


class Command(BaseCommand):
    """Records rows that were missed, exports the tables, trains what has new interactions, and publishes."""

    help = "Sync, export and train in one command. A model that is refused leaves the published one in service."

    def add_arguments(self, parser: ArgumentParser) -> None:
        """What to train, how much news a training needs, and the schedule."""
        parser.add_argument("names", nargs="*", metavar="NAME", help="a catalogue or use case; default: all")
        parser.add_argument(
            "--min-new",
            type=int,
            metavar="N",
            help="train only after N new interactions (default: 1 %% of those of the last training, at least 1; 0: always)",
        )
        parser.add_argument("--every", type=duration_s, metavar="TIME", help="repeat, such as 6h; ends with SIGTERM or Ctrl-C")

    def handle(self, *args: Any, **options: Any) -> None:
        """Run once, or again and again until the process is stopped."""
        every = options["every"]
        if every is None:
            self._run(options)
            return
        stop = threading.Event()
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, lambda *_: stop.set())
        while not stop.is_set():
            started = timezone.now()
            close_old_connections()  # the database may have been restarted since the last run
            try:
                self._run(options)
            except CommandError as error:
                self.stderr.write(f"{started:%Y-%m-%d %H:%M} failed, tried again later: {error}")
            left = every - (timezone.now() - started).total_seconds()
            self.stdout.write(f"next run in {max(0, left) / 60:.0f} minutes")
            self.stdout.flush()
            stop.wait(max(0, left))

    def _run(self, options: dict[str, Any]) -> None:
        with as_command_errors():
            done = retrain(names=options["names"], min_new=options["min_new"], say=self._line)
        for catalogue, versions in done.published.items():
            self._line(f"{catalogue}: published {', '.join(versions)}")
        self._line("next: tandem models")

    def _line(self, text: str) -> None:
        self.stdout.write(text)
        self.stdout.flush()
