"""What the commands that fill a site have in common: sizes, a seed, an end date, one transaction, and what was written."""

from argparse import ArgumentParser, ArgumentTypeError
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any, ClassVar

import numpy as np
from django.core.management.base import BaseCommand, CommandError
from django.db import transaction
from django.db.models import Model

from tandem.services.bulk_load import Happened, Shown, forget_past, write_past, write_shown


def moment(text: str) -> datetime:
    """An ISO 8601 moment; without an offset it is UTC."""
    try:
        found = datetime.fromisoformat(text)
    except ValueError as error:
        raise ArgumentTypeError(f"'{text}' is no ISO 8601 date, such as 2026-11-01 or 2026-11-01T12:00:00+00:00") from error
    return found if found.tzinfo else found.replace(tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class Sizes:
    """How much is asked for; `events` may be missed by a little."""

    seed: int
    users: int
    items: int
    events: int
    until: datetime


@dataclass(frozen=True, slots=True)
class Seeded:
    """A whole invented site, not yet written. The same sizes must give the same rows and ids."""

    rows: Sequence[Sequence[Model]]  # one batch a model, in the order in which they can be written
    events: Sequence[Happened]
    lists: Sequence[Shown] = ()
    people: Sequence[tuple[str, int, str]] = ()  # id, counted interactions, in words: those to be tried first
    counted: Sequence[int] = ()  # counted interactions of everybody
    summary: Mapping[str, int] = field(default_factory=dict)  # "products": 3000, in the order in which they are told


class SeedCommand(BaseCommand):
    """Fills one site with seeded rows, people, a past and the lists that were shown. A site says `invent` and `wipe`."""

    catalogue: ClassVar[str] = ""
    use_case: ClassVar[str] = ""  # default: the catalogue's name
    what: ClassVar[str] = "items"
    default_users: ClassVar[int] = 1000
    default_items: ClassVar[int] = 500
    least_users: ClassVar[int] = 40
    least_items: ClassVar[int] = 60
    events_each: ClassVar[int] = 30  # per person, unless --events says otherwise

    def invent(self, sizes: Sizes) -> Seeded:
        """The site of these sizes."""
        raise NotImplementedError

    def wipe(self) -> None:
        """Delete the site's own rows; its past and shown lists are forgotten already."""
        raise NotImplementedError

    def is_filled(self) -> bool:
        """Whether the site holds items, so that filling it again needs --reset."""
        raise NotImplementedError

    def add_arguments(self, parser: ArgumentParser) -> None:
        """Sizes, seed and end date."""
        users, items = self.default_users, self.default_items
        parser.add_argument("--seed", type=int, default=7, help="Same seed, same site (default 7)")
        parser.add_argument("--users", type=int, default=users, help=f"People, at least {self.least_users} (default {users})")
        parser.add_argument(
            "--items", type=int, default=items, help=f"{self.what.capitalize()}, at least {self.least_items} (default {items})"
        )
        parser.add_argument("--events", type=int, help=f"About how many events (default: {self.events_each} per person)")
        parser.add_argument("--until", type=moment, help="When the past ends, ISO 8601 (default: now)")
        parser.add_argument("--reset", action="store_true", help="Delete the site's rows and its past first")

    def handle(self, *args: Any, **options: Any) -> None:
        """Make, write in one transaction, say what was written."""
        users, items, events = options["users"], options["items"], options["events"]
        if users < self.least_users or items < self.least_items:
            raise CommandError(f"--users must be at least {self.least_users} and --items at least {self.least_items}")
        if options["seed"] < 0 or (events or 0) < 0:
            raise CommandError("--seed and --events must not be negative")
        until = (options["until"] or datetime.now(UTC)).astimezone(UTC)
        seeded = self.invent(
            Sizes(options["seed"], users, items, users * self.events_each if events is None else events, until)
        )
        with transaction.atomic():
            self._make_room(reset=options["reset"])
            for rows in seeded.rows:
                write_rows(rows)
            write_past(catalogue=self.catalogue, events=seeded.events)
            write_shown(catalogue=self.catalogue, use_case=self.use_case or self.catalogue, lists=seeded.lists)
        self._report(seeded)

    def _make_room(self, *, reset: bool) -> None:
        if reset:
            forget_past(catalogue=self.catalogue)
            self.wipe()
        elif self.is_filled():
            raise CommandError(f"there are {self.what} already; run again with --reset to replace them and their past")

    def _report(self, seeded: Seeded) -> None:
        counts = {**seeded.summary, "events": len(seeded.events)}
        counts |= {"shown lists": len(seeded.lists)} if seeded.lists else {}
        self.stdout.write(", ".join(f"{count:,} {name}" for name, count in counts.items()))
        if seeded.counted:
            told = ", ".join(f"{share:.0%} with {name}" for name, share in shares(seeded.counted).items())
            self.stdout.write(f"counted interactions: {told}")
        if seeded.people:
            self.stdout.write("people to try:")
        for user_id, counted, about in seeded.people:
            self.stdout.write(f"  {user_id}  {counted:>2} counted  {about}")
        self.stdout.write("next: manage.py generate_all_datasets")


def shares(counted: Iterable[int]) -> dict[str, float]:
    """Share of people per segment, in the router's words."""
    counts = np.fromiter(counted, dtype=np.int64)
    known = {
        "0": counts == 0,
        "1-4": (counts > 0) & (counts < 5),
        "5-19": (counts >= 5) & (counts < 20),
        "20+": counts >= 20,
    }
    return {name: float(np.mean(mask)) for name, mask in known.items()}


def write_rows(rows: Sequence[Model]) -> None:
    """All rows of one table, past its signals."""
    if rows:
        type(rows[0])._default_manager.bulk_create(rows, batch_size=1000)
