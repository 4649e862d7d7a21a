"""The demo of every site of this repository."""

from django.apps import AppConfig


class DemoConfig(AppConfig):
    """Commands that fill, start and show the sites; a site of one's own does without this app."""

    name = "demo"
    label = "demo"
