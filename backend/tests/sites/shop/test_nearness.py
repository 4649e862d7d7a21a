"""What is near to products, or to a taste, from the stored vectors alone; and what a dead service leaves of a list."""

import numpy as np
import pytest

from sites.shop.models import Product, ProductEmbedding
from sites.shop.services import similar_products
from sites.shop.services.similar_products import nearest_products
from sites.shop.services.user_preference import UserPreferenceService
from tandem.services.recommend import recommend
from tandem.vectors import nearest
from tests.support import store

pytestmark = pytest.mark.django_db
LINE = [[1, 0], [0.9, 0.1], [0.5, 0.5], [0, 1]]


@pytest.fixture
def products() -> list[Product]:
    made = store.make_products(4)
    store.embedded(made, LINE)
    return made


def test_products_come_in_order_of_their_cosine(products: list[Product]) -> None:
    found = nearest_products(user_id=None, item_ids=[str(products[0].pk)], limit=3)
    assert [item_id for item_id, _ in found] == [str(one.pk) for one in products[:3]]
    assert [score for _, score in found] == pytest.approx([1.0, 0.9 / np.hypot(0.9, 0.1), 0.5**0.5], abs=1e-6)


def test_several_products_are_taken_together(products: list[Product]) -> None:
    both = [str(products[0].pk), str(products[3].pk)]
    assert nearest_products(user_id=None, item_ids=both, limit=1)[0][0] == str(products[2].pk)


def test_a_customer_gets_what_is_near_to_their_taste(products: list[Product]) -> None:
    ada = store.make_customer("Ada")
    store.did(ada, products[3], "purchase")
    UserPreferenceService().update_user_preference(str(ada.pk))
    assert nearest_products(user_id=str(ada.pk), item_ids=(), limit=2)[0][0] == str(products[3].pk)


def test_without_anything_known_there_is_nothing_near(products: list[Product]) -> None:
    ada = store.make_customer("Ada")
    assert nearest_products(user_id=str(ada.pk), item_ids=(), limit=3) == []
    assert nearest_products(user_id=None, item_ids=(), limit=3) == []
    assert nearest_products(user_id=None, item_ids=["no-uuid", "00000000-0000-4000-8000-000000000009"], limit=3) == []


def test_sold_out_products_and_other_models_are_passed_over(products: list[Product]) -> None:
    words = {"name": "X", "description": "", "category": "tents", "price": 1}
    more = Product.objects.bulk_create([Product(sku=f"X{stock}", stock=stock, **words) for stock in (0, 1)])
    store.embedded([more[0]], [[1, 0]])
    store.embedded([more[1]], [[1, 0]], made_by="embedding_v2")
    found = nearest_products(user_id=None, item_ids=[str(products[0].pk)], limit=9)
    assert {item_id for item_id, _ in found} == {str(one.pk) for one in products}


def test_with_the_service_dead_lists_still_suit(products: list[Product]) -> None:
    ada = store.make_customer("Ada")
    store.did(ada, products[3], "purchase")
    similar = recommend(use_case="shop", surface="product", item_ids=[str(products[0].pk)], limit=2)
    assert [item["item_id"] for item in similar["recommendations"]] == [str(one.pk) for one in products[1:3]]
    assert similar["degraded"]
    home = recommend(use_case="shop", surface="homepage", user_id=str(ada.pk), limit=2)
    assert home["recommendations"][0]["item_id"] == str(products[2].pk), (
        "the nearest to what was bought, which is not shown again"
    )


def test_vectors_are_read_once_a_minute_and_again_for_another_model(
    products: list[Product], monkeypatch: pytest.MonkeyPatch
) -> None:
    first = similar_products._read("embedding_v1")
    assert similar_products._read("embedding_v1") is first
    ProductEmbedding.objects.update(made_by="embedding_v2")
    assert similar_products._read("embedding_v2").keys == first.keys
    assert similar_products._read("embedding_v1").keys == []
    again = similar_products._read("embedding_v2")
    monkeypatch.setattr(similar_products, "CACHE_S", 0.0)
    assert similar_products._read("embedding_v2") is not again


def test_nearness_is_the_same_search_as_the_databases(products: list[Product]) -> None:
    rows = ProductEmbedding.objects.filter(made_by="embedding_v1")
    by_database = [
        (str(near.key), near.score) for near in nearest(rows, ProductEmbedding.objects.get(pk=products[1].pk).array(), limit=4)
    ]
    found = nearest_products(user_id=None, item_ids=[str(products[1].pk)], limit=4)
    assert [key for key, _ in found] == [key for key, _ in by_database]
    assert [score for _, score in found] == pytest.approx([score for _, score in by_database], abs=1e-6)
    assert nearest_products(user_id=None, item_ids=[str(products[1].pk)], limit=0) == []


def test_where_everything_is_sold_out_nothing_is_near(products: list[Product]) -> None:
    ProductEmbedding.objects.update(is_available=False)
    assert nearest_products(user_id=None, item_ids=[str(products[1].pk)], limit=4) == []
