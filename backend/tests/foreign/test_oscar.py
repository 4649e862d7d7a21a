"""django-oscar as its users install it: recommendations in its own pages, with nothing written by hand but templates."""

import signal
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.foreign.pages import CLICKS, lists, write_templates
from tests.support.foreign import ForeignSite, foreign_site

pytestmark = [pytest.mark.timeout(300), pytest.mark.foreign]

PROJECT = Path(__file__).parent / "oscar"
COUNT = "from tandem.models import UserInteraction as U; print(U.objects.filter({}).count())"


@pytest.fixture(scope="module")
def shop(tmp_path_factory: pytest.TempPathFactory, wheel: Path) -> Iterator[ForeignSite]:
    folder = tmp_path_factory.mktemp("oscar")
    with foreign_site(folder, PROJECT, wheel, beside=["django-oscar[sorl-thumbnail]"]) as site:
        assert write_templates("site-shop.md", site.folder) == 2
        site.manage("migrate", "-v0")
        site.python((PROJECT / "fill.py").read_text())
        yield site


@pytest.fixture(scope="module")
def trained(shop: ForeignSite) -> ForeignSite:
    shop.written = shop.manage("startrecommendations")  # type: ignore[attr-defined]  # for the test of what it says
    shop.retrained = shop.manage("tandem_retrain")  # type: ignore[attr-defined]  # as above
    shop.start_service()
    shop.start_django("/en-gb/catalogue/")
    shop.log_in("c1@example.org")
    return shop


def test_startrecommendations_finds_the_five_event_tables(trained: ForeignSite) -> None:
    said = trained.written  # type: ignore[attr-defined]  # set by the fixture
    assert "items: catalogue.Product, preset shop" in said
    for line in (
        "view         analytics.UserProductView: item product, user user",
        "cart         basket.Line: item product, user basket__owner",
        "purchase     order.Line: item product, user order__user",
        "save         wishlists.Line: item product, user wishlist__owner",
        "rate         reviews.ProductReview: item product, user user",
    ):
        assert line in said
    assert "no issues" in trained.manage("check")
    assert "No changes" in trained.manage("makemigrations", "--check", "--dry-run", "tandem")


def test_every_row_is_mirrored_or_counted_with_its_reason(trained: ForeignSite) -> None:
    said = trained.retrained  # type: ignore[attr-defined]  # set by the fixture
    for line in ("products.view: 720 added", "products.purchase: 288 added", "products.cart: 240 added", "32 with no user"):
        assert line in said
    assert "products: published als_v1" in said


def test_a_customer_sees_three_lists_of_real_products(trained: ForeignSite) -> None:
    home = lists(trained.get("/en-gb/catalogue/"))
    assert len(home["For you"]) == 6
    path = trained.python(
        "from oscar.apps.catalogue.models import Product\n"
        "print(Product.objects.filter(structure='standalone', is_public=True).first().get_absolute_url())"
    )
    shown = lists(trained.get(path.strip()))
    assert len(shown["Similar"]) == 4
    assert len(shown["Often bought together"]) == 4


def test_a_variant_and_an_unpublished_product_break_no_page(trained: ForeignSite) -> None:
    paths = trained.python(
        "from oscar.apps.catalogue.models import Product as P\n"
        "print(P.objects.filter(structure='child').first().get_absolute_url())\n"
        "print(P.objects.filter(is_public=False).first().get_absolute_url())"
    ).split()
    for path in paths:
        assert trained.status(path) in (200, 404)  # 404 is Oscar's own answer to an unpublished product
    assert "Traceback" not in trained.log("django")


def test_a_click_is_joined_with_its_list(trained: ForeignSite) -> None:
    before = int(trained.python(COUNT.format("request_id__isnull=False")))
    link = CLICKS.findall(trained.get("/en-gb/catalogue/"))[0]
    assert "<h1>" in trained.get(link)
    joined = trained.python(
        "from tandem.models import Impression, UserInteraction as U\n"
        "i = U.objects.filter(request_id__isnull=False).latest('pk')\n"
        "print(i.kind.name, Impression.objects.filter(pk=i.request_id, user=i.user).exists())"
    )
    assert joined.split() == ["view", "True"]
    assert int(trained.python(COUNT.format("request_id__isnull=False"))) == before + 1


def test_a_new_order_counts_at_once_and_a_deleted_wish_is_forgotten(trained: ForeignSite) -> None:
    before = int(trained.python(COUNT.format("kind__name='save'")))
    trained.python("from oscar.apps.wishlists.models import Line; Line.objects.first().delete()")
    assert int(trained.python(COUNT.format("kind__name='save'"))) == before - 1
    carts = int(trained.python(COUNT.format("kind__name='cart'")))
    trained.python(
        "from oscar.apps.basket.models import Line\n"
        "line = Line.objects.first(); line.pk = None; line.line_reference = 'again'; line.save()"
    )
    assert int(trained.python(COUNT.format("kind__name='cart'"))) == carts + 1


def test_the_shop_works_on_when_the_service_is_killed(trained: ForeignSite) -> None:
    trained.stop("service", signal.SIGKILL)
    trained.log_in("c2@example.org")
    assert len(lists(trained.get("/en-gb/catalogue/"))["For you"]) == 6
    trained.start_service()
