"""The hop under faults: one deadline for everything, one kind of failure for everything."""

import json
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import jwt
import pytest

from recommendation_service.domain.request import RecommendationRequest
from recommendation_service.errors import ConfigurationError
from tandem.service_client import tokens
from tandem.service_client.client import RecommendationClient, ServiceFailed
from tests.support import faults
from tests.support.faults import FaultServer, answer_for, bomb, dribbles, good, http, pours, resets, says, waits

DEADLINE_S = 0.3
SLACK_S = 0.05
BUSY_S = 0.4  # what a busy machine may add to one call; the median has the slack alone
ITEMS = [f"item-{place}" for place in range(20)]
REQUEST = RecommendationRequest(user_id="u1", limit=5, history=(), request_id="11111111-1111-4111-8111-111111111111")
ASK: dict[str, Any] = json.loads(REQUEST.model_dump_json(exclude_none=True))
GOOD = json.dumps(answer_for(ASK, ITEMS)).encode()


def changed(**changes: Any) -> bytes:
    return http(json.dumps(answer_for(ASK, ITEMS, **changes)).encode())


def with_item(**changes: Any) -> bytes:
    answer = answer_for(ASK, ITEMS)
    answer["recommendations"][0].update(changes)
    return http(json.dumps(answer).encode())


def ask(client: RecommendationClient) -> dict[str, Any]:
    return client.recommend(REQUEST, use_case="startups", surface="for-developer").answer


@contextmanager
def failing(code: str) -> Iterator[None]:
    begun = time.monotonic()
    with pytest.raises(ServiceFailed) as caught:
        yield
    assert caught.value.code == code, caught.value
    assert time.monotonic() - begun < DEADLINE_S + BUSY_S


def test_a_good_answer_comes_back_whole() -> None:
    with FaultServer(good(ITEMS)) as server:
        answer = ask(RecommendationClient(server.url))
    assert [item["item_id"] for item in answer["recommendations"]] == ITEMS[:5]
    assert answer["user_id"] == "u1"


def test_connections_are_kept_between_calls() -> None:
    with FaultServer(good(ITEMS)) as server:
        client = RecommendationClient(server.url)
        for _ in range(10):
            ask(client)
        assert (server.connections, len(server.asked)) == (1, 10)


def test_each_call_carries_a_token_for_that_user_alone_with_40_seconds_left() -> None:
    with FaultServer(good(ITEMS)) as server:
        ask(RecommendationClient(server.url))
    (line,) = [line for line in server.headers[0].split("\r\n") if line.startswith("Authorization: Bearer ")]
    claims = jwt.decode(line.split()[-1], b"k" * 40, algorithms=["HS256"], audience="recommendation_service")
    assert (claims["sub"], claims["scope"], claims["iss"]) == ("u1", "recs:self", "backend")
    assert claims["exp"] - claims["iat"] == 60
    assert claims["exp"] - time.time() >= 39


def test_another_user_and_a_later_call_get_another_token(monkeypatch: pytest.MonkeyPatch) -> None:
    now = time.time()
    monkeypatch.setattr("tandem.service_client.tokens.time.time", lambda: now)
    seen = [tokens.service_token(user, tokens.SELF) for user in ("u1", "u1", "u2")]
    monkeypatch.setattr("tandem.service_client.tokens.time.time", lambda: now + tokens.REUSED_SECONDS)
    seen.append(tokens.service_token("u1", tokens.SELF))
    assert [seen.index(token) for token in seen] == [0, 0, 2, 3]


def test_nobody_listening_is_unreachable() -> None:
    with failing("unreachable"):
        ask(RecommendationClient("http://127.0.0.1:9"))


BAD_BODIES = {
    "html": http(b"<html>oops</html>", kind="text/html"),
    "html that says it is json": http(b"<html>oops</html>"),
    "right json, wrong type": http(GOOD, kind="text/plain"),
    "empty": http(b""),
    "truncated json": http(GOOD[:-20]),
    "shorter than announced": http(GOOD[:-20], length=len(GOOD)),
    "list": http(b"[]"),
    "null": http(b"null"),
    "deep": http(b"[" * 100_000),
    "not utf-8": http(b"\xff" * 50),
    "another user": changed(user_id="u2"),
    "nobody": changed(user_id=None),
    "another surface": changed(surface="for-investor"),
    "another use case": changed(use_case="movies"),
    "no list": changed(recommendations=None),
    "degraded as text": changed(degraded="no"),
    "negative count": changed(interaction_count=-1),
    "repeated items": changed(recommendations=[answer_for(ASK, ITEMS)["recommendations"][0]] * 2),
    "too many items": http(json.dumps(answer_for({**ASK, "limit": 6}, ITEMS)).encode()),
    "score NaN": with_item(score=float("nan")),
    "score infinite": with_item(score=float("inf")),
    "score as text": with_item(score="1.0"),
    "part NaN": with_item(parts={"als": float("nan")}),
    "item id a number": with_item(item_id=7),
    "item id empty": with_item(item_id=""),
    "item id endless": with_item(item_id="x" * 100),
    "title endless": with_item(title="x" * 5000),
    "reasons not a list": with_item(reasons="because"),
    "500": http(GOOD, status="500 Internal Server Error"),
    "429": http(GOOD, status="429 Too Many Requests", extra="Retry-After: 60\r\n"),
    "204": http(b"", status="204 No Content"),
    "401": http(GOOD, status="401 Unauthorized"),
    "gzip bomb": bomb(),
}


@pytest.mark.parametrize("name", BAD_BODIES)
def test_anything_but_the_agreed_answer_is_a_failure(name: str) -> None:
    with FaultServer(says(BAD_BODIES[name])) as server, failing("bad_answer"):
        ask(RecommendationClient(server.url))
    assert len(server.asked) == 1


def test_a_redirect_is_not_followed() -> None:
    with FaultServer(good(ITEMS)) as elsewhere:
        moved = http(b"", status="307 Temporary Redirect", extra=f"Location: {elsewhere.url}/\r\n")
        with FaultServer(says(moved)) as server, failing("bad_answer"):
            ask(RecommendationClient(server.url))
        assert elsewhere.asked == []


def test_a_hundred_megabytes_are_not_read() -> None:
    with FaultServer(pours(100)) as server, failing("bad_answer"):
        ask(RecommendationClient(server.url))


@pytest.mark.parametrize(
    "behave",
    [waits(10), waits(10, http(GOOD)), dribbles(http(GOOD), pause_s=1.0), dribbles(http(GOOD), pause_s=0.02)],
    ids=["never answers", "ten seconds late", "a byte a second", "fifty bytes a second"],
)
def test_late_is_late_by_the_clock_however_the_bytes_come(behave: faults.Behaviour) -> None:
    with FaultServer(behave) as server, failing("timeout"):
        ask(RecommendationClient(server.url))
    assert len(server.asked) == 1


def test_half_of_all_late_calls_end_within_the_deadline_and_its_slack() -> None:
    took = []
    with FaultServer(dribbles(http(GOOD), pause_s=0.02)) as server:
        for _ in range(9):
            begun = time.monotonic()
            with pytest.raises(ServiceFailed):
                ask(RecommendationClient(server.url))
            took.append(time.monotonic() - begun)
    assert DEADLINE_S <= sorted(took)[4] < DEADLINE_S + SLACK_S


def test_a_body_that_dribbles_after_its_headers_is_late_too() -> None:
    def behave(server: FaultServer, accepted: Any, request: dict[str, Any]) -> bool:
        accepted.sendall(http(b"", length=len(GOOD)))
        return dribbles(GOOD, pause_s=0.05)(server, accepted, request)

    with FaultServer(behave) as server, failing("timeout"):
        ask(RecommendationClient(server.url))


def test_a_connection_that_was_closed_meanwhile_is_opened_again() -> None:
    with FaultServer(good(ITEMS)) as server:
        client = RecommendationClient(server.url)
        ask(client)
        server.drop_connections()
        assert ask(client)["user_id"] == "u1"
        assert server.connections == 2


def test_a_hang_up_is_tried_once_more_and_no_more() -> None:
    with FaultServer(resets) as server, failing("unreachable"):
        ask(RecommendationClient(server.url))
    assert len(server.asked) == 2


def test_an_answer_after_one_hang_up_is_an_answer() -> None:
    calm = good(ITEMS)

    def behave(server: FaultServer, accepted: Any, request: dict[str, Any]) -> bool:
        return len(server.asked) > 1 and calm(server, accepted, request)

    with FaultServer(behave) as server:
        assert ask(RecommendationClient(server.url))["user_id"] == "u1"


def test_what_was_left_of_a_refused_answer_is_never_read_as_the_next_one() -> None:
    evil = json.dumps(answer_for({**ASK, "user_id": "u2"}, ITEMS)).encode()
    calm = good(ITEMS)

    def behave(server: FaultServer, accepted: Any, request: dict[str, Any]) -> bool:
        if len(server.asked) > 1:
            return calm(server, accepted, request)
        accepted.sendall(http(b"x", kind="text/html", length=1) + http(evil))
        return True

    with FaultServer(behave) as server:
        client = RecommendationClient(server.url)
        with pytest.raises(ServiceFailed):
            ask(client)
        assert ask(client)["user_id"] == "u1"


def test_after_five_failures_calls_end_at_once_without_asking() -> None:
    with FaultServer(waits(10)) as server:
        client = RecommendationClient(server.url)
        for _ in range(5):
            with failing("timeout"):
                ask(client)
        begun = time.monotonic()
        for _ in range(100):
            with pytest.raises(ServiceFailed, match="circuit_open"):
                ask(client)
        assert (time.monotonic() - begun) / 100 < 0.002
        assert len(server.asked) == 5


REFUSALS = {
    "no export": http(b"{}", status="503 Service Unavailable", kind="application/problem+json"),
    "unknown use case": http(b"{}", status="404 Not Found", kind="application/problem+json"),
    "refused input": http(b"{}", status="422 Unprocessable Entity", kind="application/problem+json"),
    "no permission": http(b"{}", status="403 Forbidden", kind="application/problem+json"),
}


@pytest.mark.parametrize("name", REFUSALS)
def test_refusals_never_open_the_breaker(name: str) -> None:
    with FaultServer(says(REFUSALS[name])) as server:
        client = RecommendationClient(server.url)
        for _ in range(8):
            with failing("bad_answer"):
                ask(client)
    assert len(server.asked) == 8


@pytest.mark.parametrize("status", ["500 Internal Server Error", "502 Bad Gateway", "503 Service Unavailable"])
def test_errors_of_the_service_or_of_a_proxy_open_the_breaker(status: str) -> None:
    with FaultServer(says(http(b"<html>", status=status, kind="text/html"))) as server:
        client = RecommendationClient(server.url)
        for _ in range(5):
            with failing("bad_answer"):
                ask(client)
        with failing("circuit_open"):
            ask(client)
    assert len(server.asked) == 5


def test_faults_of_one_use_case_leave_the_others_and_the_state_open() -> None:
    calm = good(ITEMS)

    def behave(server: FaultServer, accepted: Any, request: dict[str, Any]) -> bool:
        if request.get("limit") == 7:
            accepted.sendall(http(b"", status="500 Internal Server Error"))
            return False
        return calm(server, accepted, request)

    with FaultServer(behave) as server:
        client = RecommendationClient(server.url)
        for _ in range(6):
            with pytest.raises(ServiceFailed):
                client.recommend(RecommendationRequest(user_id="u1", limit=7), use_case="movies", surface="home")
        assert client.breaker("movies").is_open
        assert ask(client)["user_id"] == "u1"
        assert not client.breaker("startups").is_open


def test_a_service_without_a_state_is_left_alone_after_five_failures() -> None:
    with FaultServer(says(http(b"{}"))) as server:
        client = RecommendationClient(server.url)
        codes = []
        for _ in range(7):
            with pytest.raises(ServiceFailed) as caught:
                client.state()
            codes.append(caught.value.code)
    assert codes[5:] == ["circuit_open"] * 2
    assert len(server.asked) == 5


def test_it_asks_again_after_the_rest_and_recovers() -> None:
    with FaultServer(says(http(b"no"))) as server:
        client = RecommendationClient(server.url)
        for _ in range(5):
            with failing("bad_answer"):
                ask(client)
        server.behave = good(ITEMS)
        with failing("circuit_open"):
            ask(client)
        time.sleep(2.1)
        assert ask(client)["user_id"] == "u1"
        assert ask(client)["user_id"] == "u1"


def test_a_forked_child_opens_its_own_connections(monkeypatch: pytest.MonkeyPatch) -> None:
    client = RecommendationClient("http://127.0.0.1:9")
    before = client._connections()
    assert client._connections() is before
    monkeypatch.setattr("os.getpid", lambda: -1)
    assert client._connections() is not before


@pytest.mark.parametrize(
    "url",
    ["https://host", "ftp://host", "http://", "http://user:pw@host", "http://host/path", "http://host/?x=1", "host:5000", ""],
)
def test_only_a_plain_address_is_accepted(url: str) -> None:
    with pytest.raises(ConfigurationError, match="must look like http://host:port"):
        RecommendationClient(url)
