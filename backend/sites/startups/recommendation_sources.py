"""The startup board's declaration for Tandem."""

from collections.abc import Sequence
from typing import Any

from sites.startups.models import Developer, Investor, Startup
from tandem.sources import ItemSource

ONLY_FOR = {"apply": Developer, "invest": Investor}


class Startups(ItemSource):
    """Public startups, for developers and investors."""

    catalogue = "startups"
    queryset = Startup.objects.filter(is_public=True)
    text = ("name", "pitch")
    category = "sector"
    tags = "skills"
    created = "founded_at"
    filters = ("sector", "stage", "skills", "ticket")
    profiles = (Developer.objects.all(), Investor.objects.all())
    profile_fields = ("sectors", "skills", "stage", "ticket")
    surfaces = {"startups.Developer": "for-developer", "startups.Investor": "for-investor"}
    page_events = ("view", "like", "apply", "invest")
    page_first = "is_demo"

    @classmethod
    def events_for(cls, person: Any) -> Sequence[str]:
        """Return the events of this person: developers apply, investors invest."""
        return tuple(event for event in cls.page_events if isinstance(person, ONLY_FOR.get(event, object)))

    @classmethod
    def describe(cls, person: Developer | Investor) -> str:
        """Return a text such as "developer, likes fintech, knows python"."""
        return person.describe()

    @classmethod
    def card(cls, item: Startup) -> dict[str, Any]:
        """Return the pitch, the stage and the ticket."""
        return {**super().card(item), "text": item.pitch, "facts": (item.stage, f"ticket {item.ticket}")}
