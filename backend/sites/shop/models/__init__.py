"""The shop's own tables, and the tables of its recommender."""

from sites.shop.models.recommender import (
    CartAbandonment,
    EmailCampaign,
    ProductEmbedding,
    RecommendationPerformance,
    SyncStatus,
    UserEmailPreference,
    UserPreferenceEmbedding,
)
from sites.shop.models.store import (
    Cart,
    CartLine,
    CartRemoval,
    Customer,
    Order,
    OrderLine,
    PriceRange,
    Product,
    WishlistItem,
    price_in_words,
)

__all__ = [
    "Cart",
    "CartAbandonment",
    "CartLine",
    "CartRemoval",
    "Customer",
    "EmailCampaign",
    "Order",
    "OrderLine",
    "PriceRange",
    "Product",
    "ProductEmbedding",
    "RecommendationPerformance",
    "SyncStatus",
    "UserEmailPreference",
    "UserPreferenceEmbedding",
    "WishlistItem",
    "price_in_words",
]
