"""Carts: what is put in, taken out and ordered, and the events that follow by themselves."""

import threading
import uuid
from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.core.management import call_command
from django.db import connection
from django.test import Client
from django.utils import timezone

from recommendation_service.errors import InvalidInput, NotFound
from sites.shop.models import Cart, CartLine, Customer, Order, Product, WishlistItem
from sites.shop.services import carts
from tandem.event_sync.sync import sync_interactions
from tandem.models import UserInteraction
from tests.support import store

pytestmark = pytest.mark.django_db


@pytest.fixture
def products() -> list[Product]:
    return store.make_products(3)


@pytest.fixture
def ada() -> Customer:
    return store.make_customer("Ada")


def pieces(customer: Customer) -> list[tuple[str, int]]:
    return [(line.product.sku, line.quantity) for line in carts.lines_of(customer=customer)]


def test_what_is_put_in_lies_there_and_is_an_event(ada: Customer, products: list[Product]) -> None:
    carts.put_in(customer=ada, product_id=products[0].pk)
    carts.put_in(customer=ada, product_id=products[1].pk, quantity=2)
    carts.put_in(customer=ada, product_id=products[0].pk)
    assert pieces(ada) == [("SKU-000", 2), ("SKU-001", 2)]
    assert store.happened(ada) == [("cart_add", str(products[0].pk), None), ("cart_add", str(products[1].pk), None)]
    assert carts.product_ids_of(user_id=str(ada.pk)) == (str(products[0].pk), str(products[1].pk))


def test_what_is_taken_out_is_gone_from_the_cart_and_both_events_stay(ada: Customer, products: list[Product]) -> None:
    carts.put_in(customer=ada, product_id=products[0].pk)
    carts.take_out(customer=ada, product_id=products[0].pk)
    assert pieces(ada) == []
    assert [event for event, _, _ in store.happened(ada)] == ["cart_add", "cart_remove"]
    carts.put_in(customer=ada, product_id=products[0].pk, quantity=3)
    assert pieces(ada) == [("SKU-000", 3)]
    with pytest.raises(NotFound):
        carts.take_out(customer=ada, product_id=products[1].pk)


def test_an_order_keeps_the_price_of_the_day_and_its_lines_share_their_time(ada: Customer, products: list[Product]) -> None:
    carts.put_in(customer=ada, product_id=products[0].pk, quantity=2)
    carts.put_in(customer=ada, product_id=products[2].pk)
    order = carts.check_out(customer=ada)
    Product.objects.update(price=1)
    assert order.total == Decimal(50)
    assert [float(line.price) for line in order.lines.order_by("product__sku")] == [10.0, 30.0]
    bought = UserInteraction.objects.filter(kind__name="purchase")
    assert sorted(bought.values_list("value", flat=True)) == [20.0, 30.0]
    assert set(bought.values_list("time", flat=True)) == {order.created_at}
    assert pieces(ada) == []
    assert [one.stock for one in Product.objects.order_by("sku")] == [8, 10, 9]
    cart = Cart.objects.get()
    assert (cart.closed_at, cart.order) == (order.created_at, order)


def test_a_purchase_answers_the_list_it_came_from(ada: Customer, products: list[Product]) -> None:
    request_id = store.shown_list(ada, products, at=timezone.now())
    carts.put_in(customer=ada, product_id=products[0].pk, request_id=request_id)
    carts.put_in(customer=ada, product_id=products[1].pk, request_id=uuid.uuid4())  # a list that nobody was shown
    carts.check_out(customer=ada)
    found = UserInteraction.objects.filter(kind__name="purchase").order_by("value").values_list("request_id", flat=True)
    assert list(found) == [request_id, None]


def test_more_than_there_are_is_refused_and_nothing_changes(ada: Customer, products: list[Product]) -> None:
    with pytest.raises(InvalidInput, match="10 in stock"):
        carts.put_in(customer=ada, product_id=products[0].pk, quantity=11)
    assert not CartLine.objects.exists()
    carts.put_in(customer=ada, product_id=products[0].pk, quantity=10)
    carts.put_in(customer=ada, product_id=products[1].pk)
    Product.objects.filter(pk=products[0].pk).update(stock=3)
    with pytest.raises(InvalidInput, match="3 in stock"):
        carts.check_out(customer=ada)
    assert not Order.objects.exists()
    assert [one.stock for one in Product.objects.order_by("sku")] == [3, 10, 10]


def test_an_empty_cart_cannot_be_ordered_and_withdrawn_products_cannot_be_put_in(
    ada: Customer, products: list[Product]
) -> None:
    with pytest.raises(InvalidInput, match="empty"):
        carts.check_out(customer=ada)
    Product.objects.filter(pk=products[0].pk).update(is_active=False)
    with pytest.raises(NotFound):
        carts.put_in(customer=ada, product_id=products[0].pk)


def test_a_wish_is_an_event_and_a_withdrawn_wish_is_none(ada: Customer, products: list[Product]) -> None:
    wish = WishlistItem.objects.create(customer=ada, product=products[0])
    assert store.happened(ada) == [("wishlist_add", str(products[0].pk), None)]
    wish.delete()
    assert store.happened(ada) == []


def test_rows_written_past_the_signals_are_caught_up_once(ada: Customer, products: list[Product]) -> None:
    moment = timezone.now() - timedelta(days=1)
    WishlistItem.objects.bulk_create([WishlistItem(customer=ada, product=one, created_at=moment) for one in products])
    assert sync_interactions()["shop.wishlist_add"] == 3
    assert sync_interactions()["shop.wishlist_add"] == 0
    assert set(UserInteraction.objects.values_list("time", flat=True)) == {moment}


def test_a_seeded_shop_has_nothing_left_to_catch_up() -> None:
    call_command("generate_shop_data", "--users", "40", "--items", "90", "--until", "2026-11-20")
    assert UserInteraction.objects.filter(kind__name="purchase").exists()
    assert set(sync_interactions().values()) == {0}


@pytest.mark.django_db(transaction=True)
@pytest.mark.skipif(connection.vendor == "sqlite", reason="one connection in memory: no second client can race")
@pytest.mark.services
@pytest.mark.parametrize("change", ["remove", "add"])
def test_a_cart_that_changes_during_check_out_is_ordered_as_it_was_read(
    ada: Customer, products: list[Product], monkeypatch: pytest.MonkeyPatch, change: str
) -> None:
    """Another request changes the cart between reading the lines and writing the order; it must wait for the order."""
    carts.put_in(customer=ada, product_id=products[0].pk)
    outcome: list[str] = []

    def change_cart() -> None:
        try:
            if change == "remove":
                carts.take_out(customer=ada, product_id=products[0].pk)
            else:
                carts.put_in(customer=ada, product_id=products[0].pk)
            outcome.append("changed")
        except NotFound:
            outcome.append("not in the cart")
        finally:
            connection.close()

    other = threading.Thread(target=change_cart)
    lock_products = carts._lock_products

    def during_check_out(lines: Any) -> Any:
        other.start()
        other.join(timeout=1.0)
        return lock_products(lines)

    monkeypatch.setattr(carts, "_lock_products", during_check_out)
    order = carts.check_out(customer=ada)
    other.join()
    assert [line.quantity for line in order.lines.all()] == [1]
    if change == "remove":
        assert outcome == ["not in the cart"]
        assert [event for event, _, _ in store.happened(ada)] == ["cart_add", "purchase"]
    else:
        assert outcome == ["changed"]
        assert pieces(ada) == [("SKU-000", 1)]


@pytest.fixture
def signed_in(client: Client) -> tuple[Client, Customer]:
    account = User.objects.create_user("ada")
    client.force_login(account)
    return client, store.make_customer("Ada", account)


def post(client: Client, path: str, body: Any = None) -> Any:
    return client.post(path, body or {}, content_type="application/json")


def test_a_shop_page_fills_empties_and_orders_a_cart(signed_in: tuple[Client, Customer], products: list[Product]) -> None:
    client, ada = signed_in
    first, second = str(products[0].pk), str(products[1].pk)
    assert post(client, "/api/v1/shop/cart/lines", {"product_id": first, "quantity": 2}).status_code == 201
    filled = post(client, "/api/v1/shop/cart/lines", {"product_id": second})
    line = {"product_id": first, "external_product_id": "SKU-000", "name": "Product 000", "price": 10.0, "quantity": 2}
    assert (filled.json()["lines"][0], filled.json()["total"]) == (line, 40.0)
    assert client.delete(f"/api/v1/shop/cart/lines/{second}").json()["total"] == 20.0
    assert client.delete(f"/api/v1/shop/cart/lines/{second}").status_code == 404
    assert client.get("/api/v1/shop/cart").json()["user_id"] == str(ada.pk)
    ordered = post(client, "/api/v1/shop/cart/checkout")
    assert (ordered.status_code, ordered.json()["total"], ordered.json()["lines"]) == (201, 20.0, 1)
    assert post(client, "/api/v1/shop/cart/checkout").status_code == 422


@pytest.mark.parametrize(
    ("body", "pointer"),
    [
        ({}, "/product_id"),
        ({"product_id": "no"}, "/product_id"),
        ({"product_id": str(uuid.UUID(int=1)), "quantity": 0}, "/quantity"),
        ({"product_id": str(uuid.UUID(int=1)), "quantity": 11}, "/quantity"),
        ({"product_id": str(uuid.UUID(int=1)), "colour": "red"}, "/colour"),
    ],
)
def test_a_wrong_body_is_refused_by_name(
    signed_in: tuple[Client, Customer], products: list[Product], body: dict[str, Any], pointer: str
) -> None:
    response = post(signed_in[0], "/api/v1/shop/cart/lines", body)
    assert response.status_code == 422
    assert [error["pointer"] for error in response.json()["errors"]] == [pointer]


def test_somebody_elses_cart_reads_as_not_there(signed_in: tuple[Client, Customer], products: list[Product]) -> None:
    client, _ = signed_in
    bob = store.make_customer("Bob")
    carts.put_in(customer=bob, product_id=products[0].pk)
    assert client.get(f"/api/v1/shop/cart?user_id={bob.pk}").status_code == 404
    assert client.get(f"/api/v1/shop/cart?user_id={uuid.uuid4()}").status_code == 404
    assert post(client, f"/api/v1/shop/cart/lines?user_id={bob.pk}", {"product_id": str(products[1].pk)}).status_code == 404
    assert pieces(bob) == [("SKU-000", 1)]
    assert client.get("/api/v1/shop/cart?colour=red").status_code == 422
