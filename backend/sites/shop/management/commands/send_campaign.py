"""Sends the mails of one kind that are due, through Django's mail back end."""

from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from recommendation_service.errors import TandemError
from sites.shop.models import EmailCampaign
from sites.shop.services.campaigns import send_campaign


class Command(BaseCommand):
    """Thin: `services.campaigns` does it."""

    help = "Send the mails that are due to those who take them; nobody gets two for one occasion."

    def add_arguments(self, parser: ArgumentParser) -> None:
        """Which mails, and where their links lead."""
        parser.add_argument("kind", choices=EmailCampaign.Kind.values)
        parser.add_argument("--base-url", default="http://127.0.0.1:8000", help="Where the links of the mails lead")
        parser.add_argument("--limit", type=int, help="At most so many mails in this run")

    def handle(self, *args: Any, **options: Any) -> None:
        """One line of result."""
        base_url = options["base_url"].rstrip("/")
        if not base_url.startswith(("http://", "https://")):
            raise CommandError("--base-url must begin with http:// or https://")
        if options["limit"] is not None and options["limit"] < 1:
            raise CommandError("--limit must be at least 1")
        try:
            done = send_campaign(kind=options["kind"], base_url=base_url, limit=options["limit"], say=self.stdout.write)
        except TandemError as error:
            raise CommandError(error.message) from error
        except OSError as error:
            raise CommandError(f"the mail server cannot be reached: {error}; see EMAIL_BACKEND and EMAIL_HOST") from error
        self.stdout.write(f"{done.sent:,} sent, {done.failed:,} failed")
        if done.failed:
            self.stdout.write("next: the same again, it tries those that failed; the admin shows why they did")
