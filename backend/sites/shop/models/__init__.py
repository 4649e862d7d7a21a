"""The shop's tables, and the tables of its recommender."""

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
    price_range_of,
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
    "price_range_of",
]
