"""`manage.py issue_token`: print a signed token for a user or a service on stdout."""

from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from recommendation_service.errors import TandemError
from tandem.identity import spelled_user_id
from tandem.service_client import tokens

LONGEST_MINUTES = tokens.LONGEST_SECONDS // 60


class Command(BaseCommand):
    """Prints one token that both Django and the recommendation service accept."""

    help = "Print a signed token for curl and for services. It is a key: keep it out of logs and shell history."

    def add_arguments(self, parser: ArgumentParser) -> None:
        """Subject, scopes and lifetime of the token."""
        subject = parser.add_mutually_exclusive_group(required=True)
        subject.add_argument("--user", metavar="ID", help="may ask for this user's lists only")
        subject.add_argument("--service", action="store_true", help="may ask for the lists of all users")
        parser.add_argument("--admin", action="store_true", help="with --service: may also reload models")
        parser.add_argument("--minutes", type=int, default=60, help=f"lifetime, 1 to {LONGEST_MINUTES} (60)")

    def handle(self, *args: Any, **options: Any) -> None:
        """Print the token."""
        if options["admin"] and not options["service"]:
            raise CommandError("--admin needs --service")
        if not 1 <= options["minutes"] <= LONGEST_MINUTES:
            raise CommandError(f"--minutes must be 1 to {LONGEST_MINUTES}")
        try:
            subject = "service" if options["service"] else spelled_user_id(options["user"], field="--user")
            token = tokens.issue(
                subject=subject,
                scopes=_scopes(service=options["service"], admin=options["admin"]),
                audience=(tokens.BACKEND, tokens.SERVICE),
                seconds=options["minutes"] * 60,
            )
        except TandemError as error:
            raise CommandError(error.message) from error
        self.stdout.write(token)


def _scopes(*, service: bool, admin: bool) -> tuple[str, ...]:
    if not service:
        return (tokens.SELF,)
    return (tokens.ANY, tokens.ADMIN) if admin else (tokens.ANY,)
