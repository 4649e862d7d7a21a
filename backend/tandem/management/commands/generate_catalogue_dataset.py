"""`manage.py generate_catalogue_dataset`: items and people, as the site has them now."""

from tandem.management.export_command import ExportCommand


class Command(ExportCommand):
    """Writes a new version of the export and publishes it."""

    help = __doc__ or ""
    fresh = ("catalogue",)
