"""Estimates over the hop: what is asked, and what is believed."""

import json
from typing import Any

import jwt
import numpy as np
import pytest

from recommendation_service.domain.side import PairSide
from tandem.service_client.client import RecommendationClient, ServiceFailed
from tandem.service_client.estimates import Estimate, checked, estimate
from tandem.service_client.responses import BadAnswer
from tests.support.faults import FaultServer, dribbles, http, pours, says

JOB = PairSide.of(["5"], [{"hours": 4.0, "size_m2": np.nan}], [{"property_type": "villa", "client_id": ""}])
CLEANERS = PairSide.of(["7", "8"], [{"usual_rate": 12.5}, {}])
GOOD: dict[str, Any] = {
    "request_id": "r-1",
    "use_case": "cleaning",
    "estimator": "bid",
    "model_version": "bid_v3",
    "estimates": [
        {"item_id": "7", "minimum": 40.5, "optimal": 48, "maximum": 57.9},
        {"item_id": "8", "minimum": 1.0, "optimal": 1.0, "maximum": 1.0},
    ],
}


def check(answer: Any) -> dict[str, Any]:
    return checked(json.dumps(answer).encode(), use_case="cleaning", name="bid", item_ids=("7", "8"))


def one_changed(**changes: Any) -> dict[str, Any]:
    first, second = GOOD["estimates"]
    return {**GOOD, "estimates": [{**first, **changes}, second]}


def ask() -> Any:
    return estimate(use_case="cleaning", name="bid", context=JOB, offers=CLEANERS)


def test_the_ranges_come_back_in_the_order_asked(service_at: Any) -> None:
    with FaultServer(says(http(json.dumps(GOOD).encode()))) as server:
        service_at(server.url)
        found = ask()
    assert found.model_version == "bid_v3"
    assert found.estimates == (Estimate(40.5, 48, 57.9), Estimate(1, 1, 1))


def test_what_is_unknown_is_left_out_of_the_question(service_at: Any) -> None:
    with FaultServer(says(http(json.dumps(GOOD).encode()))) as server:
        service_at(server.url)
        ask()
    assert server.asked == [
        {
            "context": {"id": "5", "numbers": {"hours": 4.0}, "text_columns": {"property_type": "villa"}},
            "offers": [
                {"item_id": "7", "title": "", "numbers": {"usual_rate": 12.5}, "text_columns": {}},
                {"item_id": "8", "title": "", "numbers": {}, "text_columns": {}},
            ],
            "request_id": None,
        }
    ]
    assert server.headers[0].startswith("POST /api/estimates/cleaning/bid ")


def test_it_is_asked_as_a_service(service_at: Any) -> None:
    with FaultServer(says(http(json.dumps(GOOD).encode()))) as server:
        service_at(server.url)
        ask()
    (line,) = [line for line in server.headers[0].split("\r\n") if line.startswith("Authorization: Bearer ")]
    claims = jwt.decode(line.split()[-1], b"k" * 40, algorithms=["HS256"], audience="recommendation_service")
    assert claims["scope"] == "recs:any"


@pytest.mark.parametrize(
    ("answer", "told"),
    [
        ([], "body has not the documented shape"),
        ({**GOOD, "estimates": GOOD["estimates"][:1]}, "not about the offers"),
        ({**GOOD, "estimates": GOOD["estimates"][::-1]}, "not about the offers"),
        ({**GOOD, "estimates": [*GOOD["estimates"], GOOD["estimates"][0]]}, "not about the offers"),
        ({**GOOD, "use_case": "movies"}, "another request"),
        ({**GOOD, "estimator": "rent"}, "another request"),
        (one_changed(minimum=48.1), "out of order"),
        (one_changed(maximum=47.9), "out of order"),
        (one_changed(minimum=0), "estimates.0.minimum has not the documented shape"),
        (one_changed(minimum=-3.0), "estimates.0.minimum has not the documented shape"),
        (one_changed(optimal="48"), "estimates.0.optimal has not the documented shape"),
        (one_changed(optimal=None), "estimates.0.optimal has not the documented shape"),
        (one_changed(maximum=float("inf")), "estimates.0.maximum has not the documented shape"),
        (one_changed(maximum=float("nan")), "estimates.0.maximum has not the documented shape"),
        (one_changed(item_id="9"), "not about the offers"),
    ],
)
def test_an_answer_that_is_not_one_is_refused(answer: Any, told: str) -> None:
    with pytest.raises(BadAnswer, match=told):
        check(answer)


def test_a_good_answer_is_believed_and_what_else_it_says_left_behind() -> None:
    assert set(check({**GOOD, "more": 1})) == {"request_id", "use_case", "estimator", "model_version", "estimates"}


@pytest.mark.parametrize(
    ("status", "kind", "code"),
    [
        ("503 X", "application/problem+json", "not_trained"),
        ("404 X", "application/problem+json", "not_trained"),
        ("503 X", "text/html", "bad_answer"),
        ("500 X", "application/problem+json", "bad_answer"),
    ],
)
def test_no_model_is_told_apart_from_a_service_that_fails(service_at: Any, status: str, kind: str, code: str) -> None:
    with FaultServer(says(http(b"{}", status=status, kind=kind))) as server:
        client = service_at(server.url)
        for _ in range(6):
            with pytest.raises(ServiceFailed) as caught:
                ask()
        assert caught.value.code == (code if code == "not_trained" else "circuit_open")
        assert client.breaker("cleaning").is_open == (code != "not_trained")


def test_too_much_and_too_slow_end_at_the_cap_and_at_the_deadline(service_at: Any) -> None:
    for behave, code in ((pours(2), "bad_answer"), (dribbles(http(json.dumps(GOOD).encode()), pause_s=0.05), "timeout")):
        with FaultServer(behave) as server:
            service_at(server.url)
            with pytest.raises(ServiceFailed) as caught:
                ask()
        assert caught.value.code == code


def test_nobody_there_is_unreachable(service_at: Any) -> None:
    found: RecommendationClient = service_at("http://127.0.0.1:9")
    with pytest.raises(ServiceFailed, match="unreachable"):
        ask()
    assert not found.breaker("cleaning").is_open
