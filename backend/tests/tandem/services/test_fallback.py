"""The fallback follows the surface's own rules."""

import json
from collections import Counter
from collections.abc import Callable
from typing import Any

import pytest

from sites.shop.models import Customer, Product
from tandem.service_client.client import RecommendationClient
from tandem.services.recommend import recommend
from tests.support import store
from tests.support.faults import FaultServer, answer_for, http

Point = Callable[[str], RecommendationClient]
pytestmark = pytest.mark.django_db(transaction=True)


def homepage(customer: Customer, *, limit: int = 9) -> list[dict[str, Any]]:
    answer = recommend(use_case="shop", surface="homepage", user_id=str(customer.pk), limit=limit)
    items: list[dict[str, Any]] = answer["recommendations"]
    return items


def categories(items: list[dict[str, Any]]) -> Counter[str]:
    found = Product.objects.in_bulk([item["item_id"] for item in items])
    return Counter(product.category for product in found.values())


def test_the_category_cap_holds_while_the_service_is_away() -> None:
    products = store.make_products(24)
    Product.objects.filter(pk__in=[product.pk for product in products[3:18]]).update(category="seeds")
    fans = [store.make_customer(f"Fan{number}") for number in range(3)]
    for fan in fans:
        for product in products[3:18]:
            store.did(fan, product, "purchase")
    items = homepage(store.make_customer("Ada"))
    assert categories(items) == {"tents": 3, "cast iron": 3, "seeds": 3}


def test_the_cap_counts_the_service_s_items_before_those_that_fill_the_list(service_at: Point) -> None:
    products = store.make_products(12)
    tents = [str(product.pk) for product in products if product.category == "tents"]
    gone = [str(products[place].pk) for place in (1, 2, 4)]
    Product.objects.filter(pk__in=gone).update(is_active=False)

    def behave(server: FaultServer, accepted: Any, request: dict[str, Any]) -> bool:
        answer = answer_for(request, [*tents[:2], *gone], use_case="shop", surface="homepage")
        accepted.sendall(http(json.dumps(answer).encode()))
        return True

    with FaultServer(behave) as server:
        service_at(server.url)
        items = homepage(store.make_customer("Ada"), limit=8)
    assert [item["item_id"] for item in items[:2]] == tents[:2]
    assert len(items) == 8
    assert categories(items)["tents"] == 3


def test_the_cap_is_relaxed_where_a_filter_leaves_one_category_and_the_answer_says_so() -> None:
    store.make_products(24)
    ada = store.make_customer("Ada")
    whole = recommend(use_case="shop", surface="homepage", user_id=str(ada.pk), limit=8)
    answer = recommend(use_case="shop", surface="homepage", user_id=str(ada.pk), limit=8, filters={"category": ["seeds"]})
    assert (len(whole["recommendations"]), whole["relaxed"]) == (8, [])
    assert len(answer["recommendations"]) == 8
    assert [rule["rule"] for rule in answer["relaxed"]] == ["max_per_category"]
    assert "at most 3 of one category" in answer["relaxed"][0]["detail"]


def test_a_second_list_of_a_page_leaves_out_what_the_first_one_shows() -> None:
    products = store.make_products(24)
    first = recommend(use_case="shop", surface="product", item_ids=[str(products[0].pk)], limit=6)
    ids = [item["item_id"] for item in first["recommendations"]]
    again = recommend(use_case="shop", surface="product", item_ids=[str(products[0].pk)], limit=6, exclude=ids)
    assert len(ids) == len(again["recommendations"]) == 6
    assert not set(ids) & {item["item_id"] for item in again["recommendations"]}
