"""The seeded shop: the same again for a seed, readable tastes, real complements, and clicks with something to learn."""

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

import numpy as np
import pytest
from django.core.management import CommandError, call_command

from demo.synthetic.shop.customers import Preferences, interest_of
from demo.synthetic.shop.history import DEMO, WINDOW_DAYS, make_history
from demo.synthetic.shop.impressions import LENGTHS, Blend
from demo.synthetic.shop.products import VOCABULARY, make_products
from demo.synthetic.simulation import SiteHistory
from recommendation_service.use_cases.loader import load
from sites.shop.models import Cart, CartLine, Customer, Order, OrderLine, Product
from tandem.models import Impression, UserInteraction
from tandem.services.bulk_load import Happened

UNTIL = datetime(2026, 6, 1, tzinfo=UTC)


@dataclass(frozen=True)
class Seen:
    """A history with the lookups that most tests need."""

    history: SiteHistory
    products: dict[str, Product]
    place: dict[str, int]
    past: dict[str, list[Happened]]


@pytest.fixture(scope="module")
def seen() -> Seen:
    history = make_history(seed=7, users=400, items=900, events=10_000, until=UNTIL)
    past: dict[str, list[Happened]] = {}
    for event in history.events:
        past.setdefault(event.user_id, []).append(event)
    products = {str(one.pk): one for one in history.items}
    return Seen(history, products, {key: place for place, key in enumerate(products)}, past)


def baskets(history: SiteHistory) -> Iterator[list[OrderLine]]:
    orders: dict[Any, list[OrderLine]] = {}
    for line in history.tables[OrderLine]:
        orders.setdefault(line.order_id, []).append(line)
    return iter(orders.values())


def test_the_same_seed_and_end_give_the_same_shop_and_events() -> None:
    first, second = (make_history(seed=3, users=60, items=120, events=1500, until=UNTIL) for _ in range(2))
    assert first.events == second.events
    assert first.lists == second.lists
    fields = ("id", "sku", "name", "description", "category", "price", "stock", "created_at", "is_active", "image_url")
    told = [[[getattr(one, name) for name in fields] for one in history.items] for history in (first, second)]
    assert told[0] == told[1]
    assert [(one.pk, one.name, one.taste, one.is_demo) for one in first.people] == [
        (one.pk, one.name, one.taste, one.is_demo) for one in second.people
    ]


def test_another_seed_gives_other_ids_and_a_later_end_keeps_them() -> None:
    first, other = (make_history(seed=seed, users=40, items=90, events=500, until=UNTIL) for seed in (1, 2))
    later = make_history(seed=1, users=40, items=90, events=500, until=UNTIL + timedelta(days=10))
    ids = [{one.pk for one in history.people} for history in (first, other, later)]
    assert not ids[0] & ids[1]
    assert ids[0] == ids[2]


def test_products_have_readable_names_fitting_prices_and_their_own_numbers(seen: Seen) -> None:
    products = seen.history.items
    assert len({one.sku for one in products}) == len({one.name for one in products}) == len(products) == 900
    assert {one.category for one in products} == set(VOCABULARY.categories)
    for one in products:
        low, high = VOCABULARY.categories[one.category].price_range
        assert low - 1 <= one.price <= high + 1
        assert any(one.name.endswith(kind) for kind in VOCABULARY.categories[one.category].kinds)
    sold_out = np.mean([one.stock == 0 for one in products])
    assert 0.02 < sold_out < 0.09
    assert any(one.image_url is None for one in products)
    assert any(not one.is_active for one in products)


def test_a_taste_can_be_read_off_the_orders(seen: Seen) -> None:
    """Most of what somebody buys stands on the shelves of their persona, or is what belongs to it."""
    lines = [persona.description for persona in VOCABULARY.personas]
    fitting = []
    for customer in seen.history.people:
        persona = VOCABULARY.personas[lines.index(customer.taste.partition(", also")[0])]
        wide = {
            *persona.categories,
            *(other for name in persona.categories for other in VOCABULARY.categories[name].bought_with),
        }
        bought = [one for one in seen.past.get(str(customer.pk), []) if one.event == "purchase"]
        fitting += [seen.products[one.item_id].category in wide for one in bought if "also" not in customer.taste]
    assert np.mean(fitting) > 0.85


def test_those_who_told_their_favourites_told_the_truth_in_the_words_of_the_shelves(seen: Seen) -> None:
    told = [one for one in seen.history.people if one.favourite_categories]
    assert 0.6 < len(told) / len(seen.history.people) < 0.9
    assert all(set(one.favourite_categories) <= set(VOCABULARY.categories) and one.price_range for one in told)
    assert "likes" in told[0].describe()


def test_orders_are_baskets_at_one_moment_and_hold_what_belongs_together(seen: Seen) -> None:
    found = list(baskets(seen.history))
    assert np.mean([len(lines) > 1 for lines in found]) > 0.4
    assert all(len({line.created_at for line in lines}) == 1 for lines in found)
    partners = make_products(np.random.default_rng(7), seed=7, items=900, until=UNTIL).partners
    belongs = []
    for lines in found:
        places = [seen.place[str(line.product_id)] for line in lines]
        belongs += [any(other in partners[one] for one in places for other in places) for _ in [0] if len(places) > 1]
    assert np.mean(belongs) > 0.5


def test_a_purchase_is_worth_its_price_times_its_quantity(seen: Seen) -> None:
    for line in seen.history.tables[OrderLine][:200]:
        assert line.value == pytest.approx(float(line.price * line.quantity))
    values = {event.event_id: event.value for event in seen.history.events if event.event == "purchase"}
    assert len(values) == len(seen.history.tables[OrderLine])
    assert all(value and value > 0 for value in values.values())


def test_events_lie_in_the_window_and_never_before_the_product_was_there(seen: Seen) -> None:
    for event in seen.history.events:
        assert UNTIL - timedelta(days=WINDOW_DAYS) <= event.time <= UNTIL
        product = seen.products[event.item_id]
        assert product.created_at <= event.time
        assert product.is_active


def test_event_ids_are_unique_and_every_kind_of_event_happens(seen: Seen) -> None:
    assert len({event.event_id for event in seen.history.events}) == len(seen.history.events)
    assert {event.event for event in seen.history.events} == set(load("shop").events)


def test_demo_customers_have_none_few_some_and_many_interactions(seen: Seen) -> None:
    counts = [count for one, count in zip(seen.history.people, seen.history.counts(), strict=True) if one.is_demo]
    for least, most in DEMO:
        assert any(least <= count <= most for count in counts)
    assert len(counts) <= 8


def test_about_as_many_events_as_asked(seen: Seen) -> None:
    assert len(seen.history.events) == pytest.approx(10_000, rel=0.25)


def test_a_shown_list_is_in_the_order_of_its_scores_and_its_parts_add_up(seen: Seen) -> None:
    assert {one.surface for one in seen.history.lists} == set(LENGTHS)
    for one in seen.history.lists[:300]:
        blend = Blend.of(one.surface)
        scores = [score for _, score in one.items]
        assert scores == sorted(scores, reverse=True)
        assert len({item_id for item_id, _ in one.items}) == len(one.items) <= LENGTHS[one.surface]
        assert one.method == blend.name
        for (_, score), parts in zip(one.items, one.parts, strict=True):
            assert sum(parts[name] for name in blend.weights) == pytest.approx(score, abs=1e-3)
            assert 0 <= parts["standing"] <= 1


def test_what_answers_a_list_was_on_it_and_came_after(seen: Seen) -> None:
    lists = {one.request_id: one for one in seen.history.lists}
    answering = [event for event in seen.history.events if event.request_id is not None]
    assert {event.event for event in answering} >= {"recommendation_click", "cart_add", "purchase"}
    for event in answering:
        shown = lists[event.request_id]
        assert event.user_id == shown.user_id
        assert event.item_id in {item_id for item_id, _ in shown.items}
        assert event.time > shown.time


def test_the_top_is_clicked_more_and_so_is_what_suits(seen: Seen) -> None:
    clicked = {(event.request_id, event.item_id) for event in seen.history.events if event.event == "recommendation_click"}
    by_place: Counter[int] = Counter()
    for one in seen.history.lists:
        by_place.update(place for place, (item_id, _) in enumerate(one.items) if (one.request_id, item_id) in clicked)
    assert sum(by_place[place] for place in range(3)) > 2 * sum(by_place[place] for place in range(5, 8))
    informed = [parts["collaborative"] for one in seen.history.lists for parts in one.parts if "collaborative" in parts]
    hit = [
        parts["collaborative"]
        for one in seen.history.lists
        for (item_id, _), parts in zip(one.items, one.parts, strict=True)
        if "collaborative" in parts and (one.request_id, item_id) in clicked
    ]
    assert np.mean(hit) > np.mean(informed)


def test_a_customers_pull_follows_persona_budget_and_popularity() -> None:
    products = make_products(np.random.default_rng(5), seed=5, items=300, until=UNTIL)
    cook = interest_of(products, Preferences(VOCABULARY.personas[0], None, 0.5))
    shelf = np.array([one.category for one in products.products])
    assert cook[shelf == "cast iron"].mean() > cook[shelf == "cookbooks"].mean() > cook[shelf == "tents"].mean()


@pytest.mark.django_db
def test_the_command_fills_refuses_to_fill_twice_and_empties_with_reset(capsys: Any) -> None:
    sizes = ("--users", "60", "--items", "120", "--events", "1500", "--until", "2026-11-20")
    call_command("generate_shop_data", *sizes)
    out = capsys.readouterr().out
    assert out.startswith("120 products, 60 customers, ")
    assert out.endswith("next: manage.py generate_all_datasets\n")
    counts = [
        model.objects.count() for model in (Product, Customer, Cart, CartLine, Order, OrderLine, UserInteraction, Impression)
    ]
    assert min(counts) > 0
    with pytest.raises(CommandError, match="products already"):
        call_command("generate_shop_data", *sizes)
    call_command("generate_shop_data", *sizes, "--reset")
    again = [
        model.objects.count() for model in (Product, Customer, Cart, CartLine, Order, OrderLine, UserInteraction, Impression)
    ]
    assert again == counts
    with pytest.raises(CommandError, match="at least"):
        call_command("generate_shop_data", "--items", "5")
