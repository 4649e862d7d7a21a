"""Base of the people of every site."""

from django.conf import settings
from django.db import models


class Person(models.Model):
    """A person with a name, and the account that may see their list. The page lists `is_demo` people first."""

    name = models.CharField(max_length=80, db_index=True)
    account = models.OneToOneField(settings.AUTH_USER_MODEL, on_delete=models.SET_NULL, null=True, blank=True, related_name="+")
    is_demo = models.BooleanField(default=False, db_index=True)

    class Meta:
        """No table of its own; by name, for the admin."""

        abstract = True
        ordering = ["name"]

    def __str__(self) -> str:
        return self.name
