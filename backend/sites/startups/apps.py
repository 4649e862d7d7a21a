"""The startup board."""

from django.apps import AppConfig


class StartupsConfig(AppConfig):
    """Startups, and the developers and investors who look for one."""

    name = "sites.startups"
    label = "startups"
    verbose_name = "Startups"
