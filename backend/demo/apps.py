"""The demo of every site of this repository."""

from django.apps import AppConfig


class DemoConfig(AppConfig):
    """Commands that fill, start and show the demo sites; other projects do not need this app."""

    name = "demo"
    label = "demo"
