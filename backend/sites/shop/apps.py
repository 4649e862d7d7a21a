"""The shop."""

from django.apps import AppConfig


class ShopConfig(AppConfig):
    """Products, customers, carts and orders, and what the shop recommends."""

    name = "sites.shop"
    label = "shop"
    verbose_name = "Shop"

    def ready(self) -> None:
        """Mark a customer's preferences as stale after each event."""
        # models are importable only once the apps are ready
        from sites.shop.services.user_preference import mark_stale
        from tandem.signals import interaction_recorded

        interaction_recorded.connect(mark_stale, dispatch_uid="shop.preferences")
