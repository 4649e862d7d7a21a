"""Every failure is a problem, and none tells the inside."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from apiflask import APIFlask
from flask import url_for
from flask.testing import FlaskClient

from recommendation_service.services.recommendation_service import RecommendationService
from recommendation_service.tests.support import service
from recommendation_service.tests.support.service import KEY, OLD_KEY, bearer
from recommendation_service.web.schemas import Problem

PATH = "/api/recommendations/startups/for-developer"
JSON = {"Content-Type": "application/json"}


def _is_problem(answer: Any, status: int) -> None:
    assert answer.status_code == status
    assert answer.content_type == "application/problem+json"
    body = Problem.model_validate(answer.json, strict=True)
    assert body.status == status
    assert body.request_id == answer.headers["X-Request-ID"]
    assert answer.headers["Cache-Control"] == "private, no-store"


def test_an_unknown_path_is_a_problem(client: FlaskClient) -> None:
    _is_problem(client.get("/nowhere"), 404)


def test_a_wrong_method_is_a_problem_that_lists_the_right_ones(client: FlaskClient) -> None:
    answer = client.delete(PATH, headers=bearer())
    _is_problem(answer, 405)
    assert "GET" in answer.headers["Allow"]


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"{",
        b'{"limit": NaN}',
        b'{"limit": Infinity}',
        b"[" * 100_000,
        b'{"user_id": "\xff"}',
        b'{"user_id": "\\ud800"}',
        b"[" * 900 + b"]" * 900,
        b'{"limit": 5, "limit": 6}',
        b'{"limit": 1e999}',
        b'{"limit": ' + b"9" * 309 + b"}",
    ],
)
def test_what_is_not_json_is_400(client: FlaskClient, body: bytes) -> None:
    _is_problem(client.post(PATH, data=body, headers=bearer() | JSON), 400)


@pytest.mark.parametrize("body", [b"[]", b"null", b"5", b'"text"', b"[" * 32 + b"]" * 32])
def test_json_that_is_no_object_is_422(client: FlaskClient, body: bytes) -> None:
    _is_problem(client.post(PATH, data=body, headers=bearer() | JSON), 422)


@pytest.mark.parametrize("kind", ["text/plain", "application/x-www-form-urlencoded", "multipart/form-data", ""])
def test_another_content_type_is_415(client: FlaskClient, kind: str) -> None:
    _is_problem(client.post(PATH, data=b"{}", headers=bearer() | {"Content-Type": kind}), 415)


def test_a_body_over_the_cap_is_413(client: FlaskClient) -> None:
    _is_problem(client.post(PATH, data=b'{"user_id": "' + b"a" * 256_000 + b'"}', headers=bearer() | JSON), 413)


def test_the_text_of_an_unexpected_error_never_leaves(
    serve: Callable[..., FlaskClient], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    service.export_startups(tmp_path)
    client = serve()

    def explode(_self: RecommendationService, _request: object, **_where: object) -> None:
        raise ZeroDivisionError("canary-secret in /private/path")

    monkeypatch.setattr(RecommendationService, "recommend", explode)
    answer = client.get(f"{PATH}/u001", headers=bearer())
    _is_problem(answer, 500)
    assert "canary" not in answer.text
    assert "ZeroDivision" not in answer.text
    assert "canary-secret" in (tmp_path / "logs" / "app.log").read_text()


def test_keys_and_tokens_never_reach_the_log(serve: Callable[..., FlaskClient], tmp_path: Path) -> None:
    service.export_startups(tmp_path)
    client = serve(RS_METRICS_TOKEN="metrics-secret-word")
    headers = bearer()
    client.get(f"{PATH}/u001", headers=headers)
    client.get(f"{PATH}/u001", headers={"Authorization": "Bearer wrong"})
    client.get("/health", headers=bearer(key="x" * 40))
    log = (tmp_path / "logs" / "app.log").read_text()
    assert "interactions" in log
    for secret in (KEY, OLD_KEY, "metrics-secret-word", headers["Authorization"].split()[1]):
        assert secret not in log


def test_in_production_the_log_names_no_user(serve: Callable[..., FlaskClient], tmp_path: Path) -> None:
    service.export_startups(tmp_path)
    serve().get(f"{PATH}/canary-person", headers=bearer())
    assert "canary-person" not in (tmp_path / "logs" / "app.log").read_text()


def test_no_route_of_the_service_fails_at_a_bad_body(whole: APIFlask) -> None:
    client = whole.test_client()
    names = {"use_case": "startups", "surface": "for-developer", "subject": "u001", "name": "bid"}
    tried = 0
    for rule in whole.url_map.iter_rules():
        with whole.test_request_context():
            address = url_for(rule.endpoint, **{name: names.get(name, "x") for name in rule.arguments})
        for body in (b"[" * 100_000, b'{"a":' * 100_000, b"9" * 100_000, b'{"a": 1e999}', b"\xff", b'{"a": 1, "a": 2}'):
            answer = client.post(address, data=body, headers=bearer(scope="recs:any recs:admin") | JSON)
            assert answer.status_code < 500, (address, answer.data)
            if rule.methods and "POST" in rule.methods and rule.arguments:
                assert answer.status_code == (413 if len(body) > 256_000 else 400), (address, answer.data)
                tried += 1
    assert tried >= 18  # both forms of a list, and estimates
