"""The cleaning marketplace."""

from django.apps import AppConfig


class CleaningConfig(AppConfig):
    """Clients post jobs, cleaners bid, and each side sees recommendations of the other."""

    name = "sites.cleaning"
    label = "cleaning"
    verbose_name = "Cleaning"

    def ready(self) -> None:
        """Register the check of the marketplace's own settings."""
        from sites.cleaning import checks  # importable only when the apps are ready

        checks.register_all()
