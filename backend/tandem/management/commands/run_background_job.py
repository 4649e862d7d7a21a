"""`manage.py run_background_job RUN`: the process of one background job; `services/background_jobs.py` starts it."""

from argparse import ArgumentParser
from typing import Any
from uuid import UUID

from django.core.management.base import BaseCommand, CommandError

from recommendation_service.errors import TandemError
from tandem.services.background_jobs import run_background_job


class Command(BaseCommand):
    """Runs the commands of one background job and records their output."""

    help = "Run the commands of one background job that was started in the admin or through the API; its record has the log."

    def add_arguments(self, parser: ArgumentParser) -> None:
        """The id of the job."""
        parser.add_argument("run", type=UUID, help="id of the job")

    def handle(self, *args: Any, **options: Any) -> None:
        """Run all commands. Raises CommandError if one fails; the log names it."""
        try:
            succeeded = run_background_job(options["run"])
        except TandemError as error:
            raise CommandError(error.message) from error
        if not succeeded:
            raise CommandError("the job failed; see its log")
