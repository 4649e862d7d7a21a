"""Fills the cleaning marketplace with people and a year of jobs, bids, reviews and payments; same seed, same data."""

import time
from argparse import ArgumentParser
from datetime import UTC, datetime
from typing import Any

from django.conf import settings
from django.core.management import call_command
from django.core.management.base import BaseCommand, CommandError
from django.db import transaction

from demo.synthetic.cleaning.constants import LEAST
from demo.synthetic.cleaning.distributions import summary_lines
from demo.synthetic.cleaning.market import Sizes, make_market
from demo.synthetic.cleaning.writer import is_filled, wipe, write
from demo.synthetic.command import iso_datetime
from sites.cleaning.scoring.service import ScoringService

DEFAULTS = {"jobs": 5000, "cleaners": 200, "clients": 500}


class Command(BaseCommand):
    """Fill the marketplace; `demo.synthetic.cleaning` makes the data."""

    help = __doc__ or ""

    def add_arguments(self, parser: ArgumentParser) -> None:
        """Sizes, seed and end date."""
        for name, usual in DEFAULTS.items():
            parser.add_argument(
                f"--{name}", type=int, default=usual, help=f"{name.capitalize()}, at least {LEAST[name]} (default {usual})"
            )
        parser.add_argument("--seed", type=int, default=42, help="Same seed, same marketplace (default 42)")
        parser.add_argument("--until", type=iso_datetime, help="Time of the last event, ISO 8601 (default: now)")
        parser.add_argument("--reset", action="store_true", help="Delete the marketplace and its interactions first")

    def handle(self, *args: Any, **options: Any) -> None:
        """Make the marketplace, write it in one transaction, score cleaners, and print a summary."""
        begun = time.monotonic()
        until = (options["until"] or datetime.now(UTC)).astimezone(UTC)
        seed, sizes = options["seed"], self._sizes(options, until)
        if not options["reset"] and is_filled():
            raise CommandError("there is a marketplace already; run again with --reset to replace it and its interactions")
        market = make_market(seed, sizes, self._say)
        with transaction.atomic():
            if options["reset"]:
                wipe()
            written = write(market, seed=seed, say=self._say)
        call_command("reset_sequences", stdout=self.stdout)
        scored = ScoringService().update_all_cleaner_scores(now=until)
        for line in summary_lines(market):
            self._say(line)
        self._say(", ".join(f"{count:,} {name}" for name, count in written.items()))
        self._say(
            f"{scored['updated']:,} cleaners scored, {scored['errors']:,} errors; {time.monotonic() - begun:.1f} s in all"
        )
        self._say("next: manage.py generate_all_datasets --catalogue cleaning")

    def _sizes(self, options: dict[str, Any], until: datetime) -> Sizes:
        for name, minimum in LEAST.items():
            if options[name] < minimum:
                raise CommandError(f"--{name} must be at least {minimum}, not {options[name]}")
        if options["seed"] < 0:
            raise CommandError(f"--seed must not be negative, and is {options['seed']}")
        return Sizes.ending(
            until,
            jobs=options["jobs"],
            cleaners=options["cleaners"],
            clients=options["clients"],
            fee_share=float(settings.CLEANING_PLATFORM_FEE),
        )

    def _say(self, line: str) -> None:
        self.stdout.write(line)
        self.stdout.flush()
