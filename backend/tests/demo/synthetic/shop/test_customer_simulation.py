"""One invented customer's doings, written down by hand: rows, events and what is counted."""

from datetime import UTC, datetime

import numpy as np
import pytest

from demo.synthetic.shop.customer_simulation import CustomerSimulator, ShopHistory
from demo.synthetic.shop.products import make_products
from sites.shop.models import Cart, CartLine, Customer, Order, OrderLine, WishlistItem
from sites.shop.recommendation_sources import Shop
from tandem.event_sync.mirror import mirror_of

UNTIL = datetime(2026, 6, 1, tzinfo=UTC)
AT = UNTIL.timestamp() - 10 * 86_400


@pytest.fixture
def customer() -> CustomerSimulator:
    products = make_products(np.random.default_rng(1), seed=1, items=90, until=UNTIL)
    ada = Customer(name="Ada")
    return CustomerSimulator(ShopHistory(Shop, 1, items=products.products, people=[ada]), ada)


def events_of(customer: CustomerSimulator) -> list[tuple[str, int]]:
    place = {str(one.pk): at for at, one in enumerate(customer.history.items)}
    return [(event.event, place[event.item_id]) for event in customer.history.events]


def test_a_wish_is_a_wish_once(customer: CustomerSimulator) -> None:
    customer.wish(3, AT)
    customer.wish(3, AT + 60)
    assert events_of(customer) == [("wishlist_add", 3)]
    assert len(customer.history.tables[WishlistItem]) == 1


def test_what_lies_in_the_cart_is_not_put_in_again(customer: CustomerSimulator) -> None:
    customer.put_in(3, AT)
    customer.put_in(3, AT + 60)
    customer.put_in(4, AT + 120)
    assert events_of(customer) == [("cart_add", 3), ("cart_add", 4)]
    assert len(customer.history.tables[Cart]) == 1
    assert customer.history.tables[Cart][0].touched_at == datetime.fromtimestamp(AT + 120, UTC)


def test_what_was_taken_out_is_not_bought(customer: CustomerSimulator) -> None:
    customer.put_in(3, AT)
    customer.put_in(4, AT + 1)
    customer.take_out(3, AT + 2)
    customer.take_out(3, AT + 3)
    customer.take_out(9, AT + 3)
    customer.buy(AT + 60)
    assert events_of(customer) == [("cart_add", 3), ("cart_add", 4), ("cart_remove", 3), ("purchase", 4)]
    (order,) = customer.history.tables[Order]
    (line,) = customer.history.tables[OrderLine]
    assert order.total == line.price == customer.history.items[4].price
    assert (order.created_at, line.created_at) == (datetime.fromtimestamp(AT + 60, UTC),) * 2


def test_after_an_order_a_new_cart_begins_and_an_empty_one_cannot_be_ordered(customer: CustomerSimulator) -> None:
    customer.buy(AT)
    customer.put_in(3, AT + 1)
    customer.buy(AT + 2)
    customer.buy(AT + 3)
    customer.put_in(3, AT + 4)
    assert len(customer.history.tables[Order]) == 1
    assert [cart.closed_at is None for cart in customer.history.tables[Cart]] == [False, True]


def test_only_positive_events_are_counted_and_repeats_of_a_day_once(customer: CustomerSimulator) -> None:
    customer.record("view", 3, AT)
    customer.record("view", 3, AT + 60)
    customer.record("view", 3, AT + 2 * 86_400)
    customer.put_in(3, AT + 70)
    customer.take_out(3, AT + 80)
    assert customer.history.counts() == [3]


def test_an_order_line_keeps_the_list_its_cart_line_came_from(customer: CustomerSimulator) -> None:
    request_id = customer.history.next_id("list")
    customer.put_in(3, AT, request_id)
    customer.put_in(4, AT)
    customer.buy(AT + 5)
    assert [line.request_id for line in customer.history.tables[OrderLine]] == [request_id, None]
    assert [event.request_id for event in customer.history.events if event.event == "purchase"] == [request_id, None]


def test_ids_of_events_are_those_that_mirroring_the_rows_would_give(customer: CustomerSimulator) -> None:
    customer.put_in(3, AT)
    customer.buy(AT + 5)
    given = {event.event: event.event_id for event in customer.history.events}
    tables = customer.history.tables
    assert given["cart_add"] == mirror_of(Shop, "cart_add").event_id(tables[CartLine][0].pk)
    assert given["purchase"] == mirror_of(Shop, "purchase").event_id(tables[OrderLine][0].pk)


def test_partners_stand_on_the_shelves_beside_and_cost_alike() -> None:
    products = make_products(np.random.default_rng(2), seed=2, items=600, until=UNTIL)
    shelves = [one.category for one in products.products]
    off, chance = [], []
    for place, partners in enumerate(products.partners):
        assert place not in partners
        assert len(set(partners.tolist())) == len(partners)
        assert {shelves[one] for one in partners}.isdisjoint({shelves[place]})
        off += np.abs(products.price_level[partners] - products.price_level[place]).tolist()
        chance += np.abs(np.roll(products.price_level, 7)[partners] - products.price_level[place]).tolist()
    assert np.mean(off) < 0.7 * np.mean(chance)
