"""The dashboard in a real browser: figures change in place, insights become talks, and a colour is really seen."""

import os
import uuid
from collections.abc import Callable
from pathlib import Path

import pytest
from django.conf import settings
from playwright.sync_api import Page, expect

from sites.posts.models import Discussion, Member
from tests.support import blog
from tests.support.browsing import CHROMIUM, Open

EVIL = "<img src=x onerror=alert(1)>"
pytestmark = [
    pytest.mark.browser,
    pytest.mark.django_db(transaction=True),
    pytest.mark.skipif(CHROMIUM is None, reason="needs chromium on the PATH"),
]


@pytest.fixture
def cara(monkeypatch: pytest.MonkeyPatch) -> Member:
    """A creator with six posts: eight views in the last week, two a month ago, and one list that was shown."""
    monkeypatch.setattr(settings, "STOREFRONT_DEMO", True)
    cara = blog.make_member("Cara Holm", id=uuid.UUID(int=901), is_creator=True, is_demo=True, interests=["python"])
    posts = blog.make_posts(6, cara)
    rob = blog.make_member("Rob Kato")
    request = blog.was_shown(rob, posts[:4])
    blog.did(rob, posts[0], "view", request_id=request)
    blog.did(rob, posts[0], "like", request_id=request)
    for place in range(7):
        blog.did(f"reader-{place}", posts[place % 2], "view", days_ago=2)
    for place in range(2):
        blog.did(f"reader-{place}", posts[2], "view", days_ago=20)
    return cara


def dashboard(one: Open, member: Member) -> Page:
    return one.go(f"/posts/dashboard/?person={member.pk}")


@pytest.mark.parametrize("width", [390, 1200])
def test_nothing_scrolls_sideways(width: int, cara: Member, opened: Callable[..., Open]) -> None:
    one = opened(width=width)
    page = dashboard(one, cara)
    assert page.evaluate("document.documentElement.scrollWidth") <= width
    folder = os.environ.get("PICTURES")  # to look at them: PICTURES=<folder>
    if folder:
        page.screenshot(path=Path(folder) / f"dashboard-{width}.png", full_page=True)
    page.get_by_role("link", name="Post 000").click()
    page.wait_for_load_state("load")  # its stylesheets too
    assert page.evaluate("document.documentElement.scrollWidth") <= width
    if folder:
        page.screenshot(path=Path(folder) / f"post-{width}.png", full_page=True)


def test_other_weeks_are_fetched_and_put_in_place_without_a_reload(cara: Member, opened: Callable[..., Open]) -> None:
    page = dashboard(opened(width=1200), cara)
    expect(page.locator("[data-total=views]")).to_have_text("10")
    page.evaluate("document.body.dataset.same = 'yes'")
    page.get_by_label("Weeks").fill("1")
    page.get_by_role("button", name="Show", exact=True).click()
    expect(page.locator("[data-total=views]")).to_have_text("8")
    expect(page.locator("[data-insight=views] p")).to_contain_text("Your posts were viewed 8 times in the last week")
    expect(page.locator("[data-period]")).to_contain_text("compared with the 1 week before.")
    assert page.evaluate("document.body.dataset.same") == "yes"
    assert page.locator("input[type=hidden][name=weeks]").input_value() == "1"


def test_the_same_works_without_javascript(cara: Member, opened: Callable[..., Open]) -> None:
    page = dashboard(opened(width=390, javascript=False), cara)
    page.get_by_label("Weeks").fill("1")
    page.get_by_role("button", name="Show", exact=True).click()
    expect(page.locator("[data-total=views]")).to_have_text("8")
    page.get_by_role("button", name="Discuss: Views").click()
    expect(page.get_by_role("heading", name="Your posts were viewed 8 times in the last week")).to_be_visible()


def test_a_fetched_insight_opens_as_a_talk_and_keeps_what_is_written(cara: Member, opened: Callable[..., Open]) -> None:
    page = dashboard(opened(width=1200), cara)
    page.get_by_label("Weeks").fill("2")
    page.get_by_role("button", name="Show", exact=True).click()
    expect(page.locator("[data-period]")).to_contain_text("2 weeks before")
    page.get_by_role("button", name="Discuss: Views").click()
    expect(page.get_by_role("heading", name="Your posts were viewed 8 times in the last 2 weeks")).to_be_visible()
    page.get_by_label("Your remark").fill(f"Because of the spring meeting? {EVIL}")
    page.get_by_role("button", name="Add").click()
    expect(page.locator(".notes")).to_contain_text(f"Because of the spring meeting? {EVIL}")
    expect(page.locator(".notes")).to_contain_text("Cara Holm")
    assert page.locator("img").count() == 0
    assert Discussion.objects.get().numbers["views"] == 8


def test_a_colour_and_a_size_are_really_seen(cara: Member, opened: Callable[..., Open]) -> None:
    page = dashboard(opened(width=1200), cara)
    card, button = page.locator(".card.mine").first, page.locator(".insights button").first
    expect(card).to_have_css("border-top-color", "rgb(31, 156, 238)")
    expect(page.locator("html")).to_have_css("font-size", "14px")
    page.get_by_label("Colour").fill("#aa3300")
    page.get_by_label("Font size in pixels").fill("20")
    page.get_by_role("button", name="Save theme").click()
    expect(page.get_by_role("status").first).to_contain_text("Your theme is saved.")
    expect(card).to_have_css("border-top-color", "rgb(170, 51, 0)")
    expect(button).to_have_css("color", "rgb(255, 255, 255)")
    expect(page.locator("html")).to_have_css("font-size", "20px")


def test_interests_are_typed_and_kept(cara: Member, opened: Callable[..., Open]) -> None:
    page = dashboard(opened(width=390), cara)
    page.get_by_label("What you like to read").fill("Maps, travel")
    page.get_by_role("button", name="Save interests").click()
    expect(page.get_by_label("What you like to read")).to_have_value("maps, travel")


def test_a_post_is_liked_and_commented(cara: Member, opened: Callable[..., Open]) -> None:
    page = opened(width=1200).go(f"/posts/read/{cara.posts.first().pk}/?person={cara.pk}")  # type: ignore[union-attr]  # she has six
    page.get_by_role("button", name="Like").click()
    expect(page.get_by_role("button", name="Like")).to_have_attribute("aria-pressed", "true")
    page.get_by_label("Your comment").fill("Thank you for reading.")
    page.get_by_role("button", name="Comment", exact=True).click()
    expect(page.locator("#comments")).to_contain_text("Thank you for reading.")
