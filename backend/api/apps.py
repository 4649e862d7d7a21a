"""The app of the reference project's URLs and command paths."""

from django.apps import AppConfig


class ApiConfig(AppConfig):
    """Has no models."""

    name = "api"
    label = "api"
    verbose_name = "API"
