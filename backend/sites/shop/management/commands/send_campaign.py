"""Sends the mails of one kind that are due, through Django's mail backend."""

from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from sites.shop.models import EmailCampaign
from sites.shop.services.campaigns import send_campaign
from tandem.management.errors import as_command_errors


class Command(BaseCommand):
    """Send the mails that are due; `services.campaigns` chooses them."""

    help = "Send the mails that are due to customers who receive them, one mail per customer and occasion."

    def add_arguments(self, parser: ArgumentParser) -> None:
        """Add the kind, the start of the links, and a limit."""
        parser.add_argument("kind", choices=EmailCampaign.Kind.values)
        parser.add_argument("--base-url", default="http://127.0.0.1:8000", help="Start of the links in the mails")
        parser.add_argument("--limit", type=int, help="Maximum number of mails in this run")

    def handle(self, *args: Any, **options: Any) -> None:
        """Print one line of result."""
        base_url = options["base_url"].rstrip("/")
        if not base_url.startswith(("http://", "https://")):
            raise CommandError("--base-url must begin with http:// or https://")
        if options["limit"] is not None and options["limit"] < 1:
            raise CommandError("--limit must be at least 1")
        with as_command_errors("the mail server cannot be reached: {}; see EMAIL_BACKEND and EMAIL_HOST"):
            done = send_campaign(kind=options["kind"], base_url=base_url, limit=options["limit"], say=self.stdout.write)
        self.stdout.write(f"{done.sent:,} sent, {done.failed:,} failed")
        if done.failed:
            self.stdout.write("next: run it again to retry the failed mails; the admin shows the errors")
