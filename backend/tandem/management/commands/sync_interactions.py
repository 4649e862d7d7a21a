"""`manage.py sync_interactions`: mirror rows of the sites' event tables that were written past Django's signals."""

from typing import Any

from django.core.management.base import BaseCommand

from tandem.services.sync_events import sync_interactions


class Command(BaseCommand):
    """Adds what is missing, in batches; running it again adds nothing."""

    help = __doc__ or ""

    def handle(self, *args: Any, **options: Any) -> None:
        """One line a table."""
        added = sync_interactions(say=self.stdout.write)
        if not added:
            self.stdout.write("no source declares event tables; see `events` in recommendations/sources.py")
        self.stdout.write("next: manage.py generate_all_datasets")
