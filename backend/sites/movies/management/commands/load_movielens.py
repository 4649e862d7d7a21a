"""Loads a MovieLens release into the film site."""

from argparse import ArgumentParser
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError
from django.db import transaction

from recommendation_service.errors import DatasetError
from sites.movies.models import Movie, Viewer
from sites.movies.movielens_import import CATALOGUE, ENOUGH, Loaded, load_release
from sites.movies.movielens_reader import Release, read_release
from tandem.services.bulk_load import forget_past

SHOWN_BAD_ROWS = 20


class Command(BaseCommand):
    """Thin: `sites.movies.movielens_reader` reads, `sites.movies.movielens_import` writes, all in one transaction."""

    help = "Load a MovieLens release (typed tab-separated, csv, classic u.data, or the 1M .dat files)."

    def add_arguments(self, parser: ArgumentParser) -> None:
        """The folder, how many newcomers, and whether to make room."""
        parser.add_argument("folder", type=Path, help="Folder of the release")
        parser.add_argument(
            "--newcomers",
            type=int,
            default=12,
            help="Last-joined people cut back to their first ratings, so that every segment can be tried; 0 loads everything",
        )
        parser.add_argument("--reset", action="store_true", help="Delete films, viewers and their past first")

    def handle(self, *args: Any, **options: Any) -> None:
        """Read, write, say what was written and what was left out."""
        if options["newcomers"] < 0:
            raise CommandError("--newcomers must not be negative")
        try:
            release = read_release(options["folder"])
        except DatasetError as error:
            raise CommandError(error.message) from error
        with transaction.atomic():
            self._make_room(reset=options["reset"])
            loaded = load_release(release, newcomers=options["newcomers"])
        self._report(release, loaded, asked=options["newcomers"])

    def _make_room(self, *, reset: bool) -> None:
        if reset:
            forget_past(catalogue=CATALOGUE)
            Movie.objects.all().delete()
            Viewer.objects.all().delete()
        elif Movie.objects.exists() or Viewer.objects.exists():
            raise CommandError("the site already holds films or viewers; run again with --reset to replace them")

    def _report(self, release: Release, loaded: Loaded, *, asked: int) -> None:
        for bad in release.bad[:SHOWN_BAD_ROWS]:
            self.stderr.write(f"left out {bad}")
        if len(release.bad) > SHOWN_BAD_ROWS:
            self.stderr.write(f"left out {len(release.bad) - SHOWN_BAD_ROWS} more lines")
        said = f"{loaded.films} films, {len(loaded.viewers)} viewers, {loaded.ratings} ratings"
        self.stdout.write(f"{release.layout} release: {said}; {len(release.bad)} lines left out")
        self._newcomers(loaded, asked)
        self.stdout.write("people to try:")
        for viewer in sorted(loaded.viewers, key=lambda person: loaded.counted.get(person.pk, 0)):
            if viewer.is_demo:
                known = viewer.describe()
                counted = loaded.counted.get(viewer.pk, 0)
                self.stdout.write(f"  {viewer.pk:>6}  {counted:>3} counted  {viewer.label}{f' ({known})' if known else ''}")
        self.stdout.write("next: manage.py generate_all_datasets")

    def _newcomers(self, loaded: Loaded, asked: int) -> None:
        if not asked:
            return
        withheld = sum(newcomer.withheld for newcomer in loaded.newcomers)
        self.stdout.write(
            f"{len(loaded.newcomers)} of the last-joined people were cut back to their first ratings; {withheld} later ratings"
            " were not loaded, and only told which genres they ticked at sign-up (--newcomers 0 loads everything)"
        )
        if len(loaded.newcomers) < asked:
            self.stderr.write(f"only {len(loaded.newcomers)} people have the {ENOUGH} liked films that a newcomer needs")
