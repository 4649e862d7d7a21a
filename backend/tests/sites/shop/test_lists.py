"""The four lists: their keys, whose they are, what they never show, and how wrong questions are refused."""

import uuid
from collections.abc import Callable
from datetime import datetime
from typing import Any

import numpy as np
import orjson
import pytest
from django.contrib.auth.models import User
from django.test import Client

from sites.shop.models import Customer, Product
from sites.shop.services import carts
from tandem.models import Impression
from tandem.service_client.client import RecommendationClient
from tests.support import board, store
from tests.support.faults import FaultServer, answer_for, http

pytestmark = pytest.mark.django_db
V1 = "/api/v1/recommendations"
TOP = {
    "recommendations", "request_id", "context", "user_id", "generated_at", "method_used", "degraded", "degradation", "relaxed",
}  # fmt: skip
ITEM = {"product_id", "external_product_id", "name", "category", "price", "image_url", "score", "position", "reasons"}


@pytest.fixture
def products() -> list[Product]:
    made = store.make_products(16)
    store.embedded(made, np.eye(16)[:, ::-1] + 0.2)
    return made


@pytest.fixture
def ada(products: list[Product]) -> Customer:
    return store.make_customer("Ada", User.objects.create_user("ada"))


@pytest.fixture
def signed_in(client: Client, ada: Customer) -> Client:
    assert ada.account is not None
    client.force_login(ada.account)
    return client


def ids(answer: Any) -> list[str]:
    return [item["product_id"] for item in answer["recommendations"]]


def paths(product: Product) -> dict[str, str]:
    return {
        f"{V1}/homepage": "homepage",
        f"{V1}/product/{product.pk}": "product_page",
        f"{V1}/cart?product_ids={product.pk}": "cart",
        f"{V1}/frequently-bought-together/{product.pk}": "product_page",
    }


def test_every_list_has_the_stated_keys_and_no_others(signed_in: Client, ada: Customer, products: list[Product]) -> None:
    by_id = {str(one.pk): one for one in products}
    for path, context in paths(products[0]).items():
        answer = signed_in.get(path).json()
        assert set(answer) == TOP
        assert (answer["context"], answer["user_id"]) == (context, str(ada.pk))
        assert uuid.UUID(answer["request_id"])
        assert datetime.fromisoformat(answer["generated_at"]).tzinfo is not None
        assert [item["position"] for item in answer["recommendations"]] == list(range(1, len(answer["recommendations"]) + 1))
        for item in answer["recommendations"]:
            product = by_id[item["product_id"]]
            assert set(item) == ITEM
            told = (item["external_product_id"], item["name"], item["category"], item["price"], item["image_url"])
            assert told == (product.sku, product.name, product.category, float(product.price), product.image_url)


@pytest.mark.parametrize(("path", "default"), [("homepage", 12), ("product", 8), ("frequently-bought-together", 4)])
def test_the_forms_that_a_shop_page_uses(
    signed_in: Client, ada: Customer, products: list[Product], path: str, default: int
) -> None:
    for product in products[::2]:  # every list may show at most 3 of a category
        Product.objects.filter(pk=product.pk).update(category=f"lamps of {product.sku}")
    place = f"{V1}/{path}" if path == "homepage" else f"{V1}/{path}/{products[0].pk}"
    assert len(ids(signed_in.get(place).json())) == default
    assert len(ids(signed_in.get(f"{place}?limit=3&user_id={ada.pk}").json())) == 3


def test_what_is_sold_out_withdrawn_or_the_product_itself_is_never_shown(signed_in: Client, products: list[Product]) -> None:
    Product.objects.filter(pk=products[1].pk).update(stock=0)
    Product.objects.filter(pk=products[2].pk).update(is_active=False)
    out = {str(products[place].pk) for place in (0, 1, 2)}
    for path in paths(products[0]):
        found = ids(signed_in.get(f"{path}{'&' if '?' in path else '?'}limit=100").json())
        assert found
        assert not set(found) & (out if "homepage" not in path else out - {str(products[0].pk)})


def test_the_cart_is_the_stored_one_unless_products_are_named(
    signed_in: Client, ada: Customer, products: list[Product]
) -> None:
    carts.put_in(customer=ada, product_id=products[3].pk)
    carts.put_in(customer=ada, product_id=products[4].pk)
    held = {str(products[3].pk), str(products[4].pk)}
    stored = signed_in.get(f"{V1}/cart?limit=100").json()
    assert stored["context"] == "cart"
    assert not set(ids(stored)) & held
    named = signed_in.get(f"{V1}/cart?product_ids={products[5].pk},{products[6].pk}&limit=100").json()
    assert held & set(ids(named))
    shown = Impression.objects.get(request_id=stored["request_id"])
    assert (shown.use_case, shown.surface) == ("shop", "cart")


def test_an_empty_cart_gets_what_suits_its_customer(signed_in: Client, products: list[Product]) -> None:
    answer = signed_in.get(f"{V1}/cart").json()
    assert answer["context"] == "cart"
    assert ids(answer)


def test_a_list_can_be_narrowed_by_category_and_price_range(signed_in: Client, products: list[Product]) -> None:
    answer = signed_in.get(f"{V1}/homepage?category=tents&price_range=40+to+90").json()
    assert {(item["category"], item["price"]) for item in answer["recommendations"]} == {("tents", 40.0), ("tents", 70.0)}


@pytest.mark.parametrize(
    ("path", "pointer"),
    [
        ("homepage?limit=0", "/limit"),
        ("homepage?limit=101", "/limit"),
        ("homepage?limit=ten", "/limit"),
        ("homepage?limit=1&limit=2", "/limit"),
        ("homepage?colour=red", "/colour"),
        ("homepage?explain=perhaps", "/explain"),
        ("homepage?product_ids=1", "/product_ids"),
        ("cart?product_ids=", "/product_ids"),
        ("cart?product_ids=a,,b", "/product_ids"),
        ("cart?product_ids=" + ",".join(["x"] * 51), "/product_ids"),
        ("product/%01", "/product_id"),
    ],
)
def test_a_wrong_question_is_refused_by_name(signed_in: Client, path: str, pointer: str) -> None:
    response = signed_in.get(f"{V1}/{path}")
    assert response.status_code == 422
    assert response["Content-Type"] == "application/problem+json"
    assert [error["pointer"] for error in response.json()["errors"]] == [pointer]


def test_an_unknown_product_is_not_found_and_a_withdrawn_one_is_gone(
    signed_in: Client, ada: Customer, products: list[Product]
) -> None:
    store.did(ada, products[7], "view")
    Product.objects.filter(pk=products[7].pk).delete()
    for path in ("product", "frequently-bought-together"):
        assert signed_in.get(f"{V1}/{path}/{uuid.uuid4()}").status_code == 404
        assert signed_in.get(f"{V1}/{path}/nothing").status_code == 404
        assert signed_in.get(f"{V1}/{path}/{products[7].pk}").status_code == 410


def test_two_people_never_share(
    ada: Customer, products: list[Product], service_at: Callable[[str], RecommendationClient]
) -> None:
    bob = store.make_customer("Bob", User.objects.create_user("bob"))
    store.did(ada, products[0], "purchase")
    store.did(bob, products[15], "purchase")
    seen = {}
    for person in (ada, bob):
        own = Client()
        assert person.account is not None
        own.force_login(person.account)
        answers = [own.get(f"{V1}/homepage?limit=15").json() for _ in range(2)]
        assert {answer["user_id"] for answer in answers} == {str(person.pk)}
        assert own.get(f"{V1}/homepage")["Cache-Control"] == "private, no-store"
        seen[person.name] = ids(answers[1])
        other = bob if person is ada else ada
        for path in paths(products[0]):
            assert own.get(f"{path}{'&' if '?' in path else '?'}user_id={other.pk}").status_code == 404
    assert str(products[0].pk) in seen["Bob"]
    assert str(products[0].pk) not in seen["Ada"]
    assert seen["Ada"] != seen["Bob"]


def test_staff_and_services_may_ask_for_anybody(client: Client, ada: Customer, products: list[Product]) -> None:
    path = f"{V1}/homepage?user_id={ada.pk}"
    assert client.get(path).status_code == 401
    assert client.get(path, headers=board.service_header()).json()["user_id"] == str(ada.pk)
    assert client.get(f"{V1}/product/{products[0].pk}", headers=board.service_header()).json()["user_id"] is None
    client.force_login(User.objects.create_user("boss", is_staff=True))
    assert client.get(path).json()["user_id"] == str(ada.pk)


def test_the_services_own_answer_comes_through_with_the_shops_words(
    signed_in: Client, ada: Customer, products: list[Product], service_at: Callable[[str], RecommendationClient]
) -> None:
    wanted = [str(one.pk) for one in products[4:10]]

    def served(server: FaultServer, connection: Any, request: dict[str, Any]) -> bool:
        body = answer_for(request, wanted, use_case="shop", surface="homepage", method_used="hybrid", model_version="hybrid_v1")
        connection.sendall(http(orjson.dumps(body)))
        return True

    with FaultServer(served) as server:
        service_at(server.url)
        answer = signed_in.get(f"{V1}/homepage?limit=5").json()
    assert (answer["method_used"], answer["degraded"]) == ("hybrid", False)
    assert ids(answer) == wanted[:5]
    assert answer["recommendations"][0]["name"] == "Product 004"


def test_events_of_the_list_are_taken_in_capitals_too(signed_in: Client, ada: Customer, products: list[Product]) -> None:
    names = ("VIEW", "CART_ADD", "PURCHASE", "WISHLIST_ADD", "RECOMMENDATION_CLICK", "CART_REMOVE", "view")
    rows = [{"item_id": str(products[0].pk), "event": name, "use_case": "shop"} for name in names]
    response = signed_in.post("/api/v1/interactions", rows, content_type="application/json")
    assert (response.status_code, response.json()["accepted"]) == (201, 7)
    assert {event for event, _, _ in store.happened(ada)} == {name.lower() for name in names}
    wrong = signed_in.post("/api/v1/interactions", {**rows[0], "event": "STEAL"}, content_type="application/json")
    assert wrong.status_code == 422
