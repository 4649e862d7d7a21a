"""Records abandoned carts, once each."""

from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from sites.shop.services.abandonments import detect_abandonments


class Command(BaseCommand):
    """Run it every hour."""

    help = "Record every cart that was not changed for --hours; mark those as recovered whose order followed."

    def add_arguments(self, parser: ArgumentParser) -> None:
        """Add --hours."""
        parser.add_argument("--hours", type=float, default=24.0, help="Hours without a change (default 24)")

    def handle(self, *args: Any, **options: Any) -> None:
        """Print what is new, and the next command."""
        if not 0 < options["hours"] <= 8760:
            raise CommandError("--hours must be more than 0 and at most 8760")
        new, recovered = detect_abandonments(hours=options["hours"])
        self.stdout.write(f"{new:,} new, {recovered:,} recovered by an order")
        self.stdout.write("next: manage.py send_campaign abandoned_cart")
