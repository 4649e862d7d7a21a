"""Abandoned carts: each is recorded once, and closed as recovered when an order follows."""

from datetime import datetime, timedelta
from decimal import Decimal

from django.db import transaction
from django.db.models import F, Sum
from django.utils import timezone

from sites.shop.models import Cart, CartAbandonment, Order

BATCH = 500


def detect_abandonments(*, hours: float, now: datetime | None = None) -> tuple[int, int]:
    """Record open carts with products that were not changed for `hours`; return how many are new and how many recovered.

    A cart is recorded once. A cart that was ordered since is recovered, also if other code wrote the order.
    """
    detected_at = timezone.now() if now is None else now
    abandoned = Cart.objects.filter(
        closed_at=None, abandonment=None, touched_at__lte=detected_at - timedelta(hours=hours), lines__quantity__gt=0
    )
    carts = abandoned.annotate(
        pieces=Sum("lines__quantity"), value=Sum(F("lines__quantity") * F("lines__product__price"))
    ).order_by("touched_at", "pk")
    new = [
        CartAbandonment(
            cart=cart,
            customer_id=cart.customer_id,
            pieces=cart.pieces,
            value=Decimal(cart.value),
            left_at=cart.touched_at,
            detected_at=detected_at,
        )
        for cart in carts
    ]
    with transaction.atomic():
        before = CartAbandonment.objects.count()
        CartAbandonment.objects.bulk_create(
            new, ignore_conflicts=True, batch_size=BATCH
        )  # a second run may write the same rows
        added = CartAbandonment.objects.count() - before
    missed = Order.objects.filter(cart__abandonment__isnull=False, cart__abandonment__recovered_at=None)
    return added, sum(recover(order=order) for order in missed)


def recover(*, order: Order) -> int:
    """Close the abandonment of the ordered cart, if there is one; return how many were closed, 0 or 1."""
    return CartAbandonment.objects.filter(cart=order.cart_id, recovered_at=None).update(
        order=order, recovered_at=order.created_at
    )
