"""`manage.py generate_all_datasets`: items and people, the ALS matrix, the two-tower events."""

from tandem.management.export_command import ExportCommand


class Command(ExportCommand):
    """Writes a new version of the export and publishes it."""

    help = __doc__ or ""
