"""Performance and funnel against a log made by hand; who may see them; and the days that are kept."""

from datetime import date, timedelta
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.core.management import CommandError, call_command
from django.http import QueryDict
from django.test import Client
from rest_framework.exceptions import ValidationError

from sites.shop.models import RecommendationPerformance
from sites.shop.serializers import WindowQuerySerializer
from sites.shop.services.performance import measure_performance
from tests.support import store
from tests.support.store import NOW

window_of = WindowQuerySerializer.window_of
pytestmark = pytest.mark.django_db
PERFORMANCE, FUNNEL = "/api/v1/analytics/recommendations/performance", "/api/v1/analytics/conversion-funnel"
WINDOW = "?from=2026-11-18&to=2026-11-20"


@pytest.fixture
def staff(client: Client) -> Client:
    client.force_login(User.objects.create_user("boss", is_staff=True))
    return client


@pytest.fixture
def log() -> None:
    """On the 20th Ada sees four products at home, clicks two, puts one into the cart and buys it for 40, on the 18th Bob
    sees three on a product page and buys one for 10 without a click; and one purchase answers no list."""
    products = store.make_products(6)
    ada, bob = store.make_customer("Ada"), store.make_customer("Bob")
    home = store.shown_list(ada, products[:4], at=NOW - timedelta(hours=2))
    page = store.shown_list(bob, products[1:4], at=NOW - timedelta(days=2), surface="product")
    old = store.shown_list(bob, products[:2], at=NOW - timedelta(days=40))
    for place in (0, 0, 3):  # the first is clicked twice and counts once
        store.did(ada, products[place], "recommendation_click", at=NOW, request_id=str(home))
    store.did(ada, products[3], "cart_add", at=NOW, request_id=str(home))
    store.did(ada, products[3], "purchase", at=NOW, request_id=str(home), value=40.0)
    store.did(bob, products[1], "purchase", at=NOW, request_id=str(page), value=10.0)
    store.did(bob, products[0], "purchase", at=NOW - timedelta(days=39), request_id=str(old), value=999.0)
    store.did(ada, products[5], "purchase", at=NOW, value=500.0)


@pytest.mark.usefixtures("log")
def test_performance_equals_a_calculation_by_hand(staff: Client) -> None:
    found = staff.get(PERFORMANCE + WINDOW).json()
    total = {"lists": 2, "shown": 7, "clicks": 2, "conversions": 2, "revenue": 50.0}
    assert {name: found["totals"][name] for name in total} == total
    assert found["totals"]["ctr"] == pytest.approx(2 / 7, abs=1e-6)
    assert found["totals"]["conversion_rate"] == pytest.approx(2 / 7, abs=1e-6)
    told = {one["name"]: (one["lists"], one["clicks"], one["conversions"], one["revenue"]) for one in found["by_surface"]}
    assert told == {"homepage": (1, 2, 1, 40.0), "product": (1, 0, 1, 10.0)}
    assert [one["name"] for one in found["by_method"]] == ["hybrid"]
    assert [(one["day"], one["shown"], one["revenue"]) for one in found["daily"]] == [
        ("2026-11-18", 3, 10.0),
        ("2026-11-19", 0, 0.0),
        ("2026-11-20", 4, 40.0),
    ]


@pytest.mark.usefixtures("log")
def test_the_funnel_narrows_from_shown_to_bought(staff: Client) -> None:
    steps = staff.get(FUNNEL + WINDOW).json()["steps"]
    assert [(one["name"], one["count"]) for one in steps] == [("shown", 7), ("clicked", 3), ("cart_add", 2), ("converted", 2)]
    assert [one["of_before"] for one in steps] == pytest.approx([1.0, 3 / 7, 2 / 3, 1.0])


@pytest.mark.parametrize("path", [PERFORMANCE, FUNNEL])
def test_only_staff_may_look(path: str, client: Client) -> None:
    assert client.get(path).status_code == 401
    client.force_login(User.objects.create_user("ada"))
    assert client.get(path).status_code == 403


@pytest.mark.parametrize(
    ("query", "pointer"),
    [
        ("days=0", "/days"),
        ("days=401", "/days"),
        ("days=٣", "/days"),
        ("days=1&days=2", "/days"),
        ("days=3&from=2026-11-01", "/days"),
        ("to=2026-11-01", "/to"),
        ("from=yesterday", "/from"),
        ("from=2026-11-01&to=2026-13-01", "/to"),
        ("from=2026-11-05&to=2026-11-01", "/from"),
        ("from=2020-01-01", "/from"),
        ("sector=health", "/sector"),
    ],
)
def test_a_wrong_window_is_refused_by_name(query: str, pointer: str) -> None:
    with pytest.raises(ValidationError) as caught:
        window_of(QueryDict(query), now=NOW)
    assert list(caught.value.detail) == [pointer.removeprefix("/")]


def test_a_window_is_whole_days_and_thirty_by_default() -> None:
    assert window_of(QueryDict(""), now=NOW).days()[0] == date(2026, 10, 22)
    assert window_of(QueryDict("days=1"), now=NOW).days() == [date(2026, 11, 20)]
    assert window_of(QueryDict("from=2026-11-01&to=2026-11-02"), now=NOW).days() == [
        date(2026, 11, 1),
        date(2026, 11, 2),
    ]
    assert window_of(QueryDict("from=2026-11-20"), now=NOW).until == NOW


@pytest.mark.usefixtures("log")
def test_the_kept_days_equal_the_log_and_are_measured_again_without_growing() -> None:
    assert measure_performance(days=7, now=NOW) == 2
    fields = ("day", "surface", "impressions", "shown", "clicks", "conversions", "revenue")
    told = [
        (date(2026, 11, 20), "homepage", 1, 4, 2, 1, 40.0),
        (date(2026, 11, 18), "product", 1, 3, 0, 1, 10.0),
    ]
    assert list(RecommendationPerformance.objects.values_list(*fields)) == told
    row = RecommendationPerformance.objects.get(surface="homepage")
    assert (row.ctr, row.conversion_rate) == pytest.approx((0.5, 0.25))
    assert measure_performance(days=7, now=NOW) == 2
    assert list(RecommendationPerformance.objects.values_list(*fields)) == told


@pytest.mark.usefixtures("log")
def test_a_late_purchase_changes_the_day_of_its_list() -> None:
    measure_performance(days=60, now=NOW)
    row = RecommendationPerformance.objects.get(day=date(2026, 10, 11))
    assert (row.conversions, row.revenue) == (1, 999.0)


def test_the_command_says_how_much_it_kept(capsys: Any) -> None:
    call_command("measure_performance", "--days", "3")
    assert capsys.readouterr().out == "0 rows of the last 3 days\n"
    for days in ("0", "500"):
        with pytest.raises(CommandError, match=r"at least 1|400 days"):
            call_command("measure_performance", "--days", days)
