"""Probes, health, metrics."""

from collections.abc import Callable
from pathlib import Path

import pytest
from flask.testing import FlaskClient

from recommendation_service.tests.support import service
from recommendation_service.tests.support.service import bearer


def test_livez_answers_without_anything(serve: Callable[..., FlaskClient]) -> None:
    assert serve().get("/livez").json == {"status": "ok", "detail": "", "state": ""}


def test_readyz_is_503_with_the_reason_while_no_catalogue_can_answer(serve: Callable[..., FlaskClient]) -> None:
    answer = serve().get("/readyz")
    assert answer.status_code == 503
    assert "generate_all_datasets" in answer.json["detail"]


def test_popular_items_alone_make_it_ready(serve: Callable[..., FlaskClient], tmp_path: Path) -> None:
    service.export_startups(tmp_path)
    assert serve().get("/readyz").status_code == 200


def test_the_state_changes_with_every_model_and_is_that_of_the_answers(
    serve: Callable[..., FlaskClient], tmp_path: Path
) -> None:
    service.export_startups(tmp_path)
    path = "/api/recommendations/startups/for-developer/fan-1"
    states = []
    for kind in (None, "als", "als"):
        if kind:
            service.publish(tmp_path, kind)
        client = serve()
        states.append(client.get("/readyz").json["state"])
        assert client.get(path, headers=bearer()).headers["X-Serving-State"] == states[-1]
    assert len(states[0]) == 16
    assert states[0] != states[1]


def test_health_names_what_is_missing_and_the_command(serve: Callable[..., FlaskClient], tmp_path: Path) -> None:
    service.export_startups(tmp_path)
    service.publish(tmp_path, "als")
    body = serve().get("/health", headers=bearer()).json
    startups = next(one for one in body["use_cases"] if one["use_case"] == "startups")
    assert body["status"] == "degraded"
    assert startups["engines"] == ["als", "popular"]
    assert "two_tower" in startups["detail"]
    assert "tandem train all" in startups["detail"]


def test_stated_weights_that_wait_for_learned_ones_are_told_and_nothing_is_degraded_for_it(
    serve: Callable[..., FlaskClient], tmp_path: Path
) -> None:
    service.export_startups(tmp_path)
    for kind in ("als", "two_tower", "content", "ease", "next_item"):
        service.publish(tmp_path, kind)
    body = serve(RS_USE_CASES="startups").get("/health", headers=bearer()).json
    (startups,) = body["use_cases"]
    assert body["status"] == "ok"
    assert startups["detail"] == "ensemble: configured weights serve until train_all publishes learned ones"
    (row,) = (one for one in body["models"] if one["kind"] == "ensemble")
    assert (row["version"], row["label"]) == (None, startups["detail"])


def test_health_is_ok_when_everything_is_there(serve: Callable[..., FlaskClient], tmp_path: Path) -> None:
    service.export_startups(tmp_path)
    service.publish_all(tmp_path)
    assert serve(RS_USE_CASES="startups").get("/health", headers=bearer()).json["status"] == "ok"


@pytest.mark.parametrize("word", ["metrics-wor", "metrics-word2", "METRICS-WORD"])
def test_the_metrics_word_must_match_exactly(client: FlaskClient, word: str) -> None:
    assert client.get("/metrics", headers={"Authorization": f"Bearer {word}"}).status_code == 401


def test_metrics_count_answers_by_engine(client: FlaskClient) -> None:
    client.get("/api/recommendations/startups/for-developer/u001", headers=bearer())
    text = client.get("/metrics", headers=bearer()).text
    assert 'recs_answers_total{degraded="false",method="als",surface="for-developer",use_case="startups"}' in text
    assert "recs_request_seconds_bucket" in text


def test_metrics_have_no_user_ids(client: FlaskClient) -> None:
    client.get("/api/recommendations/startups/for-developer/canary-person", headers=bearer())
    assert "canary-person" not in client.get("/metrics", headers=bearer()).text
