"""Fills recommender_recommendation_performance."""

from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from recommendation_service.errors import TandemError
from sites.shop.services.performance import measure_performance


class Command(BaseCommand):
    """Thin; run it every night."""

    help = "Work out impressions, clicks, CTR, conversion rate and revenue of the last days, by day and surface."

    def add_arguments(self, parser: ArgumentParser) -> None:
        """How far back."""
        parser.add_argument("--days", type=int, default=7, help="Days of UTC, today included (default 7)")

    def handle(self, *args: Any, **options: Any) -> None:
        """How many rows; the same again changes nothing."""
        if options["days"] < 1:
            raise CommandError("--days must be at least 1")
        try:
            rows = measure_performance(days=options["days"])
        except TandemError as error:
            raise CommandError(error.message) from error
        self.stdout.write(f"{rows:,} rows of the last {options['days']:,} days")
