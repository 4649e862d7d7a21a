"""The marketplace's own pages: who may open which, what they say, and what their buttons do. None needs JavaScript."""

import re
from collections.abc import Callable, Iterator
from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest
from django.conf import settings
from django.test import Client as Browser
from django.utils import timezone

from sites.cleaning.models import (
    BidSuggestion,
    CleanerRecommendation,
    CleaningJob,
    JobBid,
    JobRecommendation,
    RecommendationFeedback,
    Review,
)
from sites.cleaning.services import jobs
from sites.cleaning.urls import urlpatterns
from tandem.service_client.client import RecommendationClient
from tests.sites.cleaning import agreed, marketplace
from tests.support import board

pytestmark = pytest.mark.django_db
MARKS = {"overall": 9, "quality": 9, "communication": 8, "professionalism": 9, "timeliness": 10}
EVIL = "<img src=x onerror=alert(1)>"


class Town:
    """Nikos has a job with Maria's bid; Olga and Petros are others."""

    def __init__(self) -> None:
        names = ("nikos", "olga", "maria", "petros", "staff", "nobody")
        self.accounts = {name: agreed.account(name, is_staff=name == "staff") for name in names}
        self.nikos = marketplace.make_client("Nikos", account=self.accounts["nikos"])
        self.olga = marketplace.make_client("Olga", account=self.accounts["olga"])
        self.maria = marketplace.make_cleaner("Maria", account=self.accounts["maria"])
        self.petros = marketplace.make_cleaner("Petros", account=self.accounts["petros"])
        self.job = agreed.job_at("bidding", self.nikos, self.maria)
        self.bid = agreed.only_bid(self.job)

    def session(self, name: str) -> Browser:
        browser = Browser()
        if name != "anonymous":
            browser.force_login(self.accounts[name])
        return browser

    @property
    def job_page(self) -> str:
        return f"/cleaning/jobs/{self.job.pk}/"

    def did(self, name: str, action: str, job: CleaningJob | None = None, **more: Any) -> str:
        """What the page says after a button of the client's."""
        address = f"/cleaning/jobs/{(job or self.job).pk}/action/"
        return said(self.session(name).post(address, {"action": action, **more}, follow=True))

    def cleaner_did(self, name: str, action: str, job: CleaningJob, **more: Any) -> str:
        """What the page says after a button of a cleaner's."""
        cleaner = self.maria if name == "maria" else self.petros
        address = f"/cleaning/cleaners/{cleaner.pk}/jobs/{job.pk}/action/"
        return said(self.session(name).post(address, {"action": action, **more}, follow=True))


@pytest.fixture
def town(service_at: Callable[[str], RecommendationClient]) -> Town:
    service_at("http://127.0.0.1:9")
    return Town()


@pytest.fixture
def demo(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.setattr(settings, "STOREFRONT_DEMO", True)
    return


def text(response: Any) -> str:
    return " ".join(re.sub(r"<[^>]+>", " ", response.content.decode()).split())


def said(response: Any) -> str:
    assert response.redirect_chain[0][1] == 303
    found = re.search(r'<p id="message"[^>]*>(.*?)</p>', response.content.decode(), re.DOTALL)
    assert found is not None
    return found[1].strip()


# --- who may open which

VISITORS = ("anonymous", "nikos", "olga", "maria", "petros", "nobody", "staff", "service")
PAGES: dict[str, tuple[str, tuple[int, ...]]] = {
    "home": ("/cleaning/", (200,) * 8),
    "analytics": ("/cleaning/analytics/", (404, 404, 404, 404, 404, 404, 200, 404)),
    "client-page": ("/cleaning/clients/{nikos}/", (404, 200, 404, 404, 404, 404, 200, 404)),
    "job-page": ("/cleaning/jobs/{job}/", (404, 200, 404, 404, 404, 404, 200, 404)),
    "profile-page": ("/cleaning/jobs/{job}/cleaners/{maria}/", (404, 200, 404, 404, 404, 404, 200, 404)),
    "cleaner-page": ("/cleaning/cleaners/{maria}/", (404, 404, 404, 200, 404, 404, 200, 404)),
    "offer-page": ("/cleaning/cleaners/{maria}/jobs/{job}/", (404, 404, 404, 200, 404, 404, 200, 404)),
    "post-job": ("/cleaning/clients/{nikos}/post/", (404, 422, 404, 404, 404, 404, 422, 404)),
    "client-action": ("/cleaning/jobs/{job}/action/", (404, 303, 404, 404, 404, 404, 303, 404)),
    "cleaner-action": ("/cleaning/cleaners/{maria}/jobs/{job}/action/", (404, 404, 404, 303, 404, 404, 303, 404)),
}
POSTED = {"post-job": {}, "client-action": {"action": "cancel"}, "cleaner-action": {"action": "withdraw"}}


def test_every_page_has_a_row() -> None:
    assert {pattern.name for pattern in urlpatterns if str(pattern.pattern).startswith("cleaning/")} == set(PAGES)


@pytest.mark.parametrize("visitor", VISITORS)
@pytest.mark.parametrize("name", PAGES)
def test_every_visitor_gets_what_the_row_says(name: str, visitor: str, town: Town) -> None:
    address, expected = PAGES[name]
    headers = board.service_header() if visitor == "service" else None  # pages know sessions only
    browser = Browser() if headers else town.session(visitor)
    where = address.format(nikos=town.nikos.pk, job=town.job.pk, maria=town.maria.pk)
    if name in POSTED:
        response = browser.post(where, POSTED[name], headers=headers)
        assert browser.get(where).status_code == 405
    else:
        response = browser.get(where, headers=headers)
        assert browser.post(where).status_code == 405
    assert response.status_code == expected[VISITORS.index(visitor)], text(response)
    if response.status_code == 200:
        assert "default-src 'none'" in response["Content-Security-Policy"]
        assert response["Cache-Control"] == "private, no-store"


@pytest.mark.parametrize("word", ["0", "-1", "9" * 30, "x", "%00", "1.0", "\uff11"])
def test_nonsense_in_an_address_is_not_found(word: str, town: Town) -> None:
    staff = town.session("staff")
    for path in (
        "clients/{}/",
        "jobs/{}/",
        "cleaners/{}/",
        f"jobs/{town.job.pk}/cleaners/{{}}/",
        f"cleaners/{town.maria.pk}/jobs/{{}}/",
    ):
        assert staff.get("/cleaning/" + path.format(word)).status_code == 404, path
    assert staff.get(f"{town.job_page}cleaners/{town.maria.pk}/", {"shown": word}).status_code == 404


def test_a_button_needs_the_token_of_its_form(town: Town) -> None:
    browser = Browser(enforce_csrf_checks=True)
    browser.force_login(town.accounts["nikos"])
    assert browser.post(f"{town.job_page}action/", {"action": "cancel"}).status_code == 403
    assert CleaningJob.objects.get().status == "bidding"


# --- what they say


def test_the_home_page_leads_everybody_to_their_own(town: Town) -> None:
    assert f'href="/cleaning/clients/{town.nikos.pk}/"' in town.session("nikos").get("/cleaning/").content.decode()
    assert "Maria" not in text(town.session("nikos").get("/cleaning/"))
    assert f'href="/cleaning/cleaners/{town.maria.pk}/"' in town.session("maria").get("/cleaning/").content.decode()
    assert "Sign in" in text(Browser().get("/cleaning/"))
    assert "not linked to anyone" in text(town.session("nobody").get("/cleaning/"))


def test_a_demo_lets_everybody_choose_and_search(town: Town, demo: None) -> None:
    page = text(Browser().get("/cleaning/"))
    assert all(name in page for name in ("Nikos", "Olga", "Maria", "Petros"))
    found = text(Browser().get("/cleaning/", {"q": "mar"}))
    assert "Maria" in found
    assert "Petros" not in found
    for nasty in ("\x00", "9" * 40, EVIL, "%", "\u202e", "x" * 500):
        assert Browser().get("/cleaning/", {"q": nasty}).status_code == 200
    assert Browser().get(f"/cleaning/jobs/{town.job.pk}/").status_code == 200


def test_a_clients_job_shows_cleaners_reasons_parts_and_bids(town: Town) -> None:
    page = town.session("nikos").get(town.job_page)
    words, html = text(page), page.content.decode()
    assert "Nearby location" in words
    assert "rules alone" in words
    assert "The requested mode is rules (60%) and the network (40%) together" in words
    assert "The network did not score this list: the service" in words
    assert [word in words for word in ("Quality", "Location", "Specialization", "Price", "Availability")] == [True] * 5
    assert "Hire for €60.00" in words
    assert "Ask Petros for a bid" in html
    assert html.count("<meter") >= 4
    assert CleanerRecommendation.objects.count() == 2


def test_a_list_can_be_narrowed_down_and_a_wrong_word_is_told(town: Town) -> None:
    nikos = town.session("nikos")
    assert "No cleaner fits" in text(nikos.get(town.job_page, {"eco": "true"}))
    assert "rules alone" in text(nikos.get(town.job_page, {"mode": "rule_based"}))
    assert "The requested mode" not in text(nikos.get(town.job_page, {"mode": "rule_based"}))
    for wrong in ({"mode": "magic"}, {"max_distance": "x"}, {"max_price": "-1"}):
        page = nikos.get(town.job_page, wrong)
        assert page.status_code == 200
        assert "The list is not filtered" in text(page)


def test_a_cleaner_sees_jobs_that_suit_them_and_what_to_bid(town: Town) -> None:
    page = text(town.session("petros").get(f"/cleaning/cleaners/{town.petros.pk}/"))
    assert "Apartment in Kypseli" in page
    assert "1 bid, the lowest €60" in page
    assert "Nikos" not in page
    offered = JobRecommendation.objects.get()
    offer = town.session("petros").get(f"/cleaning/cleaners/{town.petros.pk}/jobs/{town.job.pk}/?shown={offered.pk}")
    told = text(offer)
    suggestion = BidSuggestion.objects.get()
    assert f"€{suggestion.optimal}" in told
    assert "Computed by rules" in told
    assert "Only the hired cleaner sees the exact address" in told
    assert "Nikos" not in told
    assert "37.99" not in told
    offered.refresh_from_db()
    assert offered.viewed
    assert f'name="request_id" value="{offered.request_id}"' in offer.content.decode()


def test_looking_at_a_cleaner_from_the_list_counts_once_as_a_view(town: Town) -> None:
    nikos = town.session("nikos")
    nikos.get(town.job_page)
    seen = CleanerRecommendation.objects.get(cleaner=town.petros)
    for _ in range(2):
        assert nikos.get(f"{town.job_page}cleaners/{town.petros.pk}/?shown={seen.pk}").status_code == 200
    assert [row[1] for row in agreed.happened("cleaners")] == ["view"]
    other = CleanerRecommendation.objects.get(cleaner=town.maria)
    assert nikos.get(f"{town.job_page}cleaners/{town.petros.pk}/?shown={other.pk}").status_code == 404


def test_markup_stays_text_everywhere(town: Town, demo: None) -> None:
    town.nikos.name = town.maria.name = EVIL
    town.maria.about = EVIL
    town.nikos.save()
    town.maria.save()
    CleaningJob.objects.update(description=EVIL)
    JobBid.objects.update(message=EVIL)
    type(town.job.place).objects.update(district=EVIL)
    for path in (
        "", f"clients/{town.nikos.pk}/", f"jobs/{town.job.pk}/", f"jobs/{town.job.pk}/cleaners/{town.maria.pk}/",
        f"cleaners/{town.maria.pk}/", f"cleaners/{town.maria.pk}/jobs/{town.job.pk}/", f"cleaners/{town.petros.pk}/",
    ):  # fmt: skip
        html = Browser().get(f"/cleaning/{path}").content.decode()
        assert "<img" not in html, path
        assert "onerror" in html or path == f"cleaners/{town.petros.pk}/", path


# --- what their buttons do


def test_a_job_is_posted_and_answered_by_a_list(town: Town) -> None:
    told = {
        "place": "", "kind": "house", "district": "Kifisia", "size_m2": "140", "latitude": "38.07", "longitude": "23.81",
        "hours": "4.5", "budget": "90", "wanted_for": (timezone.now() + timedelta(days=3)).strftime("%Y-%m-%dT%H:%M"),
        "eco_friendly": "on", "description": "Windows too.",
    }  # fmt: skip
    response = town.session("olga").post(f"/cleaning/clients/{town.olga.pk}/post/", told, follow=True)
    assert said(response) == "The job is posted. These cleaners suit it."
    job = CleaningJob.objects.get(client=town.olga)
    assert (job.eco_friendly, job.hours, job.place.district) == (True, Decimal("4.5"), "Kifisia")
    again = {**told, "place": str(job.place_id)}
    town.session("olga").post(f"/cleaning/clients/{town.olga.pk}/post/", again)
    assert CleaningJob.objects.filter(client=town.olga, place=job.place).count() == 2


@pytest.mark.parametrize(
    ("changed", "reason"),
    [
        ({"budget": "free"}, "budget: enter a number"),
        ({"wanted_for": "2000-01-01T10:00"}, "wanted_for must be in the future"),
        ({"hours": "1000"}, "hours"),
        ({"district": ""}, "district: this field is required"),
    ],
)
def test_a_form_that_is_refused_comes_back_as_it_was_typed(changed: dict[str, str], reason: str, town: Town) -> None:
    told = {
        "place": "", "kind": "house", "district": "Kifisia", "size_m2": "140", "latitude": "38.07", "longitude": "23.81",
        "hours": "4.5", "budget": "90", "wanted_for": (timezone.now() + timedelta(days=3)).strftime("%Y-%m-%dT%H:%M"),
        "description": "Windows too.", **changed,
    }  # fmt: skip
    response = town.session("olga").post(f"/cleaning/clients/{town.olga.pk}/post/", told)
    assert response.status_code == 422
    assert reason in text(response)
    assert "Windows too." in text(response)
    assert 'value="140"' in response.content.decode()
    assert not CleaningJob.objects.filter(client=town.olga).exists()


def test_the_whole_life_by_buttons(town: Town) -> None:
    town.session("nikos").get(town.job_page)
    seen = CleanerRecommendation.objects.get(cleaner=town.petros)
    assert town.did("nikos", "contact", shown=seen.pk) == "Petros knows that you would like a bid."
    assert town.cleaner_did("petros", "bid", town.job, amount="55.50", message="Soon") == "The client has your bid of €55.50."
    assert "have bid for this job already" in town.cleaner_did("petros", "bid", town.job, amount="50")
    bid = JobBid.objects.get(cleaner=town.petros)
    assert town.did("nikos", "accept", bid_id=bid.pk) == "You hired Petros. €55.50 are reserved until the work is done."
    assert "takes no bids any more" in town.cleaner_did("maria", "bid", town.job, amount="40")
    assert town.cleaner_did("petros", "confirm", town.job) == "The client knows that you will come."
    assert town.cleaner_did("petros", "complete", town.job, photos="3") == "The work is done, and paid."
    assert "Thank you" in town.did("nikos", "review", comment="Spotless", **MARKS)
    assert Review.objects.get().overall == 9
    page = text(town.session("nikos").get(town.job_page))
    assert "Your review: 9 of 10" in page
    assert "Paid." in page
    assert "Recent jobs" in text(town.session("petros").get(f"/cleaning/cleaners/{town.petros.pk}/"))


def test_other_buttons(town: Town) -> None:
    assert town.cleaner_did("maria", "withdraw", town.job) == "Your bid is withdrawn."
    assert town.did("nikos", "cancel") == "The job is cancelled."
    assert "This was not done: this job is cancelled" in town.did("nikos", "cancel")
    taken = agreed.job_at("accepted", town.nikos, town.maria)
    assert town.cleaner_did("maria", "cancel", taken) == "The job is cancelled."
    held = agreed.job_at("confirmed", town.nikos, town.maria)
    assert "The work is done" in town.did("nikos", "complete", held, on_time="false")
    held.refresh_from_db()
    assert held.was_on_time is False
    late = agreed.job_at("accepted", town.nikos, town.maria)
    CleaningJob.objects.filter(pk=late.pk).update(wanted_for=timezone.now() - timedelta(hours=2))
    assert "No one came" in text(town.session("nikos").get(f"/cleaning/jobs/{late.pk}/"))
    assert "Nothing is paid" in town.did("nikos", "fail", late)


def test_both_sides_say_what_they_think_of_a_recommendation(town: Town) -> None:
    seen, offered = agreed.shown_cleaner(town.job, town.petros), agreed.shown_job(town.job, town.maria)
    assert "Thank you" in town.did("nikos", "feedback", shown=seen.pk, feedback_type="too_expensive", comment="Too much")
    assert "Thank you" in town.cleaner_did("maria", "feedback", town.job, shown=offered.pk, feedback_type="too_far")
    assert "This was not done" in town.did("nikos", "feedback", shown=seen.pk, feedback_type="rubbish")
    types = RecommendationFeedback.objects.order_by("pk").values_list("feedback_type", flat=True)
    assert list(types) == ["too_expensive", "too_far"]


@pytest.mark.parametrize(("action", "more"), [
    ("", {}), ("rubbish", {}), ("contact", {"shown": "999"}), ("contact", {"shown": "x"}), ("accept", {"bid_id": "999"}),
])  # fmt: skip
def test_a_button_that_is_not_there_is_not_found(action: str, more: dict[str, str], town: Town) -> None:
    response = town.session("nikos").post(f"{town.job_page}action/", {"action": action, **more})
    assert response.status_code == 404


@pytest.mark.parametrize("amount", ["", "x", "-1", "0", "nan", "1e9", "5.555"])
def test_a_bid_that_cannot_be_says_why(amount: str, town: Town) -> None:
    assert "This was not done" in town.cleaner_did("petros", "bid", town.job, amount=amount)
    assert JobBid.objects.count() == 1


def test_the_steps_offered_are_those_that_work(town: Town) -> None:
    for status, wanted in (("accepted", "I will come"), ("confirmed", "The work is done")):
        agreed.job_at(status, town.nikos, town.maria)
        assert wanted in text(town.session("maria").get(f"/cleaning/cleaners/{town.maria.pk}/"))


def test_staff_act_for_a_cleaner_on_the_cleaners_page(town: Town) -> None:
    address = f"/cleaning/cleaners/{town.petros.pk}/jobs/{town.job.pk}/action/"
    assert "€50.00" in said(town.session("staff").post(address, {"action": "bid", "amount": "50"}, follow=True))
    with pytest.raises(JobBid.DoesNotExist):
        JobBid.objects.get(cleaner=town.petros, amount=60)
    jobs.withdraw_bid(job=town.job, cleaner=town.petros)


def test_pages_take_as_many_queries_however_much_they_show(town: Town, django_assert_max_num_queries: Any) -> None:
    nikos, maria = town.session("nikos"), town.session("maria")
    pages = (
        (nikos, f"/cleaning/clients/{town.nikos.pk}/"),
        (nikos, f"/cleaning/jobs/{town.job.pk}/"),
        (maria, f"/cleaning/cleaners/{town.maria.pk}/"),
        (town.session("staff"), "/cleaning/"),
    )
    rounds = []
    for _ in range(3):  # the first round also looks up what a process then remembers
        for status in ("open", "bidding", "accepted", "confirmed", "completed", "cancelled"):
            agreed.job_at(status, town.nikos, town.maria)
        bidder = marketplace.make_cleaner()
        jobs.place_bid(job=town.job, cleaner=bidder, amount=Decimal(70))
        counts = []
        for browser, page in pages:
            with django_assert_max_num_queries(80) as made:
                assert browser.get(page).status_code == 200
            counts.append(len(made))
        rounds.append(counts)
    assert all(later <= earlier for earlier, later in zip(rounds[1], rounds[2], strict=True)), rounds
