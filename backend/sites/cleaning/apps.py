"""The cleaning marketplace's place among the installed apps."""

from django.apps import AppConfig


class CleaningConfig(AppConfig):
    """Clients post jobs, cleaners bid, and both are shown whom or what suits them."""

    name = "sites.cleaning"
    label = "cleaning"
    verbose_name = "Cleaning"

    def ready(self) -> None:
        """Let `manage.py check` look at the marketplace's own settings."""
        from sites.cleaning import checks  # settings are complete only once the apps are

        checks.register_all()
