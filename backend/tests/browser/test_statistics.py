"""The statistics page in a real browser: the chart is drawn, the arms are told, and a phone shows it whole."""

import os
from collections.abc import Callable
from datetime import UTC, datetime
from io import StringIO
from pathlib import Path

import pytest
from django.contrib.auth.models import User
from django.core.management import call_command
from django.test import Client
from playwright.sync_api import expect

from tandem.service_client.client import RecommendationClient
from tests.support.browsing import CHROMIUM, Open

pytestmark = [
    pytest.mark.browser,
    pytest.mark.django_db(transaction=True),
    pytest.mark.skipif(CHROMIUM is None, reason="needs chromium on the PATH"),
]
ARMS = [
    {"surface": "home", "arm": "content", "plays": 675, "mean_reward": 0.3012, "probability": 0.025},
    {"surface": "home", "arm": "hybrid", "plays": 1248, "mean_reward": 0.4711, "probability": 0.925},
]


@pytest.fixture
def campus(monkeypatch: pytest.MonkeyPatch) -> None:
    call_command("generate_courses_data", items=100, users=120, stdout=StringIO(), until=datetime.now(UTC))
    rows = [{"catalogue": "courses", "kind": "bandit", "arms": ARMS}]
    monkeypatch.setattr(RecommendationClient, "models", lambda _self: rows)


def _logged_in(one: Open) -> Open:
    client = Client()
    client.force_login(User.objects.create_superuser("root"))
    one.context.add_cookies([{"name": "sessionid", "value": client.cookies["sessionid"].value, "url": one.base}])
    return one


@pytest.mark.usefixtures("campus")
@pytest.mark.parametrize(("width", "scheme"), [(1200, "light"), (390, "dark")])
def test_staff_see_days_strategies_and_arms(opened: Callable[..., Open], width: int, scheme: str) -> None:
    page = _logged_in(opened(width=width, scheme=scheme)).go("/courses/statistics/?days=90")
    assert page.locator("svg rect.clicks").count() == 90
    tallest = max(float(bar.get_attribute("height") or 0) for bar in page.locator("svg rect.clicks").all())
    assert 70 <= tallest <= 150
    expect(page.get_by_role("row", name="hybrid").first).to_be_visible()
    arms = page.get_by_role("table").filter(has_text="Probability of being chosen").locator("tbody th")
    assert arms.all_inner_texts() == ["hybrid", "content"]
    assert page.evaluate("document.documentElement.scrollWidth <= window.innerWidth")
    folder = os.environ.get("PICTURES")
    if folder:
        page.screenshot(path=Path(folder) / f"statistics-{scheme}.png", full_page=True)


@pytest.mark.usefixtures("campus")
def test_another_span_is_one_click_away(opened: Callable[..., Open]) -> None:
    page = _logged_in(opened(width=1200)).go("/courses/statistics/")
    assert page.locator("svg rect.clicks").count() == 30
    page.get_by_role("link", name="7", exact=True).click()
    expect(page.locator("svg rect.clicks")).to_have_count(7)
    page.get_by_text("The numbers").click()
    expect(page.locator("figure tbody tr").first).to_be_visible()
