"""`manage.py sync_interactions`: make the interactions equal to the rows of the site's event tables."""

from typing import Any

from django.core.management.base import BaseCommand

from tandem.event_sync import spool
from tandem.event_sync.sync import sync_interactions


class Command(BaseCommand):
    """Inserts, changes and removes, in batches. A second run changes nothing."""

    help = __doc__ or ""

    def handle(self, *args: Any, **options: Any) -> None:
        """Print one line per table, and one per reason why rows are no interactions."""
        replayed = spool.replay()
        if replayed:
            self.stdout.write(f"{replayed:,} rows of the spool are mirrored")
        if spool.lost():
            self.stdout.write(f"{spool.lost():,} lists, clicks or changes were lost because the spool was full")
        if not sync_interactions(say=self.stdout.write):
            self.stdout.write("no source declares event tables; see `events` in tandem/sources.py")
        self.stdout.write("next: manage.py generate_all_datasets")
