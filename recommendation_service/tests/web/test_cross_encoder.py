"""The worker's door: who may ask, what a question is, and that nobody waits for an answer that is of no use any more."""

import threading
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from flask.testing import FlaskClient

from recommendation_service.core.numeric import Floats
from recommendation_service.errors import ConfigurationError
from recommendation_service.settings import load_settings
from recommendation_service.tests.support.service import bearer, settings_under
from recommendation_service.web.cross_encoder import BATCH, MAX_PAIRS, create_worker


def ours() -> dict[str, str]:
    """A token of this moment: one made when the file is read is too old by the time a long run comes here."""
    return bearer(aud=["cross_encoder"], scope="")


def by_length(pairs: Sequence[tuple[str, str]]) -> Floats:
    return np.array([len(document) for _, document in pairs], dtype=np.float32)


@pytest.fixture
def worker(tmp_path: Path) -> FlaskClient:
    return create_worker(settings_under(tmp_path), by_length, model="tiny").test_client()


def test_each_pair_gets_its_score(worker: FlaskClient) -> None:
    answer = worker.post("/scores", json={"pairs": [["q", "abc"], ["q", ""]], "budget_ms": 500}, headers=ours())
    assert (answer.status_code, answer.json) == (200, {"scores": [3.0, 0.0], "model": "tiny"})
    assert answer.headers["Cache-Control"] == "private, no-store"


@pytest.mark.parametrize("headers", [{}, bearer(), bearer(aud=["cross_encoder"], key="x" * 40), {"Authorization": "Bearer x"}])
def test_a_stranger_and_a_token_for_another_door_are_sent_away(worker: FlaskClient, headers: dict[str, str]) -> None:
    answer = worker.post("/scores", json={"pairs": [["q", "d"]]}, headers=headers)
    assert (answer.status_code, answer.content_type) == (401, "application/problem+json")


@pytest.mark.parametrize(
    ("body", "pointer"),
    [
        ({}, "/pairs"),
        ({"pairs": []}, "/pairs"),
        ({"pairs": [["q", "d"]] * (MAX_PAIRS + 1)}, "/pairs"),
        ({"pairs": [["q", "d", "more"]]}, "/pairs/0"),
        ({"pairs": [["q", 3]]}, "/pairs/0/1"),
        ({"pairs": [["q", "d" * 2_001]]}, "/pairs/0/1"),
        ({"pairs": [["q", "d"]], "budget_ms": 0}, "/budget_ms"),
        ({"pairs": [["q", "d"]], "model": "another"}, "/model"),
    ],
)
def test_a_wrong_question_is_told_where_it_is_wrong(worker: FlaskClient, body: dict[str, Any], pointer: str) -> None:
    answer = worker.post("/scores", json=body, headers=ours())
    assert answer.status_code == 422
    assert answer.json is not None
    assert pointer in [one["pointer"] for one in answer.json["errors"]]


def test_a_body_that_is_no_question_at_all_is_refused(worker: FlaskClient) -> None:
    assert worker.post("/scores", data=b"pairs", headers=ours()).status_code == 415
    assert worker.post("/scores", data=b"{", content_type="application/json", headers=ours()).status_code == 400
    assert worker.post("/scores", data=b" " * 300_000, content_type="application/json", headers=ours()).status_code == 413


def test_it_lives_without_a_token(worker: FlaskClient) -> None:
    assert worker.get("/livez").json == {"status": "ok", "model": "tiny"}


def test_who_would_wait_longer_than_the_answer_is_of_use_is_sent_away(tmp_path: Path) -> None:
    begun, may_end = threading.Event(), threading.Event()

    def slow(pairs: Sequence[tuple[str, str]]) -> Floats:
        begun.set()
        may_end.wait(30)
        return by_length(pairs)

    app = create_worker(settings_under(tmp_path), slow, model="tiny")
    first: list[int] = []
    ask = {"pairs": [["q", "d"]], "budget_ms": 30_000}
    thread = threading.Thread(
        target=lambda: first.append(app.test_client().post("/scores", json=ask, headers=ours()).status_code)
    )
    thread.start()
    assert begun.wait(30)
    second = app.test_client().post("/scores", json={**ask, "budget_ms": 20}, headers=ours())
    may_end.set()
    thread.join()
    assert (second.status_code, second.headers["Retry-After"], first) == (503, "5", [200])


def test_a_question_whose_time_is_over_stops_half_way(tmp_path: Path) -> None:
    read: list[int] = []

    def slow(pairs: Sequence[tuple[str, str]]) -> Floats:
        read.append(len(pairs))
        time.sleep(0.03)
        return by_length(pairs)

    worker = create_worker(settings_under(tmp_path), slow, model="tiny").test_client()
    answer = worker.post("/scores", json={"pairs": [["q", "d"]] * 100, "budget_ms": 20}, headers=ours())
    assert answer.status_code == 503
    assert read == [BATCH]
    whole = worker.post(
        "/scores", json={"pairs": [["q", "d" * n] for n in range(BATCH + 2)], "budget_ms": 30_000}, headers=ours()
    )
    assert whole.json is not None
    assert whole.json["scores"] == list(range(BATCH + 2))
    assert read == [BATCH, BATCH, 2]


def test_a_model_that_fails_frees_the_way_for_the_next_question(tmp_path: Path) -> None:
    calls: list[int] = []

    def fails_once(pairs: Sequence[tuple[str, str]]) -> Floats:
        calls.append(len(pairs))
        if len(calls) == 1:
            raise RuntimeError("canary")
        return by_length(pairs)

    worker = create_worker(settings_under(tmp_path), fails_once, model="tiny").test_client()
    first, second = (worker.post("/scores", json={"pairs": [["q", "d"]]}, headers=ours()) for _ in range(2))
    assert (first.status_code, second.status_code) == (500, 200)
    assert b"canary" not in first.data


def test_without_keys_it_does_not_start() -> None:
    with pytest.raises(ConfigurationError, match="RS_SIGNING_KEYS is empty"):
        create_worker(load_settings({}), by_length, model="tiny")
    open_one = load_settings({"ENV": "dev", "RS_INSECURE_DEV": "1"})
    assert create_worker(open_one, by_length, model="tiny").test_client().post("/scores", json={"pairs": [["q", "d"]]}).json
