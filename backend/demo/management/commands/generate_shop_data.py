"""Fill the shop with synthetic products, customers, 120 days of events, and the lists that were shown."""

from demo.synthetic.command import SeedCommand
from demo.synthetic.shop.history import make_history


class Command(SeedCommand):
    """Fill the shop; `demo.synthetic.shop` makes the data."""

    help = "Fill the shop with synthetic products, customers and events; the same seed and --until give the same."
    catalogue, items_name = "shop", "products"
    default_users, default_items, min_items = 1200, 3000, 90
    events_per_user = 22
    make_history = staticmethod(make_history)
