"""One invented customer's doings, written down by hand: rows, events and what is counted."""

from datetime import UTC, datetime

import numpy as np
import pytest

from demo.synthetic.shop.customer_simulation import Books, Purse
from demo.synthetic.shop.products import make_assortment
from sites.shop.models import Customer
from sites.shop.recommendation_sources import Shop

UNTIL = datetime(2026, 6, 1, tzinfo=UTC)
AT = UNTIL.timestamp() - 10 * 86_400


@pytest.fixture
def purse() -> Purse:
    assortment = make_assortment(np.random.default_rng(1), seed=1, items=90, until=UNTIL)
    return Purse(Books(assortment, seed=1), Customer(name="Ada"))


def told(purse: Purse) -> list[tuple[str, int]]:
    place = {str(one.pk): at for at, one in enumerate(purse.books.assortment.products)}
    return [(event.event, place[event.item_id]) for event in purse.books.events]


def test_a_wish_is_a_wish_once(purse: Purse) -> None:
    purse.wish(3, AT)
    purse.wish(3, AT + 60)
    assert told(purse) == [("wishlist_add", 3)]
    assert len(purse.books.wishes) == 1


def test_what_lies_in_the_cart_is_not_put_in_again(purse: Purse) -> None:
    purse.put_in(3, AT)
    purse.put_in(3, AT + 60)
    purse.put_in(4, AT + 120)
    assert told(purse) == [("cart_add", 3), ("cart_add", 4)]
    assert len(purse.books.carts) == 1
    assert purse.books.carts[0].touched_at == datetime.fromtimestamp(AT + 120, UTC)


def test_what_was_taken_out_is_not_bought(purse: Purse) -> None:
    purse.put_in(3, AT)
    purse.put_in(4, AT + 1)
    purse.take_out(3, AT + 2)
    purse.take_out(3, AT + 3)
    purse.take_out(9, AT + 3)
    purse.buy(AT + 60)
    assert told(purse) == [("cart_add", 3), ("cart_add", 4), ("cart_remove", 3), ("purchase", 4)]
    (order,) = purse.books.orders
    (line,) = purse.books.order_lines
    assert order.total == line.price == purse.books.assortment.products[4].price
    assert (order.created_at, line.created_at) == (datetime.fromtimestamp(AT + 60, UTC),) * 2


def test_after_an_order_a_new_cart_begins_and_an_empty_one_cannot_be_ordered(purse: Purse) -> None:
    purse.buy(AT)
    purse.put_in(3, AT + 1)
    purse.buy(AT + 2)
    purse.buy(AT + 3)
    purse.put_in(3, AT + 4)
    assert len(purse.books.orders) == 1
    assert [cart.closed_at is None for cart in purse.books.carts] == [False, True]


def test_only_positive_events_are_counted_and_repeats_of_a_day_once(purse: Purse) -> None:
    purse.saw("view", 3, AT)
    purse.saw("view", 3, AT + 60)
    purse.saw("view", 3, AT + 2 * 86_400)
    purse.put_in(3, AT + 70)
    purse.take_out(3, AT + 80)
    assert len(purse.counted) == 3


def test_an_order_line_keeps_the_list_its_cart_line_came_from(purse: Purse) -> None:
    request_id = purse.books.id("list")
    purse.put_in(3, AT, request_id)
    purse.put_in(4, AT)
    purse.buy(AT + 5)
    assert [line.request_id for line in purse.books.order_lines] == [request_id, None]
    assert [event.request_id for event in purse.books.events if event.event == "purchase"] == [request_id, None]


def test_ids_of_events_are_those_that_mirroring_the_rows_would_give(purse: Purse) -> None:
    purse.put_in(3, AT)
    purse.buy(AT + 5)
    given = {event.event: event.event_id for event in purse.books.events}
    assert set(purse.books.mirrored) == set(Shop.events)
    assert given["cart_add"] == purse.books.mirrored["cart_add"](purse.books.lines[0].pk)
    assert given["purchase"] == purse.books.mirrored["purchase"](purse.books.order_lines[0].pk)


def test_partners_stand_on_the_shelves_beside_and_cost_alike() -> None:
    assortment = make_assortment(np.random.default_rng(2), seed=2, items=600, until=UNTIL)
    shelves = [one.category for one in assortment.products]
    off, chance = [], []
    for place, partners in enumerate(assortment.partners):
        assert place not in partners
        assert len(set(partners.tolist())) == len(partners)
        assert {shelves[one] for one in partners}.isdisjoint({shelves[place]})
        off += np.abs(assortment.dearness[partners] - assortment.dearness[place]).tolist()
        chance += np.abs(np.roll(assortment.dearness, 7)[partners] - assortment.dearness[place]).tolist()
    assert np.mean(off) < 0.7 * np.mean(chance)
