"""The cleaning marketplace's place among the installed apps."""

from django.apps import AppConfig


class CleaningConfig(AppConfig):
    """Clients post jobs, cleaners bid, and both are shown whom or what suits them."""

    name = "sites.cleaning"
    label = "cleaning"
    verbose_name = "Cleaning"
