"""Notes carts that were left alone, once each."""

from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from sites.shop.services.abandonments import detect_abandonments


class Command(BaseCommand):
    """Thin; run it every hour."""

    help = "Note every cart that nobody touched for so long; close those whose order followed."

    def add_arguments(self, parser: ArgumentParser) -> None:
        """How long."""
        parser.add_argument("--hours", type=float, default=24.0, help="How long a cart must lie untouched (default 24)")

    def handle(self, *args: Any, **options: Any) -> None:
        """What is new, and the next command."""
        if not 0 < options["hours"] <= 8760:
            raise CommandError("--hours must be more than 0 and at most 8760")
        new, recovered = detect_abandonments(hours=options["hours"])
        self.stdout.write(f"{new:,} new, {recovered:,} recovered by an order")
        self.stdout.write("next: manage.py send_campaign abandoned_cart")
