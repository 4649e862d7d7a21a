"""`manage.py erase_user <id>`: delete everything that Tandem stores about a user."""

from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from recommendation_service.errors import InvalidInput
from tandem.services.erase_user import erase_user


class Command(BaseCommand):
    """Deletes from the tables of Tandem only; the site deletes its own rows about the user."""

    help = __doc__ or ""

    def add_arguments(self, parser: ArgumentParser) -> None:
        """The user's id."""
        parser.add_argument("user_id")

    def handle(self, *args: Any, **options: Any) -> None:
        """Print how many rows were deleted, and where the id remains."""
        try:
            deleted = erase_user(user_id=options["user_id"])
        except InvalidInput as error:
            raise CommandError(error.message) from error
        self.stdout.write("deleted: " + ", ".join(f"{count} {name}" for name, count in deleted.items()))
        self.stdout.write("exports and models contain this id until they are made again and their old versions are deleted")
        self.stdout.write("next: manage.py generate_all_datasets, then tandem train all")
