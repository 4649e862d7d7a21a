"""The marketplace in a real browser: a job is posted, scored with reasons, bid for with advice, given away, and counted."""

import os
from collections.abc import Callable, Iterator
from datetime import timedelta
from pathlib import Path

import pytest
from django.conf import settings
from django.utils import timezone
from playwright.sync_api import Page, expect

from sites.cleaning.models import (
    BidSuggestion,
    Cleaner,
    CleanerRecommendation,
    CleaningJob,
    Client,
    JobBid,
    JobRecommendation,
    Payment,
)
from tandem.models import UserInteraction
from tandem.selectors.statistics import Window, totals
from tests.sites.cleaning import agreed, marketplace
from tests.support.browsing import CHROMIUM, Open

pytestmark = [
    pytest.mark.browser,
    pytest.mark.django_db(transaction=True),
    pytest.mark.skipif(CHROMIUM is None, reason="needs chromium on the PATH"),
]

UNLABELLED = "[...document.querySelectorAll('input:not([type=hidden]), select, textarea')].filter(one => !one.labels.length)"
TWICE = """(() => {
    const ids = [...document.querySelectorAll('[id]')].map(one => one.id)
    return ids.length - new Set(ids).size
})()"""


@pytest.fixture
def demo(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.setattr(settings, "STOREFRONT_DEMO", True)
    return


@pytest.fixture
def nikos(demo: None) -> Client:
    found = marketplace.make_client("Nikos", is_demo=True)
    marketplace.make_place(found)
    return found


@pytest.fixture
def maria(demo: None) -> Cleaner:
    return marketplace.make_cleaner("Maria", is_demo=True)


def picture(page: Page, name: str) -> None:
    folder = os.environ.get("PICTURES")
    if folder:
        page.screenshot(path=Path(folder) / f"cleaning-{name}.png", full_page=True)


@pytest.mark.parametrize(("width", "javascript", "scheme"), [(1200, True, "light"), (390, False, "dark")])
def test_from_a_job_posted_to_outcomes_recorded(
    width: int, javascript: bool, scheme: str, nikos: Client, maria: Cleaner, opened: Callable[..., Open]
) -> None:
    page = opened(width=width, javascript=javascript, scheme=scheme).go("/")
    page.get_by_role("link", name="Cleaning").click()
    page.get_by_role("link", name="Nikos").click()
    page.get_by_label("Hours").fill("4")
    page.get_by_label("Budget").fill("80")
    page.get_by_label("Wanted for").fill((timezone.now() + timedelta(days=2)).strftime("%Y-%m-%dT%H:%M"))
    page.get_by_role("button", name="Post the job").click()
    expect(page.get_by_role("status")).to_contain_text("The job is posted")
    job = CleaningJob.objects.get()

    card = page.locator(".cards .card").first
    expect(card).to_contain_text("Nearby location")
    expect(card).to_contain_text("Fits the budget")
    card.get_by_text("How the score is made").click()
    expect(card.locator(".parts")).to_contain_text("Location")
    expect(page.get_by_role("note")).to_contain_text("The network did not score this list")
    picture(page, f"job-{width}")
    card.get_by_role("link", name="Maria").click()
    page.get_by_role("button", name="Ask for a bid").click()
    expect(page.get_by_role("status")).to_contain_text("Maria knows")

    page.goto(page.url.split("/cleaning/")[0] + f"/cleaning/cleaners/{maria.pk}/")
    offer = page.locator(".cards .card").first
    expect(offer).to_contain_text("Near you")
    picture(page, f"cleaner-{width}")
    offer.get_by_role("link", name="View ").click()
    suggested = BidSuggestion.objects.get()
    expect(page.locator(".tiles .best")).to_contain_text(f"€{suggested.optimal}")
    expect(page.get_by_label("Your bid for the whole job")).to_have_value(str(suggested.optimal))
    page.get_by_role("button", name="Bid", exact=True).click()
    expect(page.get_by_role("status")).to_contain_text(f"your bid of €{suggested.optimal}")

    page.goto(page.url.split("/cleaning/")[0] + f"/cleaning/jobs/{job.pk}/")
    page.get_by_role("button", name="Hire Maria").first.click()
    expect(page.get_by_role("status")).to_contain_text("You hired Maria")
    check_outcomes(job, suggested)


def check_outcomes(job: CleaningJob, suggested: BidSuggestion) -> None:
    """All that the buttons left behind."""
    job.refresh_from_db()
    suggested.refresh_from_db()
    bid = JobBid.objects.get()
    assert (job.status, job.accepted_bid) == ("accepted", bid)
    assert Payment.objects.get().status == "requires_capture"
    assert (suggested.actual_bid, suggested.was_used, suggested.did_win) == (suggested.optimal, True, True)
    seen = CleanerRecommendation.objects.exclude(hired_at=None).get()
    assert (seen.viewed, seen.contacted, seen.hired) == (True, True, True)
    offered = JobRecommendation.objects.get(bid=bid)
    assert (offered.viewed, offered.bid_placed, offered.bid_accepted) == (True, True, True)
    assert bid.request_id == offered.request_id
    figures = totals(use_case="cleaning", window=Window.last(1, until=timezone.now() + timedelta(minutes=1)))
    assert (figures.clicks, figures.conversions, figures.revenue) == (2, 2, 0)
    did = {(row.kind.name, row.request_id) for row in UserInteraction.objects.select_related("kind")}
    cleaners = {(event, seen.request_id) for event in ("view", "contact", "hire")}
    assert did == cleaners | {(event, offered.request_id) for event in ("view", "bid", "win")}


def test_no_page_is_wider_than_a_phone_and_every_field_has_a_label(
    nikos: Client, maria: Cleaner, opened: Callable[..., Open]
) -> None:
    job = agreed.job_at("bidding", nikos, maria)
    done = agreed.job_at("completed", nikos, maria)
    one = opened(width=360, scheme="dark")
    for path in (
        "", "analytics/", f"clients/{nikos.pk}/", f"jobs/{job.pk}/", f"jobs/{done.pk}/", f"jobs/{job.pk}/cleaners/{maria.pk}/",
        f"cleaners/{maria.pk}/", f"cleaners/{maria.pk}/jobs/{job.pk}/",
    ):  # fmt: skip
        page = one.go(f"/cleaning/{path}")
        assert page.evaluate("document.documentElement.scrollWidth <= window.innerWidth"), path
        assert page.evaluate(f"{UNLABELLED}.length") == 0, path
        assert page.evaluate(TWICE) == 0, path


def test_the_job_page_can_be_used_with_the_keyboard_alone(nikos: Client, maria: Cleaner, opened: Callable[..., Open]) -> None:
    job = agreed.job_at("bidding", nikos, maria)
    page = opened(width=1200).go(f"/cleaning/jobs/{job.pk}/")
    for _ in range(30):
        page.keyboard.press("Tab")
        if "Hire Maria" in (page.evaluate("document.activeElement.getAttribute('aria-label')") or ""):
            break
    page.keyboard.press("Enter")
    expect(page.get_by_role("status")).to_contain_text("You hired Maria")
