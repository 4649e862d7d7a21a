"""The API of the marketplace: who sees and does what, in which words it answers, and what it refuses."""

from datetime import timedelta
from typing import Any

import pytest
from django.test import Client as Browser
from django.utils import timezone
from drf_spectacular.generators import SchemaGenerator

from recommendation_service.domain.side import ID_COLUMN
from sites.cleaning.api.visibility import competition_of
from sites.cleaning.models import (
    BidSuggestion,
    Cleaner,
    CleanerRecommendation,
    CleanerScore,
    CleaningJob,
    Client,
    JobRecommendation,
    RecommendationFeedback,
)
from sites.cleaning.user_ids import of_cleaner, of_client
from tandem.service_client import tokens
from tests.sites.cleaning import agreed, marketplace
from tests.sites.cleaning.callers import API, Market, post
from tests.support import board

pytestmark = pytest.mark.django_db
LIST_KEYS = {"recommendations", "mode", "asked_mode", "degraded", "degradation", "model_version", "request_id"}
ROW_KEYS = {"score", "rule_based_score", "neural_score", "breakdown", "reasoning", "rank", "recommendation_id"}
PARTS = {"quality", "location", "specialization", "pricing", "availability"}
PRIVATE = ("tier", "premium", "budget_tier", "account", "37.98381", "23.72751", "37.990123", "23.740123")
MARKS = {"overall": 9, "quality": 9, "communication": 8, "professionalism": 9, "timeliness": 10}


def test_a_client_gets_cleaners_for_a_job_of_a_minute_ago_with_reasons(market: Market) -> None:
    response = market.session("nikos").get(f"{API}/jobs/{market.job.pk}/cleaners")
    assert response.status_code == 200
    told = response.json()
    assert set(told) == LIST_KEYS
    assert (told["mode"], told["asked_mode"], told["degraded"]) == ("rule_based", "ensemble", True)
    assert told["degradation"][0]["code"] in {"unreachable", "circuit_open"}
    assert [row["cleaner"]["name"] for row in told["recommendations"]] == ["Maria", "Petros"]
    for rank, row in enumerate(told["recommendations"], 1):
        assert set(row) == {"cleaner", *ROW_KEYS}
        assert row["rank"] == rank
        assert set(row["breakdown"]) == PARTS
        assert row["neural_score"] is None
        assert 0 <= row["score"] <= 100
        assert any(sentence.startswith("Nearby location") for sentence in row["reasoning"])
    kept = CleanerRecommendation.objects.filter(request_id=told["request_id"]).order_by("rank")
    assert [one.pk for one in kept] == [row["recommendation_id"] for row in told["recommendations"]]
    assert response["Cache-Control"] == "private, no-store"


def test_a_cleaner_gets_jobs_under_me_and_under_their_number(market: Market) -> None:
    for path in ("me", str(market.petros.pk)):
        told = market.session("petros").get(f"{API}/cleaners/{path}/jobs").json()
        assert set(told) == LIST_KEYS
        (row,) = told["recommendations"]
        assert set(row) == {"job", *ROW_KEYS}
        assert row["job"]["id"] == market.job.pk
        assert (row["job"]["bid_count"], row["job"]["lowest_bid"]) == (1, 60.0)
    assert JobRecommendation.objects.filter(cleaner=market.petros).count() == 2
    assert market.session("nikos").get(f"{API}/cleaners/me/jobs").status_code == 404


def test_a_whole_deal_goes_through_the_doors(market: Market) -> None:
    nikos, maria = market.session("nikos"), market.session("maria")
    asked = {
        "property": {"kind": "house", "district": "Kifisia", "size_m2": 150, "latitude": 37.98, "longitude": 23.72},
        "hours": "5.0", "budget": 120, "wanted_for": (timezone.now() + timedelta(days=3)).isoformat(), "eco_friendly": False,
    }  # fmt: skip
    posted = post(nikos, "/jobs", asked)
    assert posted.status_code == 201, posted.content
    number = posted.json()["id"]
    assert (posted.json()["status"], posted.json()["property"]["is_exact"]) == ("open", True)
    offered = maria.get(f"{API}/cleaners/me/jobs").json()
    advice = maria.get(f"{API}/jobs/{number}/bid-suggestion").json()
    assert advice["minimum"] <= advice["optimal"] <= advice["maximum"]
    body = {"amount": advice["optimal"], "message": "Hello", "request_id": offered["request_id"]}
    bid = post(maria, f"/jobs/{number}/bids", body)
    assert bid.status_code == 201, bid.content
    assert post(maria, f"/jobs/{number}/bids", body).status_code == 409
    (seen,) = nikos.get(f"{API}/jobs/{number}").json()["bids"]
    assert seen == bid.json()
    assert post(nikos, f"/jobs/{number}/accept", {"bid_id": seen["id"]}).json()["status"] == "accepted"
    assert post(maria, f"/jobs/{number}/confirm").json()["status"] == "confirmed"
    done = post(maria, f"/jobs/{number}/complete", {"photos": 4}).json()
    assert (done["status"], done["photos"], done["payment"]["status"]) == ("completed", 4, "succeeded")
    review = post(nikos, f"/jobs/{number}/review", {**MARKS, "comment": "Spotless"})
    assert (review.status_code, review.json()["overall"]) == (201, 9)
    assert post(nikos, f"/jobs/{number}/review", MARKS).status_code == 409
    suggestion = BidSuggestion.objects.get()
    assert (suggestion.was_used, suggestion.did_win) == (True, True)
    led = JobRecommendation.objects.get(request_id=offered["request_id"], job_id=number)
    assert (led.bid_placed, led.bid_accepted, led.bid_id) == (True, True, seen["id"])


def test_own_jobs_come_in_pages_the_newest_first(market: Market) -> None:
    for _ in range(4):
        agreed.job_today(market.nikos)
    agreed.job_today(market.olga)
    nikos = market.session("nikos")
    first = nikos.get(f"{API}/jobs?limit=3").json()
    second = nikos.get(f"{API}/jobs?limit=3&page=2").json()
    ids = [job["id"] for job in first["jobs"] + second["jobs"]]
    assert ids == list(CleaningJob.objects.filter(client=market.nikos).values_list("pk", flat=True))
    assert (first["has_more"], second["has_more"]) == (True, False)
    assert [job["id"] for job in nikos.get(f"{API}/jobs?status=bidding").json()["jobs"]] == [market.job.pk]
    assert len(market.session("staff").get(f"{API}/jobs").json()["jobs"]) == 6
    assert market.session("maria").get(f"{API}/jobs").status_code == 404


def test_lists_take_as_many_queries_however_long(market: Market, django_assert_max_num_queries: Any) -> None:
    nikos, petros = market.session("nikos"), market.session("petros")
    doors = ((nikos, "/jobs"), (nikos, f"/jobs/{market.job.pk}/cleaners"), (petros, "/cleaners/me/jobs"))
    counts = []
    for _ in range(4):  # the first finds an empty cache, the second shows some for the first time
        for place in range(6):
            marketplace.make_cleaner()
            agreed.job_at("bidding", market.nikos, market.maria, description=str(place))
        for browser, path in doors:
            with django_assert_max_num_queries(60) as made:
                assert browser.get(API + path).status_code == 200
            counts.append(len(made))
    assert counts[6:9] == counts[9:]


# --- who may see and do what

VISITORS = ("anonymous", "nikos", "olga", "maria", "petros", "nobody", "staff", "service", "expired")
SEEN: dict[str, tuple[str, Any, tuple[int, ...]]] = {
    "/jobs": ("get", None, (401, 200, 200, 404, 404, 404, 200, 200, 401)),
    "/jobs/{job}": ("get", None, (401, 200, 404, 200, 200, 404, 200, 200, 401)),
    "/jobs/{taken}": ("get", None, (401, 200, 404, 200, 404, 404, 200, 200, 401)),
    "/jobs/{job}/cleaners": ("get", None, (401, 200, 404, 404, 404, 404, 200, 200, 401)),
    "/cleaners/me/jobs": ("get", None, (401, 404, 404, 200, 200, 404, 404, 404, 401)),
    "/cleaners/{maria}/jobs": ("get", None, (401, 404, 404, 200, 404, 404, 200, 200, 401)),
    "/jobs/{other}/bid-suggestion?cleaner_id={maria}": ("get", None, (401, 404, 404, 200, 404, 404, 200, 200, 401)),
    "/jobs/{job}/accept": ("post", {"bid_id": "{bid}"}, (401, 200, 404, 404, 404, 404, 200, 200, 401)),
    "/jobs/{taken}/confirm": ("post", {}, (401, 404, 404, 200, 404, 404, 200, 200, 401)),
    "/jobs/{taken}/cancel": ("post", {}, (401, 200, 404, 200, 404, 404, 200, 200, 401)),
    "/jobs/{confirmed}/complete": ("post", {}, (401, 200, 404, 200, 404, 404, 200, 200, 401)),
    "/jobs/{confirmed}/fail": ("post", {}, (401, 409, 404, 404, 404, 404, 409, 409, 401)),
    "/jobs/{done}/review": ("post", MARKS, (401, 201, 404, 404, 404, 404, 201, 201, 401)),
    "/jobs/{other}/bids": ("post", {"amount": 50}, (401, 404, 404, 201, 201, 404, 422, 422, 401)),
    "/recommendations/cleaners/{seen}/viewed": ("post", {}, (401, 200, 404, 404, 404, 404, 200, 200, 401)),
    "/recommendations/cleaners/{seen}/contacted": ("post", {}, (401, 200, 404, 404, 404, 404, 200, 200, 401)),
    "/recommendations/jobs/{offered}/viewed": ("post", {}, (401, 404, 404, 200, 404, 404, 200, 200, 401)),
    "/recommendations/jobs/{offered}/feedback": (
        "post", {"feedback_type": "too_far"}, (401, 404, 404, 200, 404, 404, 200, 200, 401),
    ),
    "/recommendations/cleaners/{seen}/feedback": (
        "post", {"feedback_type": "helpful"}, (401, 200, 404, 404, 404, 404, 200, 200, 401),
    ),
}  # fmt: skip


@pytest.mark.parametrize("visitor", VISITORS)
@pytest.mark.parametrize("path", SEEN)
def test_every_visitor_gets_what_the_row_says(path: str, visitor: str, market: Market) -> None:
    method, body, expected = SEEN[path]
    things = {
        "job": market.job, "maria": market.maria, "bid": agreed.only_bid(market.job), "other": agreed.job_today(market.olga),
        "taken": agreed.job_at("accepted", market.nikos, market.maria),
        "confirmed": agreed.job_at("confirmed", market.nikos, market.maria),
        "done": agreed.job_at("completed", market.nikos, market.maria),
        "seen": agreed.shown_cleaner(market.job, market.maria), "offered": agreed.shown_job(market.job, market.maria),
    }  # fmt: skip
    keys = {name: thing.pk for name, thing in things.items()}
    headers = {"service": board.service_header(), "expired": board.bearer("s", tokens.ANY, now=1_000_000_000)}.get(visitor)
    browser = Browser() if headers else market.session(visitor)
    address = path.format(**keys)
    if method == "get":
        found = browser.get(API + address, headers=headers)
    else:
        sent = {name: keys["bid"] if value == "{bid}" else value for name, value in body.items()}
        found = post(browser, address, sent, headers=headers)
    assert found.status_code == expected[VISITORS.index(visitor)], found.content
    if found.status_code >= 400:
        assert found["Content-Type"] == "application/problem+json"


def test_not_yours_reads_exactly_as_not_there(market: Market) -> None:
    olga, bodies = market.session("olga"), []
    for number in (market.job.pk, 10**9, 10**17):
        response = olga.get(f"{API}/jobs/{number}/cleaners")
        told = response.json()
        told.pop("request_id")
        told.pop("instance")
        bodies.append((response.status_code, told))
    assert bodies == [bodies[0]] * 3
    assert bodies[0][0] == 404


def test_a_token_of_one_person_says_which_side_it_is(market: Market) -> None:
    own, path = Browser(), f"{API}/jobs/{market.job.pk}/cleaners"
    assert own.get(path, headers=board.bearer(of_client(market.nikos.pk))).status_code == 200
    for wrong in (str(market.nikos.pk), of_cleaner(market.nikos.pk), of_client(market.olga.pk), "client-", "client-x"):
        assert own.get(path, headers=board.bearer(wrong)).status_code == 404, wrong
    assert own.get(path, headers=board.bearer(of_client(market.nikos.pk), "recs:nothing")).status_code == 404
    assert own.get(f"{API}/cleaners/me/jobs", headers=board.bearer(of_cleaner(market.maria.pk))).status_code == 200


def test_a_session_needs_its_csrf_token_to_write(market: Market) -> None:
    browser = Browser(enforce_csrf_checks=True)
    browser.force_login(market.accounts["maria"])
    refused = browser.post(f"{API}/jobs/{market.job.pk}/bids", "{}", content_type="application/json")
    assert refused.status_code == 403
    assert refused["Content-Type"] == "application/problem+json"


def test_staff_and_services_act_for_whom_they_name(market: Market) -> None:
    staff = market.session("staff")
    assert post(staff, f"/jobs/{market.job.pk}/bids", {"amount": 50, "cleaner_id": market.petros.pk}).status_code == 201
    wanted = (timezone.now() + timedelta(days=1)).isoformat()
    body = {"property_id": market.job.place_id, "hours": 2, "budget": 40, "wanted_for": wanted}
    assert post(staff, "/jobs", body).json()["errors"][0]["pointer"] == "/client_id"
    assert post(staff, "/jobs", {**body, "client_id": market.nikos.pk}).status_code == 201
    assert post(market.session("olga"), "/jobs", {**body, "client_id": market.nikos.pk}).status_code == 404
    assert post(market.session("olga"), "/jobs", body).json()["errors"][0]["pointer"] == "/property_id"
    petros = market.session("petros")
    assert post(petros, f"/jobs/{market.job.pk}/bids", {"amount": 5, "cleaner_id": market.maria.pk}).status_code == 404


# --- what is never told


def test_no_door_tells_anything_private(market: Market) -> None:
    doors = {
        "nikos": [f"/jobs/{market.job.pk}/cleaners"],
        "petros": ["/cleaners/me/jobs", f"/jobs/{market.job.pk}", f"/jobs/{market.job.pk}/bid-suggestion"],
        "maria": ["/cleaners/me/jobs", f"/jobs/{market.job.pk}"],
    }
    for name, paths in doors.items():
        for path in paths:
            text = market.session(name).get(API + path).content.decode()
            shown = [word for word in PRIVATE if word in text]
            assert not shown, (name, path, text)
            if name != "nikos":
                assert "Nikos" not in text
                assert '"client"' not in text


def test_a_cleaner_sees_their_own_bid_the_count_and_the_lowest_of_others(market: Market) -> None:
    told = market.session("petros").get(f"{API}/jobs/{market.job.pk}").json()
    assert (told["own_bid"], told["bid_count"], told["lowest_bid"]) == (None, 1, 60.0)
    assert "bids" not in told
    own = market.session("maria").get(f"{API}/jobs/{market.job.pk}").json()
    assert own["own_bid"]["amount"] == 60.0
    assert "bids" not in own


def test_the_address_is_told_once_somebody_is_hired_and_only_to_them(market: Market) -> None:
    bid = agreed.only_bid(market.job)
    post(market.session("petros"), f"/jobs/{market.job.pk}/bids", {"amount": 70})
    before = market.session("maria").get(f"{API}/jobs/{market.job.pk}").json()["property"]
    assert (before["latitude"], before["longitude"], before["is_exact"]) == (37.99, 23.74, False)
    post(market.session("nikos"), f"/jobs/{market.job.pk}/accept", {"bid_id": bid.pk})
    after = market.session("maria").get(f"{API}/jobs/{market.job.pk}").json()
    assert (after["property"]["latitude"], after["property"]["longitude"]) == (37.990123, 23.740123)
    assert after["client"] == {"id": market.nikos.pk, "name": "Nikos"}
    loser = market.session("petros").get(f"{API}/jobs/{market.job.pk}").json()
    assert (loser["own_bid"]["status"], loser["property"]["is_exact"]) == ("rejected", False)
    assert "cleaner" not in loser
    assert "payment" not in loser
    post(market.session("nikos"), f"/jobs/{market.job.pk}/cancel")
    assert market.session("maria").get(f"{API}/jobs/{market.job.pk}").json()["property"]["is_exact"] is False


def test_the_lowest_bid_has_whole_cents_on_every_database(market: Market) -> None:
    for amount in ("80.62", "21.66"):
        marketplace.bid(market.job, marketplace.make_cleaner(), float(amount))
    found = competition_of([market.job])[market.job.pk]
    assert (found.count, str(found.lowest)) == (3, "21.66")


def test_parts_of_a_score_are_whole_points_and_scores_have_one_decimal(market: Market) -> None:
    told = market.session("nikos").get(f"{API}/jobs/{market.job.pk}/cleaners").json()
    for row in told["recommendations"]:
        assert all(value is None or value == int(value) for value in row["breakdown"].values())
        assert row["score"] == round(row["score"], 1)


# --- what came of it


def test_viewed_and_contacted_are_recorded_once_with_the_list_they_answer(market: Market) -> None:
    nikos = market.session("nikos")
    told = nikos.get(f"{API}/jobs/{market.job.pk}/cleaners").json()
    number = told["recommendations"][0]["recommendation_id"]
    for _ in range(2):
        viewed = post(nikos, f"/recommendations/cleaners/{number}/viewed").json()
        assert viewed == {"recommendation_id": number, "viewed": True, "contacted": False, "hired": False}
        assert post(nikos, f"/recommendations/cleaners/{number}/contacted").json()["contacted"] is True
        CleanerRecommendation.objects.filter(pk=number).update(contacted_at=None)
    rows = [(user, event, str(request)) for user, event, _, request in agreed.happened("cleaners")]
    assert rows == [(of_client(market.nikos.pk), event, told["request_id"]) for event in ("contact", "view")]


def test_the_newest_word_replaces_the_older(market: Market) -> None:
    offered = agreed.shown_job(market.job, market.maria)
    maria = market.session("maria")
    path = f"/recommendations/jobs/{offered.pk}/feedback"
    assert post(maria, path, {"feedback_type": "helpful"}).status_code == 200
    told = post(maria, path, {"feedback_type": "wrong_specialty", "comment": "No villas"}).json()
    assert told == {"recommendation_id": offered.pk, "feedback_type": "wrong_specialty", "comment": "No villas"}
    assert RecommendationFeedback.objects.get().feedback_type == "wrong_specialty"
    for wrong in (
        {},
        {"feedback_type": "rubbish"},
        {"feedback_type": "other", "comment": "x" * 2001},
        {"feedback_type": "other", "x": 1},
    ):
        assert post(maria, path, wrong).status_code == 422


def test_a_cleaner_who_was_never_scored_is_shown_with_unknown_figures(market: Market) -> None:
    assert not CleanerScore.objects.exists()
    row = market.session("nikos").get(f"{API}/jobs/{market.job.pk}/cleaners").json()["recommendations"][0]
    assert (row["cleaner"]["overall_score"], row["cleaner"]["primary_property_type"]) == (None, "")
    assert ID_COLUMN not in row


def test_the_service_that_acts_for_everybody_cannot_be_me(market: Market) -> None:
    assert Browser().get(f"{API}/cleaners/me/jobs", headers=board.service_header()).status_code == 404
    own = board.bearer(of_cleaner(market.maria.pk))
    assert Browser().get(f"{API}/cleaners/{market.petros.pk}/jobs", headers=own).status_code == 404
    assert Client.objects.count() == 2
    assert Cleaner.objects.count() == 2


def test_every_endpoint_is_described_under_its_name() -> None:
    paths = SchemaGenerator().get_schema(request=None, public=True)["paths"]
    named = {
        operation["operationId"] for path, methods in paths.items() for operation in methods.values() if path.startswith(API)
    }
    assert named == {
        "cleaning_jobs", "post_cleaning_job", "cleaning_job", "place_bid", "withdraw_bid", "accept_bid", "confirm_job",
        "complete_job", "cancel_job", "fail_job", "review_job", "get_recommended_cleaners", "suggest_bid",
        "get_recommended_jobs", "recommendation_viewed", "recommendation_contacted", "recommendation_feedback",
    }  # fmt: skip
