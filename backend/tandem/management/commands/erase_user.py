"""`manage.py erase_user <id>`: forget a person in every table of Tandem."""

from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from recommendation_service.domain.ids import clean_id
from recommendation_service.errors import InvalidInput
from tandem.services.erase_user import erase_user


class Command(BaseCommand):
    """Deletes; the site's own rows about the person are the site's to delete."""

    help = __doc__ or ""

    def add_arguments(self, parser: ArgumentParser) -> None:
        """Who."""
        parser.add_argument("user_id")

    def handle(self, *args: Any, **options: Any) -> None:
        """How many rows went, and what still remembers the person."""
        try:
            gone = erase_user(user_id=clean_id(options["user_id"], field="user_id"))
        except InvalidInput as error:
            raise CommandError(error.message) from error
        self.stdout.write("deleted: " + ", ".join(f"{count} {name}" for name, count in gone.items()))
        self.stdout.write("exports and models still hold this id until they are made again and the old versions are gone")
        self.stdout.write("next: ./train_all_models.sh")
