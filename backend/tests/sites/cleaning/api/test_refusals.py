"""What the doors of the marketplace refuse: wrong parameters, nasty numbers and bodies, and what comes too late."""

import json
from datetime import timedelta
from typing import Any

import pytest
from django.utils import timezone

from sites.cleaning.models import CleanerRecommendation, CleaningJob, JobBid
from tests.sites.cleaning import agreed
from tests.sites.cleaning.callers import API, Market, post

pytestmark = pytest.mark.django_db


@pytest.mark.parametrize(
    ("query", "pointer"),
    [
        ("limit=0", "/limit"), ("limit=101", "/limit"), ("limit=-1", "/limit"), ("limit=1.5", "/limit"),
        ("limit=ten", "/limit"),
        ("limit=\uff11\uff10", "/limit"), ("limit=", "/limit"), ("limit=3&limit=4", "/limit"), ("limit=1e9", "/limit"),
        ("mode=magic", "/mode"), ("mode=", "/mode"), ("mode=Neural", "/mode"),
        ("max_distance=0", "/max_distance"), ("max_distance=-2", "/max_distance"), ("max_distance=2.5", "/max_distance"),
        ("max_distance=nan", "/max_distance"), ("max_distance=99999", "/max_distance"),
        ("eco=yes", "/eco"), ("property_type=castle", "/property_type"), ("max_price=0", "/max_price"),
        ("max_price=inf", "/max_price"), ("max_price=1e3", "/max_price"), ("tier=premium", "/tier"),
        ("client__budget=high", "/client__budget"), ("%00=1", "/?"), ("a%2Fb=1", "/a~1b"),
    ],
)  # fmt: skip
def test_a_wrong_parameter_is_named(query: str, pointer: str, market: Market) -> None:
    for browser, path in (
        (market.session("nikos"), f"/jobs/{market.job.pk}/cleaners"),
        (market.session("maria"), "/cleaners/me/jobs"),
        (market.session("staff"), f"/cleaners/{market.maria.pk}/jobs"),
    ):
        response = browser.get(f"{API}{path}?{query}")
        assert response.status_code == 422, response.content
        assert response["Content-Type"] == "application/problem+json"
        assert [error["pointer"] for error in response.json()["errors"]] == [pointer]
    assert not CleanerRecommendation.objects.exists()


@pytest.mark.parametrize("query", [
    "limit=1", "mode=rule_based", "mode=neural", "max_distance=1", "eco=true", "property_type=villa", "max_price=50.5",
    "limit=100&mode=ensemble&max_distance=20&eco=false&property_type=apartment&max_price=80",
])  # fmt: skip
def test_every_parameter_is_taken_both_ways(query: str, market: Market) -> None:
    assert market.session("nikos").get(f"{API}/jobs/{market.job.pk}/cleaners?{query}").status_code == 200
    assert market.session("petros").get(f"{API}/cleaners/me/jobs?{query}").status_code == 200


NASTY = (
    "0",
    "-1",
    "9" * 19,
    "9" * 30,
    "\uff11",
    "1.0",
    "1e3",
    "nan",
    "%00",
    "'; DROP TABLE",
    "%F0%9F%98%80",
    "me",
    "x" * 500,
    "{{7*7}}",
    "=1",
)


@pytest.mark.parametrize("word", NASTY)
def test_a_nasty_number_is_not_found(word: str, market: Market) -> None:
    staff = market.session("staff")
    for path in ("/jobs/{}", "/jobs/{}/cleaners", "/jobs/{}/bid-suggestion?cleaner_id=1"):
        assert staff.get(API + path.format(word)).status_code == 404, path
    for path in (
        "/jobs/{}/confirm",
        "/jobs/{}/cancel",
        "/recommendations/jobs/{}/viewed",
        "/recommendations/cleaners/{}/contacted",
    ):
        assert post(staff, path.format(word)).status_code == 404, path
    assert staff.get(f"{API}/cleaners/{word}/jobs").status_code == 404
    assert staff.get(f"{API}/jobs/{market.job.pk}/bid-suggestion", {"cleaner_id": word}).status_code in {404, 422}


BODIES: list[Any] = [
    [], "text", 5, None, {"unknown": 1}, {"amount": None}, {"amount": []}, {"amount": "NaN"}, {"amount": "Infinity"},
    {"amount": 0},
    {"amount": 10**9}, {"amount": -1}, {"amount": 5.555}, {"amount": 50, "request_id": "x"}, {"amount": 50, "message": "\x00"},
    {"amount": 50, "message": "\ud800"}, {"amount": 50, "message": "x" * 301}, {"amount": 50, "status": "accepted"},
    {"amount": 50, "cleaner_id": "me"}, {"amount": {"a": 1}}, {"amount": "1" * 2000},
]  # fmt: skip


@pytest.mark.parametrize("body", BODIES, ids=lambda body: ascii(body)[:40])
def test_a_nasty_bid_is_refused_and_leaves_nothing(body: Any, market: Market) -> None:
    before = JobBid.objects.count()
    petros = market.session("petros")
    response = petros.post(f"{API}/jobs/{market.job.pk}/bids", json.dumps(body), content_type="application/json")
    assert response.status_code == 422, response.content
    assert response.json()["errors"]
    assert JobBid.objects.count() == before


@pytest.mark.parametrize(
    ("raw", "kind", "status"),
    [
        ("{", "application/json", 400),
        ("[" * 100_000, "application/json", 400),
        ("a=1", "text/plain", 415),
        ('{"a": NaN}', "application/json", 400),
    ],
)
def test_a_body_that_cannot_be_read_is_a_problem(raw: str, kind: str, status: int, market: Market) -> None:
    response = market.session("petros").post(f"{API}/jobs/{market.job.pk}/bids", raw, content_type=kind)
    assert response.status_code == status
    assert response["Content-Type"] == "application/problem+json"


@pytest.mark.parametrize(
    ("changed", "pointer"),
    [
        ({"hours": 0}, "/hours"), ({"hours": "nan"}, "/hours"), ({"budget": -1}, "/budget"),
        ({"wanted_for": "soon"}, "/wanted_for"),
        ({"wanted_for": "0001-01-01T00:00:00+23:59"}, "/wanted_for"), ({"wanted_for": "2000-01-01T00:00:00Z"}, "/wanted_for"),
        ({"wanted_for": "9999-12-31T23:59:59-23:59"}, "/wanted_for"), ({"description": "x" * 1001}, "/description"),
        ({"property_id": None}, "/property_id"), ({"property_id": 10**30}, "/property_id"),
        ({"status": "completed"}, "/status"),
        ({"property": {}}, "/property/kind"), ({"cleaner": 1}, "/cleaner"),
    ],
)  # fmt: skip
def test_a_nasty_job_is_refused(changed: dict[str, Any], pointer: str, market: Market) -> None:
    wanted = (timezone.now() + timedelta(days=1)).isoformat()
    body = {"property_id": market.job.place_id, "hours": 2, "budget": 40, "wanted_for": wanted, **changed}
    response = post(market.session("nikos"), "/jobs", body)
    assert response.status_code == 422, response.content
    assert pointer in [error["pointer"] for error in response.json()["errors"]]
    assert CleaningJob.objects.count() == 1


def test_a_new_place_is_read_as_strictly_as_the_job(market: Market) -> None:
    place = {"kind": "villa", "district": "x", "size_m2": 80, "latitude": "nan", "longitude": 23.7}
    wanted = (timezone.now() + timedelta(days=1)).isoformat()
    for told, pointer in ((place, "/latitude"), ({**place, "latitude": 37.9, "owner": 1}, "/property/owner")):
        response = post(market.session("nikos"), "/jobs", {"property": told, "hours": 2, "budget": 40, "wanted_for": wanted})
        assert response.status_code == 422
        assert any(error["pointer"].endswith(pointer) for error in response.json()["errors"]), response.content


def test_a_job_that_takes_no_bids_any_more_is_gone(market: Market) -> None:
    taken = agreed.job_at("accepted", market.nikos, market.maria)
    assert market.session("nikos").get(f"{API}/jobs/{taken.pk}/cleaners").status_code == 410
    assert market.session("maria").get(f"{API}/jobs/{taken.pk}/bid-suggestion").status_code == 410
    assert market.session("maria").get(f"{API}/jobs/{market.job.pk}/bid-suggestion").status_code == 409
    assert post(market.session("petros"), f"/jobs/{taken.pk}/bids", {"amount": 50}).status_code == 410
