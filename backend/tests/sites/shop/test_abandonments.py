"""Carts left alone: noted once, and closed as recovered when an order follows."""

from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest
from django.core.management import CommandError, call_command
from django.utils import timezone

from sites.shop.models import Cart, CartAbandonment, Customer, Order, Product
from sites.shop.services import carts
from sites.shop.services.abandonments import detect_abandonments
from tests.support import store

pytestmark = pytest.mark.django_db


def left_cart(customer: Customer, products: list[Product], *, hours: float) -> Cart:
    """A cart with the products, touched so long ago."""
    for product in products:
        carts.put_in(customer=customer, product_id=product.pk)
    Cart.objects.filter(customer=customer).update(touched_at=timezone.now() - timedelta(hours=hours))
    return Cart.objects.get(customer=customer)


def found() -> list[tuple[str, int, Decimal]]:
    return list(CartAbandonment.objects.order_by("customer__name").values_list("customer__name", "pieces", "value"))


def test_only_filled_open_carts_left_long_enough_are_noted_and_only_once() -> None:
    products = store.make_products(3)
    people = {name: store.make_customer(name) for name in ("Ada", "Bob", "Cem", "Dot")}
    left_cart(people["Ada"], products[:2], hours=25)
    left_cart(people["Bob"], products[:1], hours=23)
    left_cart(people["Cem"], products[:1], hours=30)
    carts.take_out(customer=people["Cem"], product_id=products[0].pk)
    Cart.objects.filter(customer=people["Cem"]).update(touched_at=timezone.now() - timedelta(hours=30))
    left_cart(people["Dot"], products[2:], hours=40)
    carts.check_out(customer=people["Dot"])
    assert detect_abandonments(hours=24) == (1, 0)
    assert found() == [("Ada", 2, Decimal(30))]
    assert detect_abandonments(hours=24) == (0, 0)
    assert detect_abandonments(hours=22) == (1, 0)
    assert CartAbandonment.objects.count() == 2


def test_an_order_recovers_it() -> None:
    products, ada = store.make_products(1), store.make_customer("Ada")
    left_cart(ada, products, hours=30)
    detect_abandonments(hours=24)
    order = carts.check_out(customer=ada)
    row = CartAbandonment.objects.get()
    assert (row.order, row.recovered_at) == (order, order.created_at)


def test_an_order_written_by_other_means_is_found_by_the_next_run() -> None:
    products, ada = store.make_products(1), store.make_customer("Ada")
    cart = left_cart(ada, products, hours=30)
    detect_abandonments(hours=24)
    order = Order.objects.create(customer=ada, cart=cart, total=10)
    assert detect_abandonments(hours=24) == (0, 1)
    assert CartAbandonment.objects.get().order == order
    assert detect_abandonments(hours=24) == (0, 0)


def test_the_clock_is_an_argument() -> None:
    products, ada = store.make_products(1), store.make_customer("Ada")
    left_cart(ada, products, hours=1)
    later: datetime = timezone.now() + timedelta(hours=24)
    assert detect_abandonments(hours=24, now=later) == (1, 0)


def test_the_command_says_what_is_new_and_what_comes_next(capsys: Any) -> None:
    products, ada = store.make_products(1), store.make_customer("Ada")
    left_cart(ada, products, hours=30)
    call_command("detect_cart_abandonments", "--hours", "24")
    assert capsys.readouterr().out == "1 new, 0 recovered by an order\nnext: manage.py send_campaign abandoned_cart\n"
    with pytest.raises(CommandError, match="more than 0"):
        call_command("detect_cart_abandonments", "--hours", "0")
