"""`manage.py generate_two_tower_dataset`: the two-tower training events, from the interactions as they are now."""

from tandem.management.export_command import ExportCommand


class Command(ExportCommand):
    """Writes a new version of the export and publishes it."""

    help = __doc__ or ""
    fresh = ("two_tower",)
