"""`manage.py import_items movies.csv --catalogue movies --map id=movieId title=title genres=genres`."""

from argparse import ArgumentParser
from typing import Any

from tandem.management.import_command import ImportCommand
from tandem.services.import_files import Imported, import_items
from tandem.sources import ItemSource


class Command(ImportCommand):
    """Imports items from a file into the site's own model: new items are added, existing ones updated."""

    help = __doc__ or ""

    def add_arguments(self, parser: ArgumentParser) -> None:
        """The options of every import, and the separator of list values."""
        super().add_arguments(parser)
        parser.add_argument("--model", default="", help="app.Model, for a catalogue with items of several models")
        parser.add_argument("--list-separator", default="|", help="separator of the values of a list; default: |")

    def import_file(self, source: type[ItemSource], options: dict[str, Any]) -> Imported:
        """Add or update the items."""
        return import_items(
            options["file"],
            source=source,
            mapping=options["map"],
            list_separator=options["list_separator"],
            delimiter=options["delimiter"],
            dry_run=options["dry_run"],
            label=options["model"],
            say=self.print_line,
        )
