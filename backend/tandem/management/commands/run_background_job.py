"""`manage.py run_background_job RUN`: what a run in the background is; `services/background_jobs.py` starts it."""

from argparse import ArgumentParser
from typing import Any
from uuid import UUID

from django.core.management.base import BaseCommand, CommandError

from recommendation_service.errors import TandemError
from tandem.services.background_jobs import run_background_job


class Command(BaseCommand):
    """Does the commands of one run and keeps its record."""

    help = "Do the commands of one run that was started in the admin or through the API; its record holds the log."

    def add_arguments(self, parser: ArgumentParser) -> None:
        """Which run."""
        parser.add_argument("run", type=UUID, help="its id")

    def handle(self, *args: Any, **options: Any) -> None:
        """To the end. Raises CommandError when a command failed; the log says which."""
        try:
            good = run_background_job(options["run"])
        except TandemError as error:
            raise CommandError(error.message) from error
        if not good:
            raise CommandError("the run failed; see its log")
