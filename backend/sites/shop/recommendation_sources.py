"""The shop's declaration for Tandem."""

from collections.abc import Sequence
from typing import Any
from uuid import UUID

from sites.shop.models import CartLine, CartRemoval, Customer, OrderLine, Product, WishlistItem
from sites.shop.services import carts
from sites.shop.services.similar_products import nearest_products
from tandem.sources import ItemSource


class Shop(ItemSource):
    """Active products, recommended while they are in stock. Events come from the shop's own tables."""

    catalogue = "shop"
    queryset = Product.objects.filter(is_active=True)
    available = {"stock__gt": 0}
    text = ("name", "description", "category", "price_range")
    category = "category"
    created = "created_at"
    filters = ("price_range",)
    events = {"purchase": OrderLine, "cart_add": CartLine, "cart_remove": CartRemoval, "wishlist_add": WishlistItem}
    profiles = (Customer.objects.all(),)
    profile_fields = ("favourite_categories", "price_range")
    page_events = ("recommendation_click", "wishlist_add", "cart_add", "purchase")
    page_search = ("name", "taste")
    page_first = "is_demo"

    @classmethod
    def nearest(cls, *, user_id: str | None, item_ids: Sequence[str], limit: int) -> list[tuple[str, float]]:
        """Return products similar to these, or to that customer's preferences, from the stored vectors."""
        return nearest_products(user_id=user_id, item_ids=item_ids, limit=limit)

    @classmethod
    def act(cls, *, person: Customer, event: str, item: Product, request_id: UUID | None) -> bool:
        """Put the item into the cart, or buy it; return False for other events, whose row the page writes."""
        if event == "cart_add":
            carts.put_in(customer=person, product_id=item.pk, request_id=request_id)
        elif event == "purchase":
            carts.buy(customer=person, product_id=item.pk, request_id=request_id)
        return event in ("cart_add", "purchase")

    @classmethod
    def describe(cls, person: Customer) -> str:
        """Return a text such as "cooks, buys cast iron; likes cast iron, mostly 40 to 90"."""
        return person.describe()

    @classmethod
    def card(cls, item: Product) -> dict[str, Any]:
        """Return the description, the price, and whether it is in stock."""
        stock = "in stock" if item.stock else "sold out"
        return {**super().card(item), "text": item.description, "facts": (f"€{item.price}", stock)}
