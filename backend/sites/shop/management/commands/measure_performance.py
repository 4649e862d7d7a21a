"""Fills recommender_recommendation_performance."""

from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from sites.shop.services.performance import measure_performance
from tandem.management.errors import as_command_errors


class Command(BaseCommand):
    """Run it every night."""

    help = "Calculate impressions, clicks, CTR, conversion rate and revenue of the last days, by day and surface."

    def add_arguments(self, parser: ArgumentParser) -> None:
        """Add --days."""
        parser.add_argument("--days", type=int, default=7, help="Days (UTC), today included (default 7)")

    def handle(self, *args: Any, **options: Any) -> None:
        """Print how many rows were written; repeating it changes nothing."""
        if options["days"] < 1:
            raise CommandError("--days must be at least 1")
        with as_command_errors():
            rows = measure_performance(days=options["days"])
        self.stdout.write(f"{rows:,} rows of the last {options['days']:,} days")
