"""`manage.py check_events`: read every declared event table and report what its rows are. Exits with 1 if rows are refused."""

from typing import Any

from django.core.management.base import BaseCommand, CommandError

from tandem.event_sync.report import report_tables
from tandem.management.errors import as_command_errors


class Command(BaseCommand):
    """Writes nothing. Rows without a user, without an item, or left out by `when` or `gone` are no failure."""

    help = __doc__ or ""

    def handle(self, *args: Any, **options: Any) -> None:
        """Print rows, interactions, unknown items and refused rows of each table, with an example per reason."""
        reports = []
        with as_command_errors():
            for report in report_tables():
                reports.append(report)
                for line in report.lines():
                    self.stdout.write(line)
        if not reports:
            self.stdout.write("no source declares event tables; see docs/guides/events.md")
        failed = [report.name for report in reports if report.failed]
        if failed:
            raise CommandError(f"rows are refused in {', '.join(failed)}; correct the declaration or the rows")
