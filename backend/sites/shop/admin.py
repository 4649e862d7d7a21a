"""The shop and its recommender in Django's admin."""

from typing import Any

from django.contrib import admin
from django.db.models import URLField
from django.http import HttpRequest

from sites.admin import PersonAdmin
from sites.shop import models
from tandem.admin import FastList, ReadOnly
from tandem.models import Impression


@admin.register(models.Product)
class ProductAdmin(admin.ModelAdmin):  # type: ignore[type-arg]  # subscriptable in the stubs only
    """Products by category."""

    list_display = ("name", "sku", "category", "price", "stock", "created_at", "is_active")
    list_filter = ("category", "is_active")
    search_fields = ("name", "sku")
    readonly_fields = ("id",)
    formfield_overrides = {URLField: {"assume_scheme": "https"}}


@admin.register(models.Customer)
class CustomerAdmin(PersonAdmin):
    """Customers with their email addresses."""

    list_display = ("name", "describe", "email", "account", "is_demo")
    search_fields = ("name", "taste")


class OrderLines(ReadOnly, admin.TabularInline):  # type: ignore[type-arg]  # as above
    """Bought products, and the lists that showed them."""

    model = models.OrderLine
    fields = ("product", "quantity", "price", "value", "request_id")
    extra = 0


@admin.register(models.Order)
class OrderAdmin(FastList):
    """Orders, newest first."""

    list_display = ("created_at", "customer", "total")
    list_select_related = ("customer",)
    ordering = ("-created_at",)
    inlines = (OrderLines,)


class CartLines(ReadOnly, admin.TabularInline):  # type: ignore[type-arg]  # as above
    """Lines of the cart; quantity 0 was taken out."""

    model = models.CartLine
    fields = ("product", "quantity", "created_at", "request_id")
    extra = 0


@admin.register(models.Cart)
class CartAdmin(FastList):
    """Carts, the last changed first."""

    list_display = ("touched_at", "customer", "created_at", "closed_at")
    list_select_related = ("customer",)
    ordering = ("-touched_at",)
    inlines = (CartLines,)


@admin.register(models.WishlistItem)
class WishlistAdmin(FastList):
    """Wishlist items."""

    list_display = ("created_at", "customer", "product")
    list_select_related = ("customer", "product")
    ordering = ("-created_at",)


@admin.register(models.ProductEmbedding)
class ProductEmbeddingAdmin(FastList):
    """Texts and vectors of products."""

    list_display = ("name", "external_product_id", "category", "price", "is_available", "dimension", "made_by", "synced_at")
    list_filter = ("category", "is_available", "made_by")
    search_fields = ("name", "external_product_id")
    exclude = ("vector",)
    ordering = ("name",)


@admin.register(models.UserPreferenceEmbedding)
class UserPreferenceAdmin(FastList):
    """Preferences of customers."""

    list_display = ("customer", "top_categories", "price_ranges", "interaction_count", "is_stale", "dimension", "updated_at")
    list_select_related = ("customer",)
    list_filter = ("is_stale",)
    search_fields = ("customer__name",)
    exclude = ("vector",)
    ordering = ("-updated_at",)


@admin.register(models.CartAbandonment)
class CartAbandonmentAdmin(FastList):
    """Abandoned carts."""

    list_display = ("detected_at", "customer", "pieces", "value", "left_at", "recovered_at", "order")
    list_select_related = ("customer", "order")
    ordering = ("-detected_at",)


@admin.register(models.EmailCampaign)
class EmailCampaignAdmin(FastList):
    """Mails, and the reasons for their products."""

    list_display = ("created_at", "kind", "customer", "occasion", "state", "sent_at", "clicked_at", "error")
    list_select_related = ("customer",)
    list_filter = ("kind", "state")
    readonly_fields = ("why_shown",)
    ordering = ("-created_at",)

    @admin.display(description="Why this is shown")
    def why_shown(self, mail: models.EmailCampaign) -> str:
        """Return the engine of the mail's list, and its products with the parts of their scores."""
        shown = None if mail.request_id is None else Impression.objects.filter(request_id=mail.request_id).first()
        if shown is None:
            return "nothing was recorded"
        items = shown.items.select_related("item").order_by("position")
        names = {
            str(product.pk): product.name
            for product in models.Product.objects.filter(pk__in=[item.item.item_id for item in items])
        }
        products = "; ".join(_why(names.get(item.item.item_id, item.item.item_id), item.score, item.parts) for item in items)
        return f"{shown.method_used}: {products}"


@admin.register(models.UserEmailPreference)
class UserEmailPreferenceAdmin(admin.ModelAdmin):  # type: ignore[type-arg]  # as above
    """Which mails customers receive."""

    list_display = ("customer", "abandoned_cart", "weekly_picks", "updated_at")
    list_select_related = ("customer",)
    search_fields = ("customer__name",)
    raw_id_fields = ("customer",)

    def has_add_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Return False: customers add theirs themselves."""
        return False


@admin.register(models.RecommendationPerformance)
class RecommendationPerformanceAdmin(FastList):
    """Daily statistics."""

    list_display = ("day", "surface", "impressions", "shown", "clicks", "conversions", "ctr", "conversion_rate", "revenue")
    list_filter = ("surface",)
    ordering = ("-day",)


@admin.register(models.SyncStatus)
class SyncStatusAdmin(FastList):
    """Syncs and their progress."""

    list_display = ("started_at", "what", "state", "done", "total", "batches", "removed", "version", "error", "updated_at")
    list_filter = ("what", "state")


def _why(name: str, score: float, parts: dict[str, float]) -> str:
    shares = ", ".join(f"{engine} {share:.2f}" for engine, share in parts.items())
    return f"{name} {score:.2f}" + (f" ({shares})" if shares else "")
