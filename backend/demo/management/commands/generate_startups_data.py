"""Fill the startup board with synthetic startups, people and 180 days of events."""

from demo.synthetic.command import SeedCommand
from demo.synthetic.startups.history import make_history


class Command(SeedCommand):
    """Fill the startup board; `demo.synthetic.startups` makes the data."""

    help = "Fill the startup board with synthetic startups, people and events; the same seed and --until give the same."
    catalogue = items_name = "startups"
    default_users, default_items = 1500, 600
    make_history = staticmethod(make_history)
