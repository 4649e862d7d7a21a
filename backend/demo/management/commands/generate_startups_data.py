"""Fills the startup board with seeded startups, people and 180 days of events."""

from demo.synthetic.command import SeedCommand, Seeded, Sizes
from demo.synthetic.startups.history import MIN_ITEMS, MIN_USERS, make_market
from sites.startups.models import Developer, Investor, Startup


class Command(SeedCommand):
    """Thin: `demo.synthetic.startups.history` invents."""

    help = "Fill the startup board with seeded startups, people and events; the same seed and --until give the same."
    catalogue = "startups"
    what = "startups"
    default_users, default_items = 1500, 600
    least_users, least_items = MIN_USERS, MIN_ITEMS

    def invent(self, sizes: Sizes) -> Seeded:
        """A board of startups, and what people did there."""
        market = make_market(seed=sizes.seed, users=sizes.users, items=sizes.items, events=sizes.events, until=sizes.until)
        developers = [person for person in market.people if isinstance(person, Developer)]
        investors = [person for person in market.people if isinstance(person, Investor)]
        shown = zip(market.people, market.counted, strict=True)
        return Seeded(
            rows=(market.board.startups, developers, investors),
            events=market.events,
            people=[(str(who.pk), counted, f"{who.name}, {who.describe()}") for who, counted in shown if who.is_demo],
            counted=market.counted,
            summary={"startups": len(market.board.startups), "people": len(market.people)},
        )

    def wipe(self) -> None:
        """The board and its people."""
        for model in (Startup, Developer, Investor):
            model.objects.all().delete()

    def is_filled(self) -> bool:
        """Whether there are startups."""
        return Startup.objects.exists()
