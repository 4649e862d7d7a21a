"""Films and those who rate them."""

from django.apps import AppConfig


class MoviesConfig(AppConfig):
    """Movies and viewers, loaded from a MovieLens release."""

    name = "sites.movies"
    label = "movies"
    verbose_name = "Movies"
