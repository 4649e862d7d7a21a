"""What holds whatever customers do: weights, carts, stock, money and events."""

from collections.abc import Callable
from contextlib import suppress
from datetime import UTC, datetime
from decimal import Decimal

import numpy as np
import pytest
from django.http import QueryDict
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from rest_framework.exceptions import ValidationError

from recommendation_service.domain.history import PastEvent
from recommendation_service.errors import TandemError
from recommendation_service.use_cases.loader import load
from sites.shop.models import CartLine, CartRemoval, Customer, Order, OrderLine, Product
from sites.shop.serializers import WindowQuerySerializer
from sites.shop.services import carts
from sites.shop.services.user_preference import weights_of
from tandem.event_sync.sync import sync_interactions
from tandem.models import UserInteraction
from tandem.selectors.statistics import Window
from tests.support import store

SHOP = load("shop")
DAY = 86_400.0
NOW = datetime(2026, 11, 20, tzinfo=UTC).timestamp()
events = st.builds(
    PastEvent,
    item_id=st.sampled_from("abcd"),
    event=st.sampled_from(sorted(SHOP.events)),
    time=st.floats(NOW - 200 * DAY, NOW, allow_nan=False),
)


@given(st.lists(events, min_size=1, max_size=30))
@settings(deadline=None)
def test_weights_equal_a_plain_loop(past: list[PastEvent]) -> None:
    firsts: dict[tuple[str, str, int], float] = {}
    for event in past:
        key = (event.item_id, event.event, int(event.time // DAY))
        firsts[key] = min(event.time, firsts.get(key, np.inf))
    wanted: dict[str, float] = {}
    for (item_id, name, _), time in firsts.items():
        wanted[item_id] = wanted.get(item_id, 0.0) + SHOP.events[name].weight * np.exp(-(NOW - time) / DAY / 30)
    found = weights_of(past, SHOP, now=NOW)
    assert set(found) <= set(wanted)
    for item_id, weight in wanted.items():
        assert found.get(item_id, 0.0) == pytest.approx(weight, rel=1e-4, abs=1e-5)


@given(st.lists(events, min_size=1, max_size=30), st.randoms(use_true_random=False))
@settings(deadline=None)
def test_the_order_in_which_events_are_read_does_not_matter(past: list[PastEvent], chance: object) -> None:
    mixed = list(past)
    chance.shuffle(mixed)  # type: ignore[attr-defined]  # hypothesis' Random
    first, second = weights_of(past, SHOP, now=NOW), weights_of(mixed, SHOP, now=NOW)
    assert first.keys() == second.keys()
    assert list(first.values()) == pytest.approx([second[item_id] for item_id in first], rel=1e-5, abs=1e-6)


@given(st.lists(events, min_size=1, max_size=30), st.floats(0, 90))
@settings(deadline=None)
def test_everything_fades_alike_so_a_taste_keeps_its_direction(past: list[PastEvent], later_days: float) -> None:
    today, later = weights_of(past, SHOP, now=NOW), weights_of(past, SHOP, now=NOW + later_days * DAY)
    for item_id, weight in today.items():
        assert later.get(item_id, 0.0) == pytest.approx(weight * np.exp(-later_days / 30), rel=1e-3, abs=1e-5)


steps = st.lists(
    st.one_of(
        st.tuples(st.just("put"), st.integers(0, 2), st.integers(1, 6)),
        st.tuples(st.just("take"), st.integers(0, 2), st.just(0)),
        st.tuples(st.just("order"), st.just(0), st.just(0)),
    ),
    max_size=12,
)


def _step(customer: Customer, products: list[Product], step: tuple[str, int, int]) -> None:
    what, place, count = step
    doing: dict[str, Callable[[], object]] = {
        "put": lambda: carts.put_in(customer=customer, product_id=products[place].pk, quantity=count),
        "take": lambda: carts.take_out(customer=customer, product_id=products[place].pk),
        "order": lambda: carts.check_out(customer=customer),
    }
    with suppress(TandemError):  # too many, not there, or nothing to order: refused, and nothing may have changed
        doing[what]()


@pytest.mark.django_db
@given(steps)
@settings(deadline=None, max_examples=25, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_whatever_is_done_with_a_cart_pieces_money_and_events_add_up(doings: list[tuple[str, int, int]]) -> None:
    for model in (Customer, Product, UserInteraction):
        model.objects.all().delete()
    products, ada = store.make_products(3, stock=8), store.make_customer("Ada")
    for doing in doings:
        _step(ada, products, doing)
    for product in Product.objects.all():
        sold = sum(OrderLine.objects.filter(product=product).values_list("quantity", flat=True))
        assert product.stock + sold == 8
    for order in Order.objects.all():
        assert order.total == sum((line.price * line.quantity for line in order.lines.all()), Decimal())
        assert order.cart is not None
        assert order.cart.closed_at is not None
    named = UserInteraction.objects.values_list("kind__name", flat=True)
    counted = {name: sum(one == name for one in named) for name in ("cart_add", "cart_remove", "purchase")}
    assert counted["purchase"] == OrderLine.objects.count()
    assert counted["cart_remove"] == CartRemoval.objects.count()
    assert counted["cart_add"] == CartLine.objects.count()
    assert sum(1 for line in carts.lines_of(customer=ada) if line.quantity < 1) == 0
    assert set(sync_interactions().values()) == {0}


def read(query: QueryDict) -> Window | ValidationError:
    try:
        return WindowQuerySerializer.window_of(query, now=datetime(2026, 11, 20, tzinfo=UTC))
    except ValidationError as error:
        return error


@given(st.sampled_from(["days", "from", "to", "day"]) | st.text(max_size=12), st.dates().map(str) | st.text(max_size=12))
@settings(deadline=None)
def test_any_words_for_a_window_are_a_window_or_refused_by_name(name: str, value: str) -> None:
    query = QueryDict(mutable=True)
    query[name] = value
    found = read(query)
    assert len(found.detail) == 1 if isinstance(found, ValidationError) else found.since < found.until
