"""The app of the reference project's URLs and command paths."""

from django.apps import AppConfig


class ApiConfig(AppConfig):
    """Has no models."""

    name = "api"
    label = "api"
    verbose_name = "API"

    def ready(self) -> None:
        """Register the token scheme with drf-spectacular."""
        from tandem.api import openapi  # noqa: F401 - the import registers it, and needs the apps to be ready
