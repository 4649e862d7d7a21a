"""Fills the shop with seeded products, customers, 120 days of events, and the lists that were shown."""

from demo.synthetic.command import SeedCommand, Seeded, Sizes
from demo.synthetic.shop.history import MIN_ITEMS, MIN_USERS, make_market
from sites.shop import models

CHILDREN_FIRST = (
    models.EmailCampaign, models.UserEmailPreference, models.UserPreferenceEmbedding, models.CartAbandonment,
    models.ProductEmbedding, models.RecommendationPerformance, models.SyncStatus, models.WishlistItem, models.OrderLine,
    models.Order, models.CartRemoval, models.CartLine, models.Cart, models.Customer, models.Product,
)  # fmt: skip


class Command(SeedCommand):
    """Thin: `demo.synthetic.shop.history` invents."""

    help = "Fill the shop with seeded products, customers and events; the same seed and --until give the same."
    catalogue = "shop"
    what = "products"
    default_users, default_items = 1200, 3000
    least_users, least_items = MIN_USERS, MIN_ITEMS
    events_each = 22

    def invent(self, sizes: Sizes) -> Seeded:
        """A shop, and what people did there."""
        market = make_market(seed=sizes.seed, users=sizes.users, items=sizes.items, events=sizes.events, until=sizes.until)
        books, products = market.books, market.assortment.products
        told = zip(market.customers, market.counted, strict=True)
        return Seeded(
            rows=(
                products, market.customers, market.preferences, books.carts, books.lines, books.removals, books.orders,
                books.order_lines, books.wishes,
            ),
            events=books.events,
            lists=market.lists,
            people=sorted(((str(who.pk), count, f"{who.name}, {who.taste}") for who, count in told if who.is_demo), key=_count),
            counted=market.counted,
            summary={"products": len(products), "customers": len(market.customers), "orders": len(books.orders)},
        )  # fmt: skip

    def wipe(self) -> None:
        """Every table of the shop, what points at others first."""
        for model in CHILDREN_FIRST:
            rows = model._default_manager.all()
            rows._raw_delete(rows.db)  # delete() would look for each row's mirror, and those are forgotten already

    def is_filled(self) -> bool:
        """Whether there are products."""
        return models.Product.objects.exists()


def _count(person: tuple[str, int, str]) -> int:
    return person[1]
