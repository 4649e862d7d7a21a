"""Fill the startup board with synthetic startups, people and 180 days of events."""

from demo.synthetic.command import SeedCommand
from demo.synthetic.startups import history
from sites.startups.models import Developer, Investor, Startup


class Command(SeedCommand):
    """Fill the startup board; `demo.synthetic.startups` makes the data."""

    help = "Fill the startup board with synthetic startups, people and events; the same seed and --until give the same."
    catalogue = items_name = "startups"
    tables = (Developer, Investor, Startup)
    item_model = Startup
    default_users, default_items = 1500, 600
    min_users, min_items = history.MIN_USERS, history.MIN_ITEMS
    make_history = staticmethod(history.make_history)
