"""Fills the startup board with seeded startups, people and 180 days of events."""

from argparse import ArgumentParser, ArgumentTypeError
from datetime import UTC, datetime
from typing import Any

from django.core.management.base import BaseCommand, CommandError
from django.db import transaction

from sites.happened import forget_past, write_past
from sites.startups.models import Developer, Investor, Startup
from sites.startups.synthetic import MIN_ITEMS, MIN_USERS, Market, make_market, shares

CATALOGUE = "startups"


def moment(text: str) -> datetime:
    """An ISO 8601 moment; without an offset it is UTC."""
    try:
        found = datetime.fromisoformat(text)
    except ValueError as error:
        raise ArgumentTypeError(f"'{text}' is no ISO 8601 date, such as 2026-11-01 or 2026-11-01T12:00:00+00:00") from error
    return found if found.tzinfo else found.replace(tzinfo=UTC)


class Command(BaseCommand):
    """Thin: `sites.startups.synthetic` invents, `sites.happened` writes."""

    help = "Fill the startup board with seeded startups, people and events; the same seed and --until give the same."

    def add_arguments(self, parser: ArgumentParser) -> None:
        """Sizes, seed and end date."""
        parser.add_argument("--seed", type=int, default=7, help="Same seed, same board (default 7)")
        parser.add_argument("--users", type=int, default=1500, help=f"People, at least {MIN_USERS} (default 1500)")
        parser.add_argument("--items", type=int, default=600, help=f"Startups, at least {MIN_ITEMS} (default 600)")
        parser.add_argument("--events", type=int, help="About how many events (default: 30 per person)")
        parser.add_argument("--until", type=moment, help="End of the 180 days, ISO 8601 (default: now)")
        parser.add_argument("--reset", action="store_true", help="Delete the board and its past first")

    def handle(self, *args: Any, **options: Any) -> None:
        """Make, write in one transaction, say what was written."""
        users, items = options["users"], options["items"]
        if users < MIN_USERS or items < MIN_ITEMS:
            raise CommandError(f"--users must be at least {MIN_USERS} and --items at least {MIN_ITEMS}")
        if options["seed"] < 0 or (options["events"] or 0) < 0:
            raise CommandError("--seed and --events must not be negative")
        market = make_market(
            seed=options["seed"],
            users=users,
            items=items,
            events=users * 30 if options["events"] is None else options["events"],
            until=options["until"] or datetime.now(UTC),
        )
        with transaction.atomic():
            self._make_room(reset=options["reset"])
            self._write(market)
        self._report(market)

    def _make_room(self, *, reset: bool) -> None:
        if reset:
            forget_past(catalogue=CATALOGUE)
            for model in (Startup, Developer, Investor):
                model.objects.all().delete()
        elif Startup.objects.exists():
            raise CommandError("the board already holds startups; run again with --reset to replace them and their past")

    def _write(self, market: Market) -> None:
        Startup.objects.bulk_create(market.board.startups, batch_size=1000)
        developers = [person for person in market.people if isinstance(person, Developer)]
        investors = [person for person in market.people if isinstance(person, Investor)]
        Developer.objects.bulk_create(developers, batch_size=1000)
        Investor.objects.bulk_create(investors, batch_size=1000)
        write_past(catalogue=CATALOGUE, events=market.events)

    def _report(self, market: Market) -> None:
        said = ", ".join(f"{share:.0%} with {name}" for name, share in shares(market.counted).items())
        self.stdout.write(f"{len(market.board.startups)} startups, {len(market.people)} people, {len(market.events)} events")
        self.stdout.write(f"counted interactions: {said}")
        self.stdout.write("people to try:")
        for person, counted in zip(market.people, market.counted, strict=True):
            if person.is_demo:
                self.stdout.write(f"  {person.pk}  {counted:>2} counted  {person.name}, {person.describe()}")
        self.stdout.write("next: manage.py generate_all_datasets")
