"""Carts: put in, take out, order. Each step is one transaction; Tandem syncs the rows as interactions."""

from collections.abc import Sequence
from decimal import Decimal
from uuid import UUID

from django.db import transaction
from django.db.models import QuerySet
from django.utils import timezone

from recommendation_service.errors import InvalidInput, NotFound
from sites.shop.models import Cart, CartLine, CartRemoval, Customer, Order, OrderLine, Product
from sites.shop.services.abandonments import recover

MAX_QUANTITY = 100


def lines_of(*, customer: Customer) -> list[CartLine]:
    """Return the lines of the customer's open cart, the oldest first."""
    return list(_lines(customer).select_related("product").order_by("created_at", "pk"))


def product_ids_of(*, user_id: str) -> tuple[str, ...]:
    """Return the product ids in the open cart of a user; none for a user who is not a customer."""
    try:
        key = UUID(user_id)
    except ValueError:
        return ()
    lines = CartLine.objects.filter(cart__customer=key, cart__closed_at=None, quantity__gt=0)
    return tuple(str(product) for product in lines.order_by("created_at", "pk").values_list("product_id", flat=True))


def put_in(*, customer: Customer, product_id: UUID, quantity: int = 1, request_id: UUID | None = None) -> CartLine:
    """Put `quantity` more of a product into the open cart; `request_id` is of the list that showed it.

    Raises NotFound for a product that is not sold, InvalidInput for more than the stock.
    """
    with transaction.atomic():
        cart = _open_cart(customer)
        product = Product.objects.filter(pk=product_id, is_active=True).first()
        if product is None:
            raise NotFound("there is no such product")
        line = CartLine.objects.filter(cart=cart, product=product).first() or CartLine(
            cart=cart, customer=customer, product=product, quantity=0
        )
        _require(product, line.quantity + quantity)
        if line.quantity == 0:
            line.created_at, line.request_id = timezone.now(), request_id
        line.quantity += quantity
        line.save()
        _touch(cart)
    return line


def take_out(*, customer: Customer, product_id: UUID) -> None:
    """Take all of a product out of the open cart. Raises NotFound if the cart does not have it."""
    with transaction.atomic():
        _lock_customer(customer)
        line = _lines(customer).filter(product=product_id).select_related("cart", "product").first()
        if line is None:
            raise NotFound("that product is not in the cart")
        CartLine.objects.filter(pk=line.pk).update(quantity=0)  # without signals: the cart_add event stays
        CartRemoval.objects.create(customer=customer, product=line.product)
        _touch(line.cart)


def check_out(*, customer: Customer) -> Order:
    """Order the open cart: all lines have the same time, and the stock is reduced.

    Raises InvalidInput for an empty cart, and for quantities above the stock.
    """
    with transaction.atomic():
        cart = _open_cart(customer)
        lines = list(_lines(customer).order_by("created_at", "pk"))
        if not lines:
            raise InvalidInput("the cart is empty; put something in first")
        products = _lock_products(lines)
        now = timezone.now()
        total = sum((products[line.product_id].price * line.quantity for line in lines), Decimal())
        order = Order.objects.create(customer=customer, cart=cart, created_at=now, total=total)
        for line in lines:
            _sell(order, line, products[line.product_id])
        cart.closed_at = cart.touched_at = now
        cart.save(update_fields=["closed_at", "touched_at"])
        recover(order=order)
    return order


def buy(*, customer: Customer, product_id: UUID, request_id: UUID | None = None) -> Order:
    """Order one piece without the cart. Raises NotFound and InvalidInput as `put_in`."""
    with transaction.atomic():
        _lock_customer(customer)  # first, as in every change: the order's foreign key needs the row
        product = Product.objects.select_for_update().filter(pk=product_id, is_active=True).first()
        if product is None:
            raise NotFound("there is no such product")
        _require(product, 1)
        order = Order.objects.create(customer=customer, created_at=timezone.now(), total=product.price)
        _sell(order, CartLine(customer=customer, product=product, quantity=1, request_id=request_id), product)
    return order


def _lock_customer(customer: Customer) -> None:
    """Make other requests that change this customer's cart wait. Every change takes this lock first, so none deadlocks."""
    Customer.objects.select_for_update().get(pk=customer.pk)


def _open_cart(customer: Customer) -> Cart:
    """Lock the customer; return their open cart, made if there is none."""
    _lock_customer(customer)
    return Cart.objects.get_or_create(customer=customer, closed_at=None)[0]


def _lines(customer: Customer) -> QuerySet[CartLine]:
    return CartLine.objects.filter(cart__customer=customer, cart__closed_at=None, quantity__gt=0)


def _touch(cart: Cart) -> None:
    Cart.objects.filter(pk=cart.pk).update(touched_at=timezone.now())


def _lock_products(lines: Sequence[CartLine]) -> dict[UUID, Product]:
    """Lock and return the products of the lines; in order of key, so that two transactions never deadlock."""
    wanted = sorted(line.product_id for line in lines)
    products = {product.pk: product for product in Product.objects.select_for_update().filter(pk__in=wanted).order_by("pk")}
    for line in lines:
        _require(products[line.product_id], line.quantity)
    return products


def _require(product: Product, quantity: int) -> None:
    available = product.stock if product.is_active else 0
    if quantity > min(available, MAX_QUANTITY):
        limit = f"{available} in stock" if available <= MAX_QUANTITY else f"at most {MAX_QUANTITY}"
        message = f"{product.name}: {limit}"
        raise InvalidInput(message, fields={"/quantity": message})


def _sell(order: Order, line: CartLine, product: Product) -> None:
    OrderLine.objects.create(
        order=order,
        customer_id=order.customer_id,
        product=product,
        quantity=line.quantity,
        price=product.price,
        value=float(product.price * line.quantity),
        created_at=order.created_at,
        request_id=line.request_id,
    )
    product.stock -= line.quantity
    product.save(update_fields=["stock"])
