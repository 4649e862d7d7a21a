"""What the shop tells Tandem of its products, customers and tables."""

from decimal import Decimal
from typing import Any

import pytest
from django.test import Client

from sites.shop.models import Customer, PriceRange, Product, price_range_of
from sites.shop.recommendation_sources import Shop
from tandem.sources import source_of
from tests.support import store


def product(**more: object) -> Product:
    words = {
        "sku": "T-1",
        "name": "Northfell tent",
        "description": "Stays dry.",
        "category": "tents",
        "price": Decimal("89.95"),
    }
    return Product(**{**words, "stock": 3, **more})


def test_a_products_text_is_name_description_category_and_price_range() -> None:
    record = Shop.record(product())
    assert record.text == "Northfell tent . Stays dry. . tents . 40 to 90"
    assert (record.title, record.category, record.attributes) == ("Northfell tent", "tents", {"price_range": ("40 to 90",)})


@pytest.mark.parametrize(
    ("price", "word"),
    [
        (0, "under 15"),
        (14.99, "under 15"),
        (15, "15 to 40"),
        (39.99, "15 to 40"),
        (40, "40 to 90"),
        (90, "90 to 200"),
        (200, "over 200"),
    ],
)
def test_price_ranges_have_no_gaps(price: float, word: str) -> None:
    assert price_range_of(price) == word
    assert word in PriceRange.values


@pytest.mark.django_db
def test_what_is_sold_out_is_exported_as_not_available_and_what_is_withdrawn_not_at_all() -> None:
    made = store.make_products(3)
    Product.objects.filter(pk=made[0].pk).update(stock=0)
    Product.objects.filter(pk=made[1].pk).update(is_active=False)
    assert {record.item_id: record.available for record in Shop.records()} == {str(made[0].pk): False, str(made[2].pk): True}


def test_a_customer_is_described_in_one_line() -> None:
    ada = Customer(taste="cooks", favourite_categories=["cast iron", "cookbooks"], price_range="40 to 90")
    assert Shop.describe(ada) == "cooks; likes cast iron and cookbooks, mostly 40 to 90"
    assert Shop.describe(Customer(taste="cooks")) == "cooks"
    assert Shop.describe(Customer()) == ""
    assert Shop.profile(ada) == {"favourite_categories": ("cast iron", "cookbooks"), "price_range": ("40 to 90",)}


def test_a_card_tells_the_price_and_whether_it_is_there() -> None:
    assert Shop.card(product())["facts"] == ("€89.95", "in stock")
    assert Shop.card(product(stock=0))["facts"] == ("€89.95", "sold out")


def test_the_declaration_is_found_and_its_surface_is_the_homepage() -> None:
    assert source_of("shop") is Shop
    assert Shop.surface_for(Customer()) == "homepage"


@pytest.mark.django_db
def test_the_shared_page_shows_a_customers_list_and_a_products(client: Client, settings: Any) -> None:
    settings.STOREFRONT_DEMO = True
    products, ada = store.make_products(12), store.make_customer("Ada", taste="cooks", is_demo=True)
    page = client.get(f"/shop/?person={ada.pk}").content.decode()
    assert "cooks" in page
    assert page.count("€") >= 5
    beside = client.get(f"/shop/item/{products[0].pk}/", {"person": str(ada.pk)}).content.decode()
    assert products[0].name in beside
    assert beside.count("€") >= 4
