"""Asking about offers that the asker brings: as a service, about those offers alone, never more than is taken."""

import json
from typing import Any

import jwt
import pytest

from recommendation_service.domain.request import RecommendationRequest
from tandem.service_client.client import MAX_REQUEST_BYTES, RecommendationClient, ServiceFailed
from tests.support.faults import FaultServer, http, says, waits
from tests.support.network import always, network, questions

ASK: dict[str, Any] = {
    "strategy": "neural",
    "limit": 3,
    "explain": True,
    "request_id": "11111111-1111-4111-8111-111111111111",
    "context": {"id": "5", "numbers": {"size_m2": 80.0}, "text_columns": {"client_id": "17"}},
    "offers": [{"item_id": str(number), "numbers": {"bid": 40.0 + number}, "text_columns": {}} for number in (7, 8, 9)],
}


def ask(client: RecommendationClient, **changes: Any) -> dict[str, Any]:
    request = RecommendationRequest.model_validate_json(json.dumps({**ASK, **changes}))
    return client.recommend(request, use_case="cleaning", surface="cleaners-for-job", as_service=True).answer


def refused(server: FaultServer) -> ServiceFailed:
    with pytest.raises(ServiceFailed) as caught:
        ask(RecommendationClient(server.url))
    return caught.value


def test_a_good_answer_comes_back_whole_with_the_services_word() -> None:
    with FaultServer(network(lambda item_id: float(item_id))) as server:
        client = RecommendationClient(server.url)
        request = RecommendationRequest.model_validate_json(json.dumps(ASK))
        answered = client.recommend(request, use_case="cleaning", surface="cleaners-for-job", as_service=True)
    assert [item["item_id"] for item in answered.answer["recommendations"]] == ["9", "8", "7"]
    assert answered.state == "state-1"
    assert [RecommendationRequest.model_validate_json(json.dumps(body)) for body in questions(server)] == [request]


def test_it_is_asked_as_a_service_that_may_ask_for_anybody() -> None:
    with FaultServer(always(50)) as server:
        ask(RecommendationClient(server.url))
    (line,) = [line for line in server.headers[0].split("\r\n") if line.startswith("Authorization: Bearer ")]
    claims = jwt.decode(line.split()[-1], b"k" * 40, algorithms=["HS256"], audience="recommendation_service")
    assert (claims["sub"], claims["scope"]) == ("-", "recs:any")


@pytest.mark.parametrize("changes", [{"user_id": "client-17"}, {"surface": "jobs-for-cleaner"}, {"use_case": "shop"}])
def test_the_answer_to_another_question_is_refused(changes: dict[str, Any]) -> None:
    with FaultServer(always(50, **changes)) as server:
        assert refused(server).code == "bad_answer"


def test_an_item_that_was_not_offered_is_refused() -> None:
    stranger = {"item_id": "12", "title": "", "score": 99.0, "position": 1, "reasons": [], "parts": {}}
    with FaultServer(always(50, recommendations=[stranger])) as server:
        failure = refused(server)
    assert (failure.code, "not offered" in failure.detail) == ("bad_answer", True)


@pytest.mark.parametrize("status", ["404 Not Found", "413 Content Too Large", "500 Internal Server Error"])
def test_any_other_status_is_a_failure(status: str) -> None:
    with FaultServer(says(http(b"{}", status=status))) as server:
        assert refused(server).code == "bad_answer"


def test_late_is_late() -> None:
    with FaultServer(waits(10)) as server:
        assert refused(server).code == "timeout"


def test_more_than_the_service_takes_is_never_sent_and_says_nothing_bad_of_it() -> None:
    long = [
        {"item_id": str(number), "numbers": {}, "text_columns": {f"about_{part}": "x" * 200 for part in range(5)}}
        for number in range(300)
    ]
    with FaultServer(always(50)) as server:
        client = RecommendationClient(server.url)
        with pytest.raises(ServiceFailed, match=f"at most {MAX_REQUEST_BYTES}") as caught:
            ask(client, offers=long)
        assert caught.value.code == "too_large"
        assert (server.asked, client.breaker("cleaning").is_open) == ([], False)


def test_after_five_failures_it_is_left_alone() -> None:
    with FaultServer(always(50, method_used=None)) as server:
        client = RecommendationClient(server.url)
        for _ in range(5):
            with pytest.raises(ServiceFailed):
                ask(client)
        with pytest.raises(ServiceFailed) as caught:
            ask(client)
    assert caught.value.code == "circuit_open"
    assert len(server.asked) == 5
