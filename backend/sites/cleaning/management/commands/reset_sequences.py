"""Sets the primary-key sequences of apps' tables past their largest key (PostgreSQL)."""

from argparse import ArgumentParser
from typing import Any

from django.apps import apps
from django.core.management.base import BaseCommand, CommandError
from django.core.management.color import no_style
from django.db import DEFAULT_DB_ALIAS, connections


class Command(BaseCommand):
    """Needed after rows were written with given keys, as `generate_training_data` does. Safe to run at any time."""

    help = __doc__ or ""

    def add_arguments(self, parser: ArgumentParser) -> None:
        """Add apps and database."""
        parser.add_argument("apps", nargs="*", metavar="app", default=["cleaning"], help="Labels of apps (default: cleaning)")
        parser.add_argument("--database", default=DEFAULT_DB_ALIAS, choices=list(connections), help="Which database")

    def handle(self, *args: Any, **options: Any) -> None:
        """Raise CommandError for an unknown app."""
        models = [model for label in options["apps"] or ["cleaning"] for model in _models(label)]
        connection = connections[options["database"]]
        statements = connection.ops.sequence_reset_sql(no_style(), models)
        with connection.cursor() as cursor:
            for statement in statements:
                cursor.execute(statement)
        named = ", ".join(options["apps"])
        if statements:
            self.stdout.write(f"{len(statements)} sequences of {named} stand past the largest key")
        else:
            self.stdout.write(f"nothing to reset: {connection.display_name} takes the next free key of {named} by itself")


def _models(label: str) -> list[Any]:
    try:
        return list(apps.get_app_config(label).get_models(include_auto_created=True))
    except LookupError as error:
        known = ", ".join(sorted(config.label for config in apps.get_app_configs()))
        raise CommandError(f"there is no app '{label}'; there are {known}") from error
