"""Every page of every site counts its own clicks: each is driven in a real browser, and the statistics move."""

from collections.abc import Callable
from contextlib import suppress
from dataclasses import asdict
from datetime import timedelta
from typing import Any

import pytest
from django.conf import settings
from django.db.utils import OperationalError
from django.utils import timezone
from playwright.sync_api import Page

from recommendation_service.use_cases.loader import load
from sites.movies.models import Movie, Viewer
from storefront.presenters import buttons_for
from tandem.event_sync import spool
from tandem.selectors.statistics import Window, by_surface, totals
from tandem.sources import all_sources, source_of
from tests.support import blog, board, campus, store
from tests.support.browsing import CHROMIUM, Open

pytestmark = [
    pytest.mark.browser,
    pytest.mark.django_db(transaction=True),
    pytest.mark.skipif(CHROMIUM is None, reason="needs chromium on the PATH"),
]


def _movies() -> Viewer:
    Movie.objects.bulk_create(Movie(id=f"m{number}", title=f"Film {number}") for number in range(12))
    return Viewer.objects.create(id="v1", label="Ada", is_demo=True)


def _startups() -> Any:
    board.make_startups(12)
    return board.make_developer("Ada")


def _shop() -> Any:
    store.make_products(12)
    return store.make_customer("Ada")


def _courses() -> Any:
    campus.make_courses()
    return campus.make_learner()


def _posts() -> Any:
    blog.make_posts(12, blog.make_member("Writer", is_creator=True))
    return blog.make_member("Ada")


SITES: dict[str, Callable[[], Any]] = {
    "startups": _startups, "shop": _shop, "courses": _courses, "posts": _posts, "movies": _movies,
}  # fmt: skip


@pytest.fixture(autouse=True)
def demo(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(settings, "STOREFRONT_DEMO", True)


def _window() -> Window:
    return Window.last(2, until=timezone.now() + timedelta(minutes=1))


def _figures(page: Page, site: str, *, lists: int, **least: int) -> dict[str, Any]:
    """The statistics once so many lists (and clicks) are recorded: the server writes after its page is sent, or spools."""
    wanted, figures = {"lists": lists, **least}, {}
    for _ in range(100):
        with suppress(OperationalError):  # SQLite: the server is writing
            spool.replay()
            figures = asdict(totals(use_case=site, window=_window()))
            if all(figures[name] >= count for name, count in wanted.items()):
                return figures
        page.wait_for_timeout(50)
    raise AssertionError(f"{site} did not record {wanted}: {figures}")


def _open_first_card(page: Page) -> None:
    page.locator(".cards h3 a").first.click()
    page.wait_for_load_state()


@pytest.mark.parametrize("site", SITES)
def test_every_button_of_the_list_page_is_an_outcome(site: str, opened: Callable[..., Open]) -> None:
    person, outcomes, source = SITES[site](), load(site).outcomes, source_of(site)
    assert source is not None
    page = opened(width=1200).go(f"/{site}/?person={source.user_id(person)}")
    for number, (event, text) in enumerate(buttons_for(source, person), start=1):
        before = _figures(page, site, lists=number)
        page.locator(".cards > li").first.get_by_role("button", name=text).first.click()
        assert event in {*outcomes.clicks, *outcomes.conversions}
        moved = "conversions" if event in outcomes.conversions else "clicks"
        after = _figures(page, site, lists=number + 1, **{moved: before[moved] + 1})
        assert after[moved] == before[moved] + 1, event


@pytest.mark.parametrize("site", ["startups", "shop", "courses", "posts"])
def test_opening_an_item_of_the_list_is_a_click(site: str, opened: Callable[..., Open]) -> None:
    person, source = SITES[site](), source_of(site)
    assert source is not None
    page = opened(width=1200).go(f"/{site}/?person={source.user_id(person)}")
    _figures(page, site, lists=1)
    _open_first_card(page)
    assert _figures(page, site, lists=1, clicks=1)["clicks"] == 1
    page.reload()
    assert _figures(page, site, lists=1)["clicks"] == 1


@pytest.mark.parametrize("site", ["startups", "shop", "courses"])
def test_opening_a_related_item_is_a_click_of_that_list(site: str, opened: Callable[..., Open]) -> None:
    person, source = SITES[site](), source_of(site)
    assert source is not None
    surfaces = [name for name, surface in load(site).surfaces.items() if surface.about == "item"]
    page = opened(width=1200).go(f"/{site}/?person={source.user_id(person)}")
    _figures(page, site, lists=1)
    _open_first_card(page)
    _figures(page, site, lists=1 + len(surfaces))
    _open_first_card(page)
    _figures(page, site, lists=1 + 2 * len(surfaces))
    _figures(page, site, lists=1 + 2 * len(surfaces), clicks=1)
    clicked = {group.name: group.clicks for group in by_surface(use_case=site, window=_window())}
    assert sum(clicked[name] for name in surfaces) == 1


def test_a_like_on_the_posts_own_page_answers_the_list_that_led_there(opened: Callable[..., Open]) -> None:
    person, source = _posts(), source_of("posts")
    assert source is not None
    page = opened(width=1200).go(f"/posts/?person={source.user_id(person)}")
    _figures(page, "posts", lists=1)
    _open_first_card(page)
    page.get_by_role("button", name="Like").first.click()
    page.get_by_text("1 like").wait_for()
    assert _figures(page, "posts", lists=1, conversions=1)["conversions"] == 1


def test_every_site_has_outcomes_of_its_own_events() -> None:
    for source in all_sources():
        if source.catalogue in SITES:
            outcomes = load(source.catalogue).outcomes
            assert outcomes.clicks, source.catalogue
            assert outcomes.conversions, source.catalogue
