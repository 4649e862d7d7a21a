"""`manage.py import_interactions ratings.csv --catalogue movies --map user=userId item=movieId value=rating --event rate`."""

from argparse import ArgumentParser
from typing import Any

from tandem.management.import_command import ImportCommand
from tandem.services.import_files import Imported, import_interactions
from tandem.sources import ItemSource


class Command(ImportCommand):
    """Imports past interactions from a file. Importing a file twice adds nothing."""

    help = __doc__ or ""

    def add_arguments(self, parser: ArgumentParser) -> None:
        """The options of every import, and the event of every row."""
        super().add_arguments(parser)
        parser.add_argument("--event", help="the event of every row, for a file without a column for it")

    def import_file(self, source: type[ItemSource], options: dict[str, Any]) -> Imported:
        """Record the rows as interactions."""
        return import_interactions(
            options["file"],
            catalogue=source.catalogue,
            mapping=options["map"],
            event=options["event"],
            delimiter=options["delimiter"],
            dry_run=options["dry_run"],
            say=self.print_line,
        )
