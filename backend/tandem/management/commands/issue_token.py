"""`manage.py issue_token`: a signed token for a person or a service, on stdout and nowhere else."""

from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from recommendation_service.domain.ids import clean_id
from recommendation_service.errors import TandemError
from tandem import tokens

LONGEST_MINUTES = tokens.LONGEST_SECONDS // 60


class Command(BaseCommand):
    """Prints one token that opens both Django and the recommendation service."""

    help = "Print a signed token for curl and for services. It is a key: keep it out of logs and shell history."

    def add_arguments(self, parser: ArgumentParser) -> None:
        """For whom, with which rights, and for how long."""
        whose = parser.add_mutually_exclusive_group(required=True)
        whose.add_argument("--user", metavar="ID", help="may ask for this user's lists only")
        whose.add_argument("--service", action="store_true", help="may ask for everybody's lists")
        parser.add_argument("--admin", action="store_true", help="with --service: may also reload models")
        parser.add_argument("--minutes", type=int, default=60, help=f"how long it lives, 1 to {LONGEST_MINUTES} (60)")

    def handle(self, *args: Any, **options: Any) -> None:
        """Print the token. Raises CommandError with the fix in one line."""
        if options["admin"] and not options["service"]:
            raise CommandError("--admin goes with --service")
        if not 1 <= options["minutes"] <= LONGEST_MINUTES:
            raise CommandError(f"--minutes must be 1 to {LONGEST_MINUTES}")
        try:
            subject = "service" if options["service"] else clean_id(options["user"], field="--user")
            token = tokens.issue(
                subject=subject,
                scopes=_scopes(service=options["service"], admin=options["admin"]),
                audience=(tokens.OWN_DOORS, tokens.SERVICE),
                seconds=options["minutes"] * 60,
            )
        except TandemError as error:
            raise CommandError(error.message) from error
        self.stdout.write(token)


def _scopes(*, service: bool, admin: bool) -> tuple[str, ...]:
    if not service:
        return (tokens.SELF,)
    return (tokens.ANY, tokens.ADMIN) if admin else (tokens.ANY,)
