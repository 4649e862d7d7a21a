"""Fill the shop with synthetic products, customers, 120 days of events, and the lists that were shown."""

from demo.synthetic.command import SeedCommand
from demo.synthetic.shop import history
from sites.shop import models


class Command(SeedCommand):
    """Fill the shop; `demo.synthetic.shop` makes the data."""

    help = "Fill the shop with synthetic products, customers and events; the same seed and --until give the same."
    catalogue = "shop"
    items_name = "products"
    tables = (
        models.EmailCampaign, models.UserEmailPreference, models.UserPreferenceEmbedding, models.CartAbandonment,
        models.ProductEmbedding, models.RecommendationPerformance, models.SyncStatus, models.WishlistItem, models.OrderLine,
        models.Order, models.CartRemoval, models.CartLine, models.Cart, models.Customer, models.Product,
    )  # fmt: skip
    item_model = models.Product
    default_users, default_items = 1200, 3000
    min_users, min_items = history.MIN_USERS, history.MIN_ITEMS
    events_per_user = 22
    make_history = staticmethod(history.make_history)
