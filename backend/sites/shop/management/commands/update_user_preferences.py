"""Works out the preference vectors that are stale or missing."""

from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from sites.shop.models import UserPreferenceEmbedding
from sites.shop.services.user_preference import UserPreferenceService, outdated

STEP = 200


class Command(BaseCommand):
    """Thin: `UserPreferenceService` does it."""

    help = "Work out the preferences of customers whose past changed since; the others stay as they are."

    def add_arguments(self, parser: ArgumentParser) -> None:
        """Whose."""
        parser.add_argument("--user", action="append", default=[], metavar="ID", help="Only this customer; may be repeated")
        parser.add_argument("--all", action="store_true", help="Everybody's, also those that are fresh")

    def handle(self, *args: Any, **options: Any) -> None:
        """Broken off, the next run does what is left."""
        if options["all"]:
            UserPreferenceEmbedding.objects.update(is_stale=True)
        wanted = options["user"] or list(outdated())
        service, made = UserPreferenceService(), 0
        for place, user_id in enumerate(wanted, start=1):
            row = service.update_user_preference(user_id)
            if row is None and options["user"]:
                raise CommandError(f"{user_id}: no customer with a past; see their id in the admin")
            made += row is not None
            if place % STEP == 0:
                self.stdout.write(f"{place:,} of {len(wanted):,}")
                self.stdout.flush()
        pointing = UserPreferenceEmbedding.objects.filter(dimension__gt=0).count()
        self.stdout.write(f"{made:,} worked out; {pointing:,} customers have a vector")
        if not pointing:
            self.stdout.write("next: manage.py sync_products")
