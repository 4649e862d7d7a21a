"""Films and viewers."""

from django.conf import settings
from django.db import models
from django.utils.text import get_text_list


class Movie(models.Model):
    """A film; the key is its id in the release."""

    id = models.CharField(primary_key=True, max_length=32)
    title = models.CharField(max_length=200)
    year = models.PositiveSmallIntegerField(null=True, blank=True)
    genres = models.JSONField(default=list, blank=True)

    class Meta:
        """By title, for the admin."""

        ordering = ["title"]

    def __str__(self) -> str:
        return self.title

    @property
    def decade(self) -> str:
        """Return a text such as "1990s", or "" if the year is unknown."""
        return f"{self.year // 10 * 10}s" if self.year else ""


class Viewer(models.Model):
    """A person of the release, without a name; the label has the known attributes."""

    id = models.CharField(primary_key=True, max_length=32)
    label = models.CharField(max_length=80, db_index=True)
    age_band = models.CharField(max_length=12, blank=True, help_text="Such as 20s")
    gender = models.CharField(max_length=12, blank=True)
    occupation = models.CharField(max_length=40, blank=True)
    favourite_genres = models.JSONField(default=list, blank=True, help_text="Ticked at sign-up")
    account = models.OneToOneField(settings.AUTH_USER_MODEL, on_delete=models.SET_NULL, null=True, blank=True, related_name="+")
    is_demo = models.BooleanField(default=False, db_index=True)

    class Meta:
        """By label, for the admin."""

        ordering = ["label"]

    def __str__(self) -> str:
        return self.label

    def describe(self) -> str:
        """Return the genres that a newcomer chose at sign-up, or "" for others."""
        return f"ticked {get_text_list(self.favourite_genres, 'and')} at sign-up" if self.favourite_genres else ""
