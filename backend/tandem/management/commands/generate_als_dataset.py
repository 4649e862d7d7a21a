"""`manage.py generate_als_dataset`: the ALS matrix and its mappings, from the interactions as they are now."""

from tandem.management.export_command import ExportCommand


class Command(ExportCommand):
    """Writes a new version of the export and publishes it."""

    help = __doc__ or ""
    fresh = ("als",)
