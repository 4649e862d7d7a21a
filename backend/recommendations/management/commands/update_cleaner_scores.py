"""Computes the scores of all cleaners; run it daily, such as by cron."""

from typing import Any

from django.core.management.base import BaseCommand, CommandError

from recommendations.services.scoring_service import ScoringService
from tandem.management.errors import as_command_errors

NAMED = 20


class Command(BaseCommand):
    """Calls `ScoringService`."""

    help = "Compute the scores of all cleaners from jobs, bids, reviews and payments. Exits with 1 if some could not be scored."

    def handle(self, *args: Any, **options: Any) -> None:
        """Cleaners who could not be scored keep their previous score, and the others are scored."""
        with as_command_errors():
            done = ScoringService().update_all_cleaner_scores()
        self.stdout.write(f"{done['updated']:,} cleaners scored, {done['errors']:,} could not be")
        if done["errors"]:
            named = ", ".join(str(key) for key in done["error_cleaners"][:NAMED])
            more = f" and {done['errors'] - NAMED:,} more" if done["errors"] > NAMED else ""
            raise CommandError(f"not scored: cleaners {named}{more}; the log says why, the admin shows their rows")
