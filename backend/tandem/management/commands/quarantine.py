"""`manage.py quarantine`: accounts that act like bots, whose events do not count for others."""

from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from recommendation_service.errors import NotFound
from tandem.models import Quarantine
from tandem.trust.quarantine import check_velocity, quarantine, release


class Command(BaseCommand):
    """Lists them; looks for new ones, adds one, or releases one."""

    help = __doc__ or ""

    def add_arguments(self, parser: ArgumentParser) -> None:
        """One of three actions; none: the list."""
        action = parser.add_mutually_exclusive_group()
        action.add_argument("--check", action="store_true", help="look for accounts with more events than [trust] allows")
        action.add_argument("--add", metavar="USER_ID", help="put this account into quarantine")
        action.add_argument("--release", metavar="USER_ID", help="let the events of this account count again")

    def handle(self, *args: Any, **options: Any) -> None:
        """Print what changed, then the accounts in quarantine."""
        try:
            if options["check"]:
                self.stdout.write(f"{len(check_velocity())} accounts are new in quarantine")
            if options["add"]:
                quarantine(options["add"])
            if options["release"] and not release(options["release"]):
                raise CommandError(f"'{options['release']}' is not in quarantine; the list: manage.py quarantine")
        except NotFound as error:
            raise CommandError(error.message) from error
        for entry in Quarantine.objects.filter(released=None).select_related("user").order_by("time"):
            self.stdout.write(f"{entry.user.user_id}: {entry.reason}, since {entry.time:%Y-%m-%d %H:%M}")
        if any(options[name] for name in ("check", "add", "release")):
            self.stdout.write("next: manage.py generate_all_datasets, then tandem train all")
