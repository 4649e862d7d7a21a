"""A whole service whose list is reread by a worker: the answer says who ordered it, or why nobody did, and is never empty."""

import json
import socket
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from flask.testing import FlaskClient

from benchmarks.performance.serving import free_port
from recommendation_service.app import create_app
from recommendation_service.errors import ConfigurationError
from recommendation_service.rankers.cross_encoder import client_of
from recommendation_service.tests.support import service
from recommendation_service.tests.support.exports import clubs, write_export
from recommendation_service.use_cases.loader import load_file
from tests.support.faults import FaultServer, http, waits

CLUB = """
name = "startups"
catalogues = ["startups"]
[events]
like = 3.0
[engines]
near = { kind = "embedding" }
popular = { kind = "popularity" }
[rankers]
reader = { kind = "cross_encoder" }
[surfaces.home]
catalogue = "startups"
router = { kind = "fixed", options = { engine = "near" } }
fallback = ["near", "popular"]
rerank = [{ kind = "rescore", options = { by = ["reader"], top = 5, budget_ms = 300 } }]
"""
HOME = "/api/recommendations/startups/home/u001?limit=8&explain=true"


@pytest.fixture
def club(tmp_path: Path) -> Iterator[Callable[..., FlaskClient]]:
    """Starts the service with these settings over an export and vectors."""
    (tmp_path / "cases").mkdir()
    (tmp_path / "cases" / "startups.toml").write_text(CLUB)
    write_export(tmp_path / "data", load_file(tmp_path / "cases" / "startups.toml"), *clubs())
    service.publish(tmp_path, "embedding")

    def start(**more: str) -> FlaskClient:
        return create_app(service.settings_under(tmp_path, RS_USE_CASES_DIR=str(tmp_path / "cases"), **more)).test_client()

    yield start
    client_of.cache_clear()


def asked(client: FlaskClient) -> dict[str, Any]:
    answer = client.get(HOME, headers=service.bearer())
    assert answer.status_code == 200
    assert answer.json is not None
    return dict(answer.json)


def ids(answer: dict[str, Any]) -> list[str]:
    return [one["item_id"] for one in answer["recommendations"]]


def backwards(server: FaultServer, accepted: socket.socket, request: dict[str, Any]) -> bool:
    """Likes the last pair best."""
    scores = json.dumps({"scores": list(range(len(request["pairs"])))}).encode()
    accepted.sendall(http(scores, extra="Connection: close\r\n"))
    return False


def test_the_best_few_come_in_the_order_of_the_worker_and_keep_their_own_score(club: Callable[..., FlaskClient]) -> None:
    plain = asked(club())
    with FaultServer(backwards) as worker:
        answer = asked(club(CROSS_ENCODER_URL=worker.url))
        assert len(worker.asked[0]["pairs"]) == 5
        assert worker.asked[0]["pairs"][0][1].startswith("Item ")
    assert ids(answer) == ids(plain)[4::-1] + ids(plain)[5:]
    assert (answer["degraded"], answer["degradation"]) == (False, [])
    own = {one["item_id"]: one["score"] for one in plain["recommendations"]}
    told = {one["item_id"]: one["parts"]["score"] for one in answer["recommendations"][:5]}
    assert told == pytest.approx({item: own[item] for item in told}, abs=1e-6)
    assert ("rescore", "by reader") in [(one["name"], one["detail"]) for one in answer["stages"]]


@pytest.mark.parametrize("code", ["unreachable", "timeout"])
def test_a_worker_that_is_dead_or_asleep_is_told_and_the_list_is_the_engines(
    club: Callable[..., FlaskClient], code: str
) -> None:
    plain = ids(asked(club()))
    with FaultServer(waits(10)) as worker:
        url = worker.url if code == "timeout" else f"http://127.0.0.1:{free_port()}"
        answer = asked(club(CROSS_ENCODER_URL=url))
    assert ids(answer) == plain
    assert answer["method_used"] == "near"
    assert [(one["engine"], one["code"]) for one in answer["degradation"]] == [("reader", code)]


def test_a_model_that_nobody_serves_is_told(club: Callable[..., FlaskClient]) -> None:
    answer = asked(club(CROSS_ENCODER_MODEL="models/gone"))
    assert [(one["engine"], one["code"]) for one in answer["degradation"]] == [("reader", "unreachable")]
    assert "CROSS_ENCODER_URL is not" in answer["degradation"][0]["detail"]
    assert len(answer["recommendations"]) == 8


def test_an_address_that_is_none_stops_the_start(club: Callable[..., FlaskClient]) -> None:
    with pytest.raises(ConfigurationError, match="CROSS_ENCODER_URL must look like"):
        club(CROSS_ENCODER_URL="https://reader.example/scores")
