"""The hop to the cross-encoder's worker, which is slow, dead, lying or gone for a moment: nobody waits beyond the budget."""

import json
import socket
from collections.abc import Callable, Iterator
from contextlib import ExitStack, closing
from typing import Any

import pytest

from benchmarks.performance.serving import free_port
from recommendation_service.core.signing import verify
from recommendation_service.errors import ConfigurationError
from recommendation_service.rankers.base import CannotAnswer, TooLate
from recommendation_service.rankers.cross_encoder import AUDIENCE, FAILURES, REST_S, PairClient, client_of
from tests.support.faults import Behaviour, FaultServer, dribbles, http, pours, resets, says, waits

PAIRS = [("red shoe", "red hat"), ("red shoe", "blue hat")]
KEY = ("new", b"k" * 40)
SCORES = http(json.dumps({"scores": [2.5, -1.0], "model": "tiny"}).encode())


def keeps(response: bytes) -> Behaviour:
    """Answers everything with the same bytes and keeps the connection."""

    def behave(server: FaultServer, accepted: socket.socket, request: dict[str, Any]) -> bool:
        accepted.sendall(response)
        return True

    return behave


Making = Callable[..., PairClient]


@pytest.fixture
def client() -> Iterator[Making]:
    """Makes clients that leave no connection behind."""
    with ExitStack() as made:
        yield lambda url, key=KEY, **more: made.enter_context(closing(PairClient(url, key, **more)))


def test_scores_come_back_in_the_order_of_the_pairs_over_one_connection(client: Making) -> None:
    with FaultServer(keeps(SCORES)) as worker:
        asks = client(worker.url)
        assert [asks.scores(PAIRS, budget_s=2).tolist() for _ in range(5)] == [[2.5, -1.0]] * 5
        assert worker.connections == 1
        assert worker.asked[0] == {"pairs": [list(pair) for pair in PAIRS], "budget_ms": 2000}


def test_the_token_is_for_the_worker_and_for_nobody_else(client: Making) -> None:
    with FaultServer(keeps(SCORES)) as worker:
        client(worker.url).scores(PAIRS, budget_s=2)
        client(worker.url, None).scores(PAIRS, budget_s=2)
    line = next(line for line in worker.headers[0].split("\r\n") if line.startswith("Authorization: Bearer "))
    claims = verify(line.removeprefix("Authorization: Bearer "), dict([KEY]), audience=AUDIENCE)
    assert (claims.subject, claims.scopes) == ("service", frozenset())
    assert "Authorization" not in worker.headers[1]


def test_a_worker_that_was_restarted_is_asked_over_a_new_connection(client: Making) -> None:
    with FaultServer(keeps(SCORES)) as worker:
        asks = client(worker.url)
        asks.scores(PAIRS, budget_s=2)
        worker.drop_connections()
        assert asks.scores(PAIRS, budget_s=2).tolist() == [2.5, -1.0]
        assert worker.connections == 2


@pytest.mark.parametrize("behave", [waits(10), dribbles(SCORES, pause_s=0.05)], ids=["silent", "dribbling"])
def test_the_budget_bounds_the_whole_call(client: Making, behave: Behaviour) -> None:
    with FaultServer(behave) as worker, pytest.raises(TooLate):
        client(worker.url).scores(PAIRS, budget_s=0.3)


def test_a_busy_worker_counts_as_late(client: Making) -> None:
    with FaultServer(says(http(b"{}", status="503 Service Unavailable"))) as worker, pytest.raises(TooLate):
        client(worker.url).scores(PAIRS, budget_s=2)


def test_a_budget_that_is_over_before_the_call_asks_nobody(client: Making) -> None:
    with FaultServer(keeps(SCORES)) as worker:
        with pytest.raises(TooLate):
            client(worker.url).scores(PAIRS, budget_s=-1)
        assert worker.asked == []


@pytest.mark.parametrize(
    ("behave", "code", "told"),
    [
        (resets, "unreachable", "cannot be reached"),
        (says(b"SSH-2.0-OpenSSH_9.2\r\n"), "unreachable", "cannot be reached"),
        (says(http(b"", length=900)), "failed", "gave no scores"),
        (says(http(b"{}", status="401 Unauthorized")), "refused", "same RS_SIGNING_KEYS"),
        (says(http(b"{}", status="302 Found", extra="Location: http://elsewhere/\r\n")), "failed", "status 302"),
        (says(http(b"{}", status="500 Internal Server Error")), "failed", "status 500"),
        (says(http(b"<html>")), "failed", "gave no scores"),
        (says(http(b"[" * 50_000)), "failed", "gave no scores"),
        (says(http(b'{"scores": null}')), "failed", "gave no scores"),
        (says(http(b'{"scores": ["a", "b"]}')), "failed", "gave no scores"),
        (says(http(b'{"scores": [1.0]}')), "failed", "did not give 2 finite scores"),
        (says(http(b'{"scores": [1.0, NaN]}')), "failed", "did not give 2 finite scores"),
        (pours(1), "failed", "gave no scores"),
    ],
)
def test_whatever_the_worker_says_wrongly_is_told_and_not_believed(
    client: Making, behave: Behaviour, code: str, told: str
) -> None:
    with FaultServer(behave) as worker, pytest.raises(CannotAnswer, match=told) as raised:
        client(worker.url).scores(PAIRS, budget_s=3)
    assert raised.value.code == code


def test_a_dead_worker_is_left_alone_for_a_while_and_noticed_when_it_lives_again(client: Making) -> None:
    now = [100.0]
    with FaultServer(resets) as worker:
        asks = client(worker.url, clock=lambda: now[0])
        for _ in range(20):
            with pytest.raises(CannotAnswer, match="cannot be reached"):
                asks.scores(PAIRS, budget_s=2)
        assert len(worker.asked) == FAILURES
        now[0] += REST_S / 2
        worker.behave = keeps(SCORES)
        with pytest.raises(CannotAnswer):
            asks.scores(PAIRS, budget_s=2)
        now[0] += REST_S
        assert asks.scores(PAIRS, budget_s=2).tolist() == [2.5, -1.0]
        worker.drop_connections()
        worker.behave = resets
        with pytest.raises(CannotAnswer):
            asks.scores(PAIRS, budget_s=2)  # one failure after a success does not make it rest
        worker.behave = keeps(SCORES)
        assert asks.scores(PAIRS, budget_s=2).tolist() == [2.5, -1.0]


def test_a_late_worker_is_left_alone_too_and_stays_late_in_words(client: Making) -> None:
    with FaultServer(waits(10)) as worker:
        asks = client(worker.url, clock=lambda: 0.0)
        for _ in range(FAILURES + 2):
            with pytest.raises(TooLate):
                asks.scores(PAIRS, budget_s=0.05)
        assert len(worker.asked) <= FAILURES


def test_nobody_listens(client: Making) -> None:
    with pytest.raises(CannotAnswer, match=r"unreachable: .*ConnectionRefusedError"):
        client(f"http://127.0.0.1:{free_port()}").scores(PAIRS, budget_s=2)


@pytest.mark.parametrize(
    "url",
    [
        "127.0.0.1:5001",
        "https://127.0.0.1:5001",
        "http://",
        "http://u:p@h:1",
        "http://h:1/path",
        "http://h:1?q=1",
        "file:///etc",
    ],
)
def test_an_address_that_is_none_stops_the_start_without_its_secrets(url: str) -> None:
    with pytest.raises(ConfigurationError, match="CROSS_ENCODER_URL must look like http://host:port") as raised:
        PairClient(url, None)
    assert "u:p" not in raised.value.message


def test_one_process_has_one_client_per_address() -> None:
    assert client_of("http://127.0.0.1:1", KEY) is client_of("http://127.0.0.1:1", KEY)
    assert client_of("http://127.0.0.1:1", KEY) is not client_of("http://127.0.0.1:2", KEY)
