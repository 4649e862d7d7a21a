"""`manage.py sync_interactions`: record rows of the sites' event tables that Django's signals did not report."""

from typing import Any

from django.core.management.base import BaseCommand

from tandem.event_sync import sync_interactions


class Command(BaseCommand):
    """Adds what is missing, in batches. A second run adds nothing."""

    help = __doc__ or ""

    def handle(self, *args: Any, **options: Any) -> None:
        """Print one line per table."""
        if not sync_interactions(say=self.stdout.write):
            self.stdout.write("no source declares event tables; see `events` in tandem/sources.py")
        self.stdout.write("next: manage.py generate_all_datasets")
