"""The doors of the backend."""

from django.apps import AppConfig


class ApiConfig(AppConfig):
    """HTTP and command line; no models."""

    name = "api"
    label = "api"
    verbose_name = "API"
