"""The page in a real browser: clicks change the list, titles stay text, and a phone shows it whole."""

import uuid
from collections.abc import Callable
from datetime import date
from typing import Any

import pytest
from django.conf import settings
from playwright.sync_api import Page, expect

from sites.startups.models import Developer, Startup
from tandem.service_client.client import RecommendationClient, ServiceAnswer
from tests.support.browsing import CHROMIUM, Open

EVIL = "<img src=x onerror=alert(1)>"
pytestmark = [
    pytest.mark.browser,
    pytest.mark.django_db(transaction=True),
    pytest.mark.skipif(CHROMIUM is None, reason="needs chromium on the PATH"),
]
PITCHES = {
    "Coinloop": ("fintech", "settles invoices within a day", ["python", "postgresql"]),
    "Tallybase": ("fintech", "turns spare change into savings", ["python", "kotlin"]),
    "Vaultwise": ("fintech", "spots payment fraud", ["python", "statistics"]),
    "Pulsemate": ("health", "reminds of medicine", ["kotlin", "swift"]),
    "Ledgerpath": ("fintech", "scores small loans fairly", ["java", "python"]),
    "Routespark": ("logistics", "fills empty trucks", ["go", "java"]),
}


@pytest.fixture
def board(monkeypatch: pytest.MonkeyPatch) -> Developer:
    monkeypatch.setattr(settings, "STOREFRONT_DEMO", True)
    for place, (name, (sector, does, skills)) in enumerate(PITCHES.items(), start=1):
        _startup(place, name, sector, f"{name} {does}.", skills)
    return Developer.objects.create(
        id=uuid.UUID(int=900), name="Ada Novak", sectors=["fintech"], skills=["python"], is_demo=True
    )


def _startup(place: int, name: str, sector: str, pitch: str, skills: list[str]) -> Startup:
    return Startup.objects.create(
        id=uuid.UUID(int=place), name=name, sector=sector, pitch=pitch, stage="seed", skills=skills, ticket="10k-50k",
        founded_at=date(2025, 1, 1),
    )  # fmt: skip


def _titles(page: Page) -> list[str]:
    return page.locator(".cards h3").all_inner_texts()


@pytest.mark.parametrize("width", [390, 1200])
def test_nothing_scrolls_sideways(board: Developer, opened: Callable[..., Open], width: int) -> None:
    one = opened(width=width)
    for path in ("/", "/startups/", f"/startups/?person={board.pk}"):
        page = one.go(path)
        assert page.evaluate("document.documentElement.scrollWidth") <= width


def test_a_like_takes_the_item_off_the_list_without_a_reload(board: Developer, opened: Callable[..., Open]) -> None:
    one = opened(width=1200)
    page = one.go("/startups/")
    page.get_by_role("link", name="Ada Novak").click()
    before = _titles(page)
    page.evaluate("document.body.dataset.same = 'yes'")
    page.get_by_role("button", name=f"Like {before[0]}").click()
    expect(page.get_by_role("status")).to_contain_text(f"You liked {before[0]}; it left the list. 1 interaction now")
    assert before[0] not in _titles(page)
    assert page.evaluate("document.body.dataset.same") == "yes"
    assert page.evaluate("document.activeElement.id") == "list-title"
    page.get_by_role("button", name=f"View {before[1]}").click()
    expect(page.get_by_role("status")).to_contain_text("2 interactions now")


def test_the_same_works_without_javascript(board: Developer, opened: Callable[..., Open]) -> None:
    one = opened(width=390, javascript=False)
    page = one.go(f"/startups/?person={board.pk}")
    first = page.locator(".cards h3").first.inner_text()
    page.get_by_role("button", name=f"Apply {first}").click()
    expect(page.get_by_role("status")).to_contain_text(f"You applied to {first}; it left the list")
    assert page.get_by_role("heading", name=first).count() == 0


def test_the_keyboard_alone_is_enough(board: Developer, opened: Callable[..., Open]) -> None:
    one = opened(width=1200)
    page = one.go(f"/startups/?person={board.pk}")
    page.keyboard.press("Tab")
    assert page.evaluate("document.activeElement.textContent") == "Skip to the content"
    for _ in range(30):
        page.keyboard.press("Tab")
        if page.evaluate("document.activeElement.value") == "like":
            break
    page.keyboard.press("Enter")
    expect(page.get_by_role("status")).to_contain_text("You liked")


def test_markup_in_a_title_stays_text(board: Developer, opened: Callable[..., Open]) -> None:
    _startup(99, EVIL, "fintech", f"{EVIL} pitch", [EVIL])
    board.name = EVIL
    board.save()
    one = opened(width=1200)
    page = one.go(f"/startups/?person={board.pk}")
    assert EVIL in _titles(page)
    page.get_by_role("button", name=f"Like {EVIL}").click()
    expect(page.get_by_role("status")).to_contain_text(EVIL)
    assert page.locator("img").count() == 0


def test_a_search_finds_people_by_name(board: Developer, opened: Callable[..., Open]) -> None:
    Developer.objects.create(name="Zoe Zhang", sectors=["music"])
    page = opened(width=1200).go("/startups/")
    page.get_by_label("Name or id").fill("zhang")
    page.get_by_role("button", name="Search").click()
    expect(page.get_by_role("link", name="Zoe Zhang")).to_be_visible()
    assert page.get_by_role("link", name="Ada Novak").count() == 0


def test_dark_is_dark(board: Developer, opened: Callable[..., Open]) -> None:
    grounds = []
    for scheme in ("light", "dark"):
        page = opened(width=390, scheme=scheme).go("/")
        colour = page.evaluate("getComputedStyle(document.body).backgroundColor")
        grounds.append(sum(int(part) for part in colour.removeprefix("rgb(").removesuffix(")").split(",")))
    assert grounds[0] > 600
    assert grounds[1] < 150


def test_a_person_with_an_answer_from_the_service_sees_reasons_and_parts(
    board: Developer,
    opened: Callable[..., Open],
    service_at: Callable[[str], RecommendationClient],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    client = service_at("http://127.0.0.1:9")
    monkeypatch.setattr(client, "recommend", lambda ask, **where: ServiceAnswer(_answer(ask.model_dump(mode="json")), state=""))
    page = opened(width=1200).go(f"/startups/?person={board.pk}")
    card = page.locator(".cards .card").first
    expect(card).to_contain_text("Matches your skill python")
    card.get_by_text("Why it is in this position").click()
    expect(card.locator("dl")).to_contain_text("0.500")


def _answer(ask: dict[str, Any]) -> dict[str, Any]:
    skip = set(ask["exclude"]) | {event["item_id"] for event in ask["history"] or ()}
    ids = [str(uuid.UUID(int=place)) for place in range(1, len(PITCHES) + 1)]
    items = [
        {"item_id": item_id, "title": "", "score": 1.0 - place / 10, "position": place + 1,
         "reasons": ["Matches your skill python"], "parts": {"als": 0.5, "two_tower": 0.4}}
        for place, item_id in enumerate(item_id for item_id in ids if item_id not in skip)
    ]  # fmt: skip
    return {
        "request_id": ask["request_id"], "use_case": "startups", "surface": "for-developer", "user_id": ask["user_id"],
        "method_used": "content_based", "degraded": False, "degradation": [], "model_version": "content_v1",
        "generated_at": "2026-01-01T00:00:00+00:00", "interaction_count": len(ask["history"] or ()),
        "probabilities": {}, "stages": [], "recommendations": items,
    }  # fmt: skip
