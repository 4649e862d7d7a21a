"""What the two import commands share."""

from argparse import ArgumentParser
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from recommendation_service.errors import TandemError
from tandem.exports.datasets import chosen_sources
from tandem.services.import_files import Imported
from tandem.sources import ItemSource, all_sources, use_case_of


class ImportCommand(BaseCommand):
    """Reads a CSV, TSV or Parquet file into one catalogue, in one transaction."""

    next_command = "manage.py generate_all_datasets"

    def add_arguments(self, parser: ArgumentParser) -> None:
        """The file, and what its columns mean."""
        parser.add_argument("file", type=Path, help="CSV, TSV or Parquet; the first line of a CSV names its columns")
        parser.add_argument("--catalogue", help="which catalogue it belongs to")
        parser.add_argument("--use-case", help="instead of --catalogue, where the use case has one")
        parser.add_argument("--map", nargs="+", default=[], metavar="OURS=THEIRS", help="what the columns are")
        parser.add_argument("--delimiter", help="one character; default: the one that fits the first line")
        parser.add_argument("--dry-run", action="store_true", help="read and report, write nothing to the database")

    def handle(self, *args: Any, **options: Any) -> None:
        """One line of result, where the refused rows are, and the next command."""
        try:
            done = self.bring_in(_source(options["catalogue"], options["use_case"]), options)
        except TandemError as error:
            raise CommandError(error.message) from error
        except OSError as error:
            raise CommandError(f"cannot read or write beside {options['file']}: {error}") from error
        told = "would be" if options["dry_run"] else "were"
        self.say(f"{done.accepted:,} {told} written, {done.duplicates:,} were there already, {done.rejected:,} refused")
        if done.rejects is not None:
            self.say(f"refused rows, each with its line and reason: {done.rejects}")
        if done.rejected and not done.accepted and not done.duplicates:
            raise CommandError("no row was good: the refused ones say why; mend the file or --map, and import it again")
        self.say(f"next: {self.next_command}" if not options["dry_run"] else "next: the same without --dry-run")

    def bring_in(self, source: type[ItemSource], options: dict[str, Any]) -> Imported:
        """What the command does with its file."""
        raise NotImplementedError

    def say(self, line: str) -> None:
        """One line, at once."""
        self.stdout.write(line)
        self.stdout.flush()


def _source(catalogue: str | None, use_case: str | None) -> type[ItemSource]:
    if catalogue is not None:
        return chosen_sources([catalogue])[0]
    owned = [source for source in all_sources() if use_case is not None and use_case_of(source) == use_case]
    if len(owned) != 1:
        known = ", ".join(source.catalogue for source in all_sources())
        raise CommandError(f"say which catalogue: --catalogue, one of {known}")
    return owned[0]
