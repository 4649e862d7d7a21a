"""A startup board: startups, developers and investors."""

import uuid

from django.db import models
from django.utils.text import get_text_list

from sites.base import Person


class Stage(models.TextChoices):
    """Stage of a startup, and the stage that an investor funds."""

    IDEA = "idea"
    PRE_SEED = "pre-seed"
    SEED = "seed"
    SERIES_A = "series-a"
    SERIES_B = "series-b"


class Ticket(models.TextChoices):
    """Size of one investment in euros, wanted by a startup or offered by an investor."""

    SMALL = "10k-50k"
    MEDIUM = "50k-250k"
    LARGE = "250k-1m"
    HUGE = "1m-5m"


class Startup(models.Model):
    """A startup. Private ones are never recommended."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    name = models.CharField(max_length=80)
    pitch = models.TextField(max_length=600)
    sector = models.CharField(max_length=40, db_index=True)
    stage = models.CharField(max_length=12, choices=Stage.choices)
    skills = models.JSONField(default=list, blank=True, help_text="Skills wanted, such as python")
    ticket = models.CharField(max_length=12, choices=Ticket.choices)
    founded_at = models.DateField()
    is_public = models.BooleanField(default=True)

    class Meta:
        """By name, for the admin."""

        ordering = ["name"]

    def __str__(self) -> str:
        return self.name


class Seeker(Person):
    """Base of developers and investors."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    sectors = models.JSONField(default=list, blank=True, help_text="Favourite sectors, such as fintech")

    class Meta(Person.Meta):
        """No table of its own."""

        abstract = True


class Developer(Seeker):
    """A person who wants to work in a startup."""

    skills = models.JSONField(default=list, blank=True, help_text="What they know, such as python")

    def describe(self) -> str:
        """Return a text such as "developer, likes fintech, knows python and go"."""
        return ", ".join(filter(None, ("developer", _clause("likes", self.sectors), _clause("knows", self.skills))))


class Investor(Seeker):
    """A person who wants to fund a startup."""

    stage = models.CharField(max_length=12, choices=Stage.choices, blank=True)
    ticket = models.CharField(max_length=12, choices=Ticket.choices, blank=True)

    def describe(self) -> str:
        """Return a text such as "investor, likes fintech, funds seed, ticket 50k-250k"."""
        known = (_clause("likes", self.sectors), _clause("funds", [self.stage]), _clause("ticket", [self.ticket]))
        return ", ".join(filter(None, ("investor", *known)))


def _clause(verb: str, names: list[str]) -> str:
    given = [name for name in names if name]
    return f"{verb} {get_text_list(given, 'and')}" if given else ""
