"""Base class of the two import commands."""

from argparse import ArgumentParser
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from tandem.management.errors import as_command_errors
from tandem.services.import_files import Imported
from tandem.sources import ItemSource, all_sources, chosen_sources, use_case_of


class ImportCommand(BaseCommand):
    """Reads a CSV, TSV or Parquet file into one catalogue, in short transactions."""

    next_command = "manage.py generate_all_datasets"

    def add_arguments(self, parser: ArgumentParser) -> None:
        """The file, and what its columns mean."""
        parser.add_argument("file", type=Path, help="CSV, TSV or Parquet; the first line of a CSV names its columns")
        parser.add_argument("--catalogue", help="the catalogue to import into")
        parser.add_argument("--use-case", help="instead of --catalogue, for a use case with one catalogue")
        parser.add_argument("--map", nargs="+", default=[], metavar="OURS=THEIRS", help="our name of each column of the file")
        parser.add_argument("--delimiter", help="one character; default: the one that fits the first line")
        parser.add_argument("--dry-run", action="store_true", help="read and report, write nothing to the database")

    def handle(self, *args: Any, **options: Any) -> None:
        """Print the counts, the file of refused rows, and the next command."""
        with as_command_errors(f"cannot read {options['file']} or write beside it: {{}}"):
            imported = self.import_file(_source(options["catalogue"], options["use_case"]), options)
        verb = "would be" if options["dry_run"] else "were"
        self.print_line(
            f"{imported.accepted:,} {verb} written, {imported.duplicates:,} existed already, {imported.rejected:,} refused"
        )
        if imported.rejects is not None:
            self.print_line(f"refused rows, each with its line and reason: {imported.rejects}")
        if imported.rejected and not imported.accepted and not imported.duplicates:
            raise CommandError("every row was refused, see the reasons; correct the file or --map, and import it again")
        self.print_line("next: the same without --dry-run" if options["dry_run"] else f"next: {self.next_command}")

    def import_file(self, source: type[ItemSource], options: dict[str, Any]) -> Imported:
        """Import the file of these options into the source's catalogue."""
        raise NotImplementedError

    def print_line(self, line: str) -> None:
        """Print one line and flush, so that progress shows at once."""
        self.stdout.write(line)
        self.stdout.flush()


def _source(catalogue: str | None, use_case: str | None) -> type[ItemSource]:
    if catalogue is not None:
        return chosen_sources([catalogue])[0]
    candidates = [source for source in all_sources() if use_case is not None and use_case_of(source) == use_case]
    if len(candidates) != 1:
        known = ", ".join(source.catalogue for source in all_sources())
        raise CommandError(f"name the catalogue: --catalogue, one of {known}")
    return candidates[0]
