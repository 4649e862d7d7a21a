"""Products, customers, carts and orders."""

import uuid
from decimal import Decimal

from django.db import models
from django.db.models import Q
from django.utils import timezone
from django.utils.text import get_text_list

from sites.base import Person


class PriceRange(models.TextChoices):
    """Range of a product's price; a customer's preferences use the same names."""

    SMALL = "under 15"
    MODEST = "15 to 40"
    MIDDLE = "40 to 90"
    HIGH = "90 to 200"
    TOP = "over 200"


LIMITS = ((15, PriceRange.SMALL), (40, PriceRange.MODEST), (90, PriceRange.MIDDLE), (200, PriceRange.HIGH))


def price_range_of(price: Decimal | float) -> str:
    """Return the range of a price in euros, such as "15 to 40"."""
    return next((str(name.value) for limit, name in LIMITS if price < limit), str(PriceRange.TOP.value))


class Product(models.Model):
    """One product. An inactive one is never shown; one without stock is shown on request but never recommended."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    sku = models.CharField(max_length=32, unique=True, help_text="The product's number in the shop's own books")
    name = models.CharField(max_length=120)
    description = models.TextField(max_length=1000)
    category = models.CharField(max_length=40, db_index=True)
    price = models.DecimalField(max_digits=9, decimal_places=2)
    image_url = models.URLField(null=True, blank=True)
    stock = models.PositiveIntegerField(default=0)
    created_at = models.DateTimeField(default=timezone.now)
    is_active = models.BooleanField(default=True)

    class Meta:
        """By name, for the admin."""

        ordering = ["name"]

    def __str__(self) -> str:
        return self.name

    @property
    def price_range(self) -> str:
        """Return the range of the price, such as "15 to 40"."""
        return price_range_of(self.price)


class Customer(Person):
    """A customer. `taste` is a description for the page; the two fields after it were entered at sign-up."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    email = models.EmailField(blank=True)
    taste = models.CharField(max_length=160, blank=True)
    favourite_categories = models.JSONField(default=list, blank=True, help_text="Such as cast iron")
    price_range = models.CharField(max_length=12, choices=PriceRange.choices, blank=True)

    def describe(self) -> str:
        """Such as "cooks, buys cast iron; likes cast iron and kitchen knives, mostly 40 to 90"."""
        likes = f"likes {get_text_list(self.favourite_categories, 'and')}" if self.favourite_categories else ""
        budget = f"mostly {self.price_range}" if self.price_range else ""
        return "; ".join(filter(None, (self.taste, ", ".join(filter(None, (likes, budget))))))


class Cart(models.Model):
    """A cart. A customer has one open cart at a time; an ordered cart is closed."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    customer = models.ForeignKey(Customer, on_delete=models.CASCADE, related_name="carts")
    created_at = models.DateTimeField(default=timezone.now)
    touched_at = models.DateTimeField(default=timezone.now, help_text="When something was last put in or taken out")
    closed_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        """One open cart per customer; the index finds abandoned ones."""

        constraints = [models.UniqueConstraint(fields=["customer"], condition=Q(closed_at=None), name="shop_one_open_cart")]
        indexes = [models.Index("touched_at", name="shop_open_carts", condition=Q(closed_at=None))]

    def __str__(self) -> str:
        return f"{self.id}"


class CartLine(models.Model):
    """One product of a cart. When it is taken out, the line stays with quantity 0, because the event happened.

    `request_id` is of the list that showed the product; the order line has the same.
    """

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    cart = models.ForeignKey(Cart, on_delete=models.CASCADE, related_name="lines")
    customer = models.ForeignKey(Customer, on_delete=models.CASCADE, related_name="+")
    product = models.ForeignKey(Product, on_delete=models.CASCADE, related_name="+")
    quantity = models.PositiveIntegerField(default=1)
    created_at = models.DateTimeField(default=timezone.now)
    request_id = models.UUIDField(null=True, blank=True)

    class Meta:
        """One line per product and cart."""

        constraints = [models.UniqueConstraint(fields=["cart", "product"], name="shop_one_line")]

    def __str__(self) -> str:
        return f"{self.id}"


class CartRemoval(models.Model):
    """A product was taken out of a cart."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    customer = models.ForeignKey(Customer, on_delete=models.CASCADE, related_name="+")
    product = models.ForeignKey(Product, on_delete=models.CASCADE, related_name="+")
    created_at = models.DateTimeField(default=timezone.now)

    def __str__(self) -> str:
        return f"{self.id}"


class Order(models.Model):
    """An order."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    customer = models.ForeignKey(Customer, on_delete=models.CASCADE, related_name="orders")
    cart = models.OneToOneField(Cart, on_delete=models.SET_NULL, null=True, blank=True, related_name="order")
    created_at = models.DateTimeField(default=timezone.now)
    total = models.DecimalField(max_digits=11, decimal_places=2)

    class Meta:
        """Newest first."""

        ordering = ["-created_at"]

    def __str__(self) -> str:
        return f"{self.id}"


class OrderLine(models.Model):
    """One product of an order, at the price of that day. It repeats the order's customer and time: it is an event."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    order = models.ForeignKey(Order, on_delete=models.CASCADE, related_name="lines")
    customer = models.ForeignKey(Customer, on_delete=models.CASCADE, related_name="+")
    product = models.ForeignKey(Product, on_delete=models.CASCADE, related_name="+")
    quantity = models.PositiveIntegerField(default=1)
    price = models.DecimalField(max_digits=9, decimal_places=2, help_text="Of one piece")
    value = models.FloatField(help_text="Price times quantity: what the line earned")
    created_at = models.DateTimeField(default=timezone.now)
    request_id = models.UUIDField(null=True, blank=True)

    def __str__(self) -> str:
        return f"{self.id}"


class WishlistItem(models.Model):
    """A product on a customer's wishlist."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    customer = models.ForeignKey(Customer, on_delete=models.CASCADE, related_name="wishes")
    product = models.ForeignKey(Product, on_delete=models.CASCADE, related_name="+")
    created_at = models.DateTimeField(default=timezone.now)

    class Meta:
        """Once per customer and product."""

        constraints = [models.UniqueConstraint(fields=["customer", "product"], name="shop_one_wish")]

    def __str__(self) -> str:
        return f"{self.id}"
