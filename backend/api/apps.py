"""The doors of the backend."""

from django.apps import AppConfig


class ApiConfig(AppConfig):
    """HTTP and command line; no models."""

    name = "api"
    label = "api"
    verbose_name = "API"

    def ready(self) -> None:
        """Let drf-spectacular know our tokens."""
        from tandem.api import openapi  # noqa: F401 - importing registers it, and needs the apps to be ready
