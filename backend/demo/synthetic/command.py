"""Base of the commands that fill a site with synthetic data: options, one transaction, and a report of what was written."""

from argparse import ArgumentParser, ArgumentTypeError
from collections.abc import Callable, Iterable, Sequence
from datetime import UTC, datetime
from typing import Any, ClassVar

import numpy as np
from django.apps import apps
from django.core.management.base import BaseCommand, CommandError
from django.core.management.color import no_style
from django.db import connections, router, transaction
from django.db.models import Model

from demo.synthetic.simulation import SiteHistory
from tandem.services.bulk_load import forget_past, write_past, write_shown


def iso_datetime(text: str) -> datetime:
    """Parse an ISO 8601 date or time; without an offset it is in UTC."""
    try:
        parsed = datetime.fromisoformat(text)
    except ValueError as error:
        raise ArgumentTypeError(f"'{text}' is no ISO 8601 date, such as 2026-11-01 or 2026-11-01T12:00:00+00:00") from error
    return parsed if parsed.tzinfo else parsed.replace(tzinfo=UTC)


class SeedCommand(BaseCommand):
    """Fill one site with rows, people, interactions and shown lists. The same seed and end date give the same site."""

    catalogue: ClassVar[str] = ""  # also the label of the site's app
    items_name: ClassVar[str] = "items"
    default_users: ClassVar[int] = 1000
    default_items: ClassVar[int] = 500
    min_users: ClassVar[int] = 40
    min_items: ClassVar[int] = 60
    events_per_user: ClassVar[int] = 30
    make_history: ClassVar[Callable[..., SiteHistory]]  # takes seed, users, items, events (about how many) and until

    def add_arguments(self, parser: ArgumentParser) -> None:
        """Add sizes, seed and end date."""
        name, users, items = self.items_name, self.default_users, self.default_items
        parser.add_argument("--seed", type=int, default=7, help="The same seed makes the same site (default 7)")
        parser.add_argument("--users", type=int, default=users, help=f"People, at least {self.min_users} (default {users})")
        parser.add_argument(
            "--items", type=int, default=items, help=f"{name.capitalize()}, at least {self.min_items} (default {items})"
        )
        parser.add_argument("--events", type=int, help=f"About how many events (default: {self.events_per_user} per person)")
        parser.add_argument("--until", type=iso_datetime, help="Time of the last event, ISO 8601 (default: now)")
        parser.add_argument("--reset", action="store_true", help="Delete the site's rows and interactions first")

    def handle(self, *args: Any, **options: Any) -> None:
        """Make the site and write it in one transaction."""
        users, items, events, seed = options["users"], options["items"], options["events"], options["seed"]
        if users < self.min_users or items < self.min_items:
            raise CommandError(f"--users must be at least {self.min_users} and --items at least {self.min_items}")
        if seed < 0 or (events or 0) < 0:
            raise CommandError("--seed and --events must not be negative")
        until = (options["until"] or datetime.now(UTC)).astimezone(UTC)
        events = users * self.events_per_user if events is None else events
        history = self.make_history(seed=seed, users=users, items=items, events=events, until=until)
        with transaction.atomic():
            if options["reset"]:
                forget_past(catalogue=self.catalogue)
                delete_rows(reversed(list(apps.get_app_config(self.catalogue).get_models())))
            elif type(history.items[0])._default_manager.exists():
                raise CommandError(
                    f"there are {self.items_name} already; run again with --reset to replace them and their history"
                )
            for rows in history.tables.values():
                write_rows(rows)
            reset_sequences(history.tables)
            write_past(catalogue=self.catalogue, events=history.events)
            write_shown(catalogue=self.catalogue, use_case=self.catalogue, lists=history.lists)
        self._report(history)

    def _report(self, history: SiteHistory) -> None:
        models = dict.fromkeys([type(history.items[0]), *history.tables])  # the items first
        counts = {str(model._meta.verbose_name_plural): len(history.tables[model]) for model in models}
        counts |= {"events": len(history.events), "shown lists": len(history.lists)}
        self.stdout.write(", ".join(f"{count:,} {name}" for name, count in counts.items() if count))
        counted = history.counts()
        segments = ", ".join(f"{share:.0%} with {name}" for name, share in shares(counted).items())
        self.stdout.write(f"counted interactions: {segments}")
        self.stdout.write("people to try:")
        demo = [pair for pair in zip(history.people, counted, strict=True) if pair[0].is_demo]
        for person, count in sorted(demo, key=lambda pair: pair[1]):
            self.stdout.write(f"  {person.pk}  {count:>2} counted  {person.name}, {person.describe()}")
        self.stdout.write("next: manage.py generate_all_datasets")


def shares(counted: Iterable[int]) -> dict[str, float]:
    """Return the share of people in each group of counted interactions."""
    counts = np.fromiter(counted, dtype=np.int64)
    groups = {"0": (0, 1), "1-4": (1, 5), "5-19": (5, 20), "20+": (20, np.inf)}
    return {name: float(np.mean((counts >= low) & (counts < high))) for name, (low, high) in groups.items()}


def write_rows(rows: Sequence[Model]) -> None:
    """Insert all rows of one table without sending signals."""
    if rows:
        type(rows[0])._default_manager.bulk_create(rows, batch_size=1000)


def delete_rows(tables: Iterable[type[Model]]) -> None:
    """Delete all rows of these tables without signals: their interactions are deleted already, and each signal is a query."""
    for model in tables:
        rows = model._default_manager.all()
        rows._raw_delete(rows.db)


def reset_sequences(tables: Iterable[type[Model]]) -> None:
    """Move the sequences of automatic ids behind the ids that were written."""
    models = list(tables)
    connection = connections[router.db_for_write(models[0])]
    with connection.cursor() as cursor:
        for statement in connection.ops.sequence_reset_sql(no_style(), models):
            cursor.execute(statement)
