"""Loads a MovieLens release into the film site."""

from argparse import ArgumentParser
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError
from django.db import transaction

from sites.movies.models import Movie, Viewer
from sites.movies.movielens_import import CATALOGUE, MIN_LIKED, Loaded, load_release
from sites.movies.movielens_reader import Release, read_release
from tandem.management.errors import as_command_errors
from tandem.services.bulk_load import forget_past

SHOWN_BAD_ROWS = 20


class Command(BaseCommand):
    """Read a release and write it in one transaction."""

    help = "Load a MovieLens release (typed tab-separated, csv, classic u.data, or the 1M .dat files)."

    def add_arguments(self, parser: ArgumentParser) -> None:
        """Add the folder, the number of newcomers, and --reset."""
        parser.add_argument("folder", type=Path, help="Folder of the release")
        parser.add_argument(
            "--newcomers",
            type=int,
            default=12,
            help="People who joined last and keep only their first ratings, so that every segment exists (default 12; 0: none)",
        )
        parser.add_argument("--reset", action="store_true", help="Delete films, viewers and their interactions first")

    def handle(self, *args: Any, **options: Any) -> None:
        """Read, write, and report what was written and what was left out."""
        if options["newcomers"] < 0:
            raise CommandError("--newcomers must not be negative")
        with as_command_errors("cannot read the release: {}"):
            release = read_release(options["folder"])
        with transaction.atomic():
            self._empty_tables(reset=options["reset"])
            loaded = load_release(release, newcomers=options["newcomers"])
        self._report(release, loaded, wanted=options["newcomers"])

    def _empty_tables(self, *, reset: bool) -> None:
        if reset:
            forget_past(catalogue=CATALOGUE)
            Movie.objects.all().delete()
            Viewer.objects.all().delete()
        elif Movie.objects.exists() or Viewer.objects.exists():
            raise CommandError("the site has films or viewers already; run again with --reset to replace them")

    def _report(self, release: Release, loaded: Loaded, *, wanted: int) -> None:
        for bad in release.bad[:SHOWN_BAD_ROWS]:
            self.stderr.write(f"left out {bad}")
        if len(release.bad) > SHOWN_BAD_ROWS:
            self.stderr.write(f"left out {len(release.bad) - SHOWN_BAD_ROWS} more lines")
        counts = f"{loaded.films} films, {len(loaded.viewers)} viewers, {loaded.ratings} ratings"
        self.stdout.write(f"{release.layout} release: {counts}; {len(release.bad)} lines left out")
        if wanted:
            withheld = sum(newcomer.withheld for newcomer in loaded.newcomers)
            self.stdout.write(
                f"{len(loaded.newcomers)} of the last-joined people were cut back to their first ratings; {withheld} later "
                "ratings were not loaded and only chose their favourite genres (--newcomers 0 loads everything)"
            )
        if len(loaded.newcomers) < wanted:
            self.stderr.write(f"only {len(loaded.newcomers)} people have the {MIN_LIKED} liked films that a newcomer needs")
        self.stdout.write("people to try:")
        for viewer in sorted(loaded.viewers, key=lambda person: loaded.counted.get(person.pk, 0)):
            if viewer.is_demo:
                about = f" ({description})" if (description := viewer.describe()) else ""
                self.stdout.write(f"  {viewer.pk:>6}  {loaded.counted.get(viewer.pk, 0):>3} counted  {viewer.label}{about}")
        self.stdout.write("next: manage.py generate_all_datasets")
