"""A shop as it lives: seeded, exported, trained, served by the real Flask app, and asked through Django's own paths."""

import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from django.conf import settings
from django.contrib.auth.models import User
from django.core.management import call_command
from django.db import transaction
from django.test import Client
from werkzeug.serving import make_server

from recommendation_service import train_all
from recommendation_service.app import create_app
from recommendation_service.publishing.store import ArtifactStore
from recommendation_service.tests.support import service
from sites.shop.models import Customer, OrderLine, Product, ProductEmbedding
from sites.shop.recommendation_sources import Shop
from sites.shop.services.product_sync import ProductSyncService
from sites.shop.services.recommendation_engine_v2 import HybridRecommendationEngine
from sites.shop.services.similar_products import forget_vectors
from tandem.exports.datasets import export_catalogue
from tandem.models import UserInteraction
from tandem.service_client.client import RecommendationClient

pytestmark = pytest.mark.django_db
V1 = "/api/v1/recommendations"
SIZES = ("--users", "150", "--items", "240", "--events", "6000", "--until", "2026-11-20", "--reset")


@pytest.fixture(scope="module")
def trained(tmp_path_factory: pytest.TempPathFactory, django_db_setup: None, django_db_blocker: Any) -> Path:
    """Models of every kind of the use case, of a shop whose rows are taken back: the seed makes the same ones again."""
    root = tmp_path_factory.mktemp("shop")
    with django_db_blocker.unblock(), transaction.atomic():
        call_command("generate_shop_data", *SIZES)
        export_catalogue(source=Shop, data_dir=root / "data", fresh=("catalogue", "als", "two_tower"), say=lambda *_: None)
        transaction.set_rollback(True)
    folders = ["--data-dir", str(root / "data"), "--models-dir", str(root / "models")]
    assert train_all.main(["--use-case", "shop", "--force", *folders]) == 0
    return root


@pytest.fixture
def alive(trained: Path, service_at: Callable[[str], RecommendationClient], monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """The shop of the models, behind the real app."""
    call_command("generate_shop_data", *SIZES)
    forget_vectors()
    monkeypatch.setattr("recommendation_service.core.threads.check", lambda: None)  # the test process loaded numpy long before
    keys = settings.TANDEM["SIGNING_KEYS"]
    app = create_app(service.settings_under(trained, RS_SIGNING_KEYS=keys, RS_USE_CASES="shop"))
    server = make_server("127.0.0.1", 0, app, threaded=True)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    service_at(f"http://127.0.0.1:{server.port}")._deadline_s = 5.0  # a loaded machine must not look like a late service
    yield
    server.shutdown()
    thread.join(5)
    server.server_close()


@pytest.fixture
def staff(client: Client) -> Client:
    client.force_login(User.objects.create_user("boss", is_staff=True))
    return client


def busiest() -> Customer:
    """The customer who bought most."""
    return max(Customer.objects.all(), key=lambda one: OrderLine.objects.filter(customer=one).count())


def bestseller() -> Product:
    """The product that was ordered most often."""
    return max(Product.objects.filter(is_active=True), key=lambda one: OrderLine.objects.filter(product=one).count())


def products(answer: dict[str, Any]) -> list[Product]:
    known = {str(one.pk): one for one in Product.objects.all()}
    return [known[item["product_id"]] for item in answer["recommendations"]]


def weighed(root: Path) -> set[str]:
    """The members that weigh something in the hybrid as it was learned."""
    learned = ArtifactStore(root / "models" / "shop").load("ensemble")
    assert learned is not None
    members = zip(learned.arrays["members"].tolist(), learned.arrays["weights"].tolist(), strict=True)
    return {name.decode() for name, weight in members if weight > 0}


@pytest.mark.usefixtures("alive")
def test_the_homepage_goes_through_all_four_stages(staff: Client, trained: Path) -> None:
    customer = busiest()
    answer = staff.get(f"{V1}/homepage?user_id={customer.pk}&explain=true").json()
    assert (answer["method_used"], answer["degraded"]) == ("hybrid", False)
    for item in answer["recommendations"]:
        assert weighed(trained) <= set(item["parts"])
        assert item["reasons"]
    shown = products(answer)
    assert len(shown) == 12
    assert all(one.stock > 0 and one.is_active for one in shown)
    assert max([one.category for one in shown].count(one.category) for one in shown) <= 3
    seen = set(UserInteraction.objects.filter(user__user_id=str(customer.pk)).values_list("item__item_id", flat=True))
    assert not {str(one.pk) for one in shown} & seen


@pytest.mark.usefixtures("alive")
def test_a_taste_can_be_read_off_the_list(staff: Client) -> None:
    customer = busiest()
    bought = OrderLine.objects.filter(customer=customer).values_list("product__category", flat=True)
    shown = products(staff.get(f"{V1}/homepage?user_id={customer.pk}").json())
    assert len({one.category for one in shown[:6]} & set(bought)) >= 2


@pytest.mark.usefixtures("alive")
def test_what_is_bought_with_a_product_is_found_from_the_orders(staff: Client) -> None:
    product = bestseller()
    answer = staff.get(f"{V1}/frequently-bought-together/{product.pk}").json()
    assert (answer["method_used"], answer["degraded"]) == ("bought_together", False)
    orders = OrderLine.objects.filter(product=product).values("order")
    beside = set(OrderLine.objects.filter(order__in=orders).exclude(product=product).values_list("product", flat=True))
    assert products(answer)[0].pk in beside
    alike = staff.get(f"{V1}/product/{product.pk}").json()
    assert alike["method_used"] == "goes_with"
    assert product.category in {one.category for one in products(alike)}
    cart = staff.get(f"{V1}/cart?product_ids={product.pk}").json()
    assert cart["method_used"] == "goes_with"
    assert product not in products(cart)


@pytest.mark.usefixtures("alive")
def test_the_engine_class_answers_as_the_endpoints_do(staff: Client) -> None:
    customer, product, engine = busiest(), bestseller(), HybridRecommendationEngine()
    endpoint = staff.get(f"{V1}/homepage?user_id={customer.pk}").json()
    answer = engine.homepage(str(customer.pk))
    assert answer["method_used"] == endpoint["method_used"] == "hybrid"
    assert [item["item_id"] for item in answer["recommendations"]] == [one["product_id"] for one in endpoint["recommendations"]]
    assert engine.product(str(product.pk))["method_used"] == "goes_with"
    assert engine.frequently_bought_together(str(product.pk))["method_used"] == "bought_together"
    assert engine.cart([str(product.pk)], str(customer.pk))["surface"] == "cart"
    assert engine.cart([], str(customer.pk))["surface"] == "homepage"


@pytest.mark.usefixtures("alive")
def test_a_newcomer_gets_what_most_people_choose(staff: Client) -> None:
    newcomer = Customer.objects.create(name="Newcomer")
    answer = staff.get(f"{V1}/homepage?user_id={newcomer.pk}").json()
    assert (answer["method_used"], answer["degraded"]) == ("popular", False)
    assert len(answer["recommendations"]) == 12


@pytest.mark.usefixtures("alive")
def test_a_newcomer_who_said_what_they_like_gets_that(staff: Client) -> None:
    category = Product.objects.values_list("category", flat=True).first()
    newcomer = Customer.objects.create(name="Newcomer", favourite_categories=[category])
    answer = staff.get(f"{V1}/homepage?user_id={newcomer.pk}").json()
    assert (answer["method_used"], answer["degraded"]) == ("by_words", False)
    assert answer["recommendations"][0]["category"] == category


@pytest.mark.usefixtures("alive")
def test_with_the_service_killed_the_stored_vectors_answer(
    staff: Client, trained: Path, service_at: Callable[[str], RecommendationClient]
) -> None:
    ProductSyncService().sync_products()
    ProductSyncService().sync_embeddings(trained / "models")
    assert ProductEmbedding.objects.filter(dimension__gt=0).count() == ProductEmbedding.objects.count() > 0
    service_at("http://127.0.0.1:9")
    product = bestseller()
    paths = [f"homepage?user_id={busiest().pk}", f"product/{product.pk}", f"frequently-bought-together/{product.pk}"]
    for path in [*paths, f"cart?product_ids={product.pk}"]:
        answer = staff.get(f"{V1}/{path}").json()
        assert answer["degraded"]
        assert answer["degradation"][0]["engine"] == "service"
        assert answer["recommendations"]
        assert all(one.stock > 0 for one in products(answer))
    alike = products(staff.get(f"{V1}/product/{product.pk}?limit=5").json())
    assert [one.category for one in alike].count(product.category) >= 3
