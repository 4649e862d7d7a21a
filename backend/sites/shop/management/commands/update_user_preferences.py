"""Calculates preferences that are stale or missing."""

from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from sites.shop.models import UserPreferenceEmbedding
from sites.shop.services.user_preference import UserPreferenceService, outdated

STEP = 200


class Command(BaseCommand):
    """Run `UserPreferenceService` for each customer."""

    help = "Calculate the preferences of customers with new interactions."

    def add_arguments(self, parser: ArgumentParser) -> None:
        """Add --user and --all."""
        parser.add_argument("--user", action="append", default=[], metavar="ID", help="Only this customer; may be repeated")
        parser.add_argument("--all", action="store_true", help="All customers, also those that are up to date")

    def handle(self, *args: Any, **options: Any) -> None:
        """Calculate one customer after the other; after an interruption the next run does the rest."""
        if options["all"]:
            UserPreferenceEmbedding.objects.update(is_stale=True)
        wanted = options["user"] or list(outdated())
        service, made = UserPreferenceService(), 0
        for number, user_id in enumerate(wanted, start=1):
            row = service.update_user_preference(user_id)
            if row is None and options["user"]:
                raise CommandError(f"{user_id}: there is no customer with interactions and this id; the admin shows the ids")
            made += row is not None
            if number % STEP == 0:
                self.stdout.write(f"{number:,} of {len(wanted):,}")
                self.stdout.flush()
        pointing = UserPreferenceEmbedding.objects.filter(dimension__gt=0).count()
        self.stdout.write(f"{made:,} calculated; {pointing:,} customers have a vector")
        if not pointing:
            self.stdout.write("next: manage.py sync_products")
