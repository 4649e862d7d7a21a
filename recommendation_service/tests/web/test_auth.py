"""Nothing is open but the probes; a token must be whole, fresh, ours and wide enough."""

import base64
import hmac
import json
import time
from collections.abc import Callable
from hashlib import sha256
from typing import Any

import pytest
from flask.testing import FlaskClient

from recommendation_service.app import create_app
from recommendation_service.errors import ConfigurationError
from recommendation_service.settings import load_settings
from recommendation_service.tests.support.service import KEY, OLD_KEY, bearer, environment, token

MINE = "/api/recommendations/startups/for-developer/u001"
OTHERS = "/api/recommendations/startups/for-developer/u002"
NOBODYS = "/api/recommendations/startups/for-developer"


def _unsigned(**header: Any) -> str:
    now = int(time.time())
    claims = {"iss": "backend", "aud": ["recommendation_service"], "sub": "service", "scope": "recs:any"}
    claims |= {"iat": now, "exp": now + 60, "jti": "1"}
    parts = [base64.urlsafe_b64encode(json.dumps(part).encode()).rstrip(b"=").decode() for part in (header, claims)]
    return ".".join([*parts, ""])


def _signed_with_empty_key() -> str:
    text = _unsigned(alg="HS256", typ="JWT", kid="new").rstrip(".")
    mark = base64.urlsafe_b64encode(hmac.digest(b"", text.encode(), sha256)).rstrip(b"=").decode()
    return f"{text}.{mark}"


NOW = int(time.time())
FORGED: dict[str, Callable[[], str]] = {
    "another key": lambda: token(key="x" * 40),
    "another key id": lambda: token(kid="stranger"),
    "the other key's id": lambda: token(kid="old"),
    "no key id": lambda: token(kid=None),
    "algorithm none": lambda: _unsigned(alg="none", typ="JWT", kid="new"),
    "algorithm None with capitals": lambda: _unsigned(alg="NonE", typ="JWT", kid="new"),
    "another algorithm": lambda: token(algorithm="HS384", key=KEY * 2),
    "an empty key": _signed_with_empty_key,
    "expired": lambda: token(iat=NOW - 200, exp=NOW - 100),
    "no expiry": lambda: token(exp=None),
    "not yet valid": lambda: token(nbf=NOW + 60_000),
    "issued in the future": lambda: token(iat=NOW + 60_000, exp=NOW + 60_060),
    "another audience": lambda: token(aud=["backend"]),
    "an audience that is not a list": lambda: token(aud="recommendation_service"),
    "no audience": lambda: token(aud=None),
    "another issuer": lambda: token(iss="somebody"),
    "no subject": lambda: token(sub=None),
    "an empty subject": lambda: token(subject=""),
    "no scope": lambda: token(scope=None),  # type: ignore[arg-type]  # that is the point
    "scopes as a list": lambda: token(scope=["recs:any"]),  # type: ignore[arg-type]  # that is the point
    "no token id": lambda: token(jti=None),
    "living for a year": lambda: token(exp=NOW + 365 * 86_400),
    "cut short": lambda: token()[:-4],
    "not a token": lambda: "abc",
    "far too long": lambda: "a" * 100_000,
    "key id that is a path": lambda: token(kid="../../etc/passwd"),
}


@pytest.mark.parametrize("name", FORGED)
def test_a_forged_token_gets_401_with_a_challenge(client: FlaskClient, name: str) -> None:
    answer = client.get(MINE, headers={"Authorization": f"Bearer {FORGED[name]()}"})
    assert answer.status_code == 401
    assert answer.headers["WWW-Authenticate"].startswith("Bearer")
    assert answer.json["code"] == "unauthenticated"


@pytest.mark.parametrize("value", ["", "Bearer", "Bearer ", "Basic dXNlcjpwYXNz", "Bearer ü", f"Token {KEY}", KEY])
def test_an_authorization_header_that_is_no_token_gets_401(client: FlaskClient, value: str) -> None:
    assert client.get(MINE, headers={"Authorization": value.encode("utf-8").decode("latin-1")}).status_code == 401


def test_every_key_of_the_ring_verifies(client: FlaskClient) -> None:
    assert client.get(MINE, headers=bearer()).status_code == 200
    assert client.get(MINE, headers=bearer(key=OLD_KEY, kid="old")).status_code == 200


def test_thirty_seconds_of_clock_skew_are_forgiven_and_no_more(client: FlaskClient) -> None:
    now = int(time.time())
    assert client.get(MINE, headers=bearer(iat=now - 80, exp=now - 20)).status_code == 200
    assert client.get(MINE, headers=bearer(iat=now - 95, exp=now - 35)).status_code == 401


def test_a_token_that_was_verified_before_still_expires(client: FlaskClient, monkeypatch: pytest.MonkeyPatch) -> None:
    now, mine = int(time.time()), bearer(iat=int(time.time()), exp=int(time.time()) + 60)
    assert client.get(MINE, headers=mine).status_code == 200
    monkeypatch.setattr("recommendation_service.core.signing.time.time", lambda: now + 89.0)
    assert client.get(MINE, headers=mine).status_code == 200
    monkeypatch.setattr("recommendation_service.core.signing.time.time", lambda: now + 91.0)
    assert client.get(MINE, headers=mine).json["detail"].startswith("the token has expired")


def test_ones_own_list_needs_only_recs_self(client: FlaskClient) -> None:
    answer = client.get(MINE, headers=bearer("u001", "recs:self"))
    assert answer.status_code == 200
    assert answer.json["user_id"] == "u001"


def test_somebody_elses_list_reads_like_one_that_does_not_exist(client: FlaskClient) -> None:
    mine = bearer("u001", "recs:self")
    bodies = []
    for path in (
        OTHERS,
        "/api/recommendations/startups/for-developer/nobody-knows",
        "/api/recommendations/startups/nowhere/u001",
    ):
        answer = client.get(path, headers=mine)
        assert answer.status_code == 404
        bodies.append({name: value for name, value in answer.json.items() if name not in ("instance", "request_id")})
    assert bodies[0] == bodies[1] == bodies[2]


def test_a_posted_user_id_is_checked_like_one_in_the_path(client: FlaskClient) -> None:
    mine = bearer("u001", "recs:self")
    assert client.post(NOBODYS, json={"user_id": "u002"}, headers=mine).status_code == 404
    assert client.post(NOBODYS, json={"user_id": "u001"}, headers=mine).status_code == 200


def test_a_token_without_scopes_sees_nothing(client: FlaskClient) -> None:
    assert client.get(MINE, headers=bearer("u001", "")).status_code == 404
    assert client.get(NOBODYS, headers=bearer("u001", "")).status_code == 404


ANONYMOUS, SELF, SERVICE, ADMIN, METRICS = "anonymous", "self", "service", "admin", "metrics"
MATRIX = {
    ("GET", "/livez"): {ANONYMOUS: 200, SELF: 200, SERVICE: 200, ADMIN: 200, METRICS: 200},
    ("GET", "/readyz"): {ANONYMOUS: 200, SELF: 200, SERVICE: 200, ADMIN: 200, METRICS: 200},
    ("GET", "/health"): {ANONYMOUS: 401, SELF: 403, SERVICE: 200, ADMIN: 200, METRICS: 200},
    ("GET", "/metrics"): {ANONYMOUS: 401, SELF: 403, SERVICE: 200, ADMIN: 200, METRICS: 200},
    ("GET", "/openapi.json"): {ANONYMOUS: 200, SELF: 200, SERVICE: 200, ADMIN: 200, METRICS: 200},
    ("GET", "/docs"): {ANONYMOUS: 200, SELF: 200, SERVICE: 200, ADMIN: 200, METRICS: 200},
    ("GET", "/api/models"): {ANONYMOUS: 401, SELF: 403, SERVICE: 200, ADMIN: 200, METRICS: 401},
    ("POST", "/api/models/reload"): {ANONYMOUS: 401, SELF: 403, SERVICE: 403, ADMIN: 200, METRICS: 401},
    ("GET", "/api/recommendations/<use_case>/<surface>"): {ANONYMOUS: 401, SELF: 200, SERVICE: 200, ADMIN: 404, METRICS: 401},
    ("GET", "/api/recommendations/<use_case>/<surface>/<subject>"): {
        ANONYMOUS: 401,
        SELF: 404,
        SERVICE: 200,
        ADMIN: 404,
        METRICS: 401,
    },
    ("POST", "/api/recommendations/<use_case>/<surface>"): {ANONYMOUS: 401, SELF: 200, SERVICE: 200, ADMIN: 404, METRICS: 401},
    ("POST", "/api/recommendations/<use_case>/<surface>/<subject>"): {
        ANONYMOUS: 401,
        SELF: 404,
        SERVICE: 200,
        ADMIN: 404,
        METRICS: 401,
    },
    ("POST", "/api/estimates/<use_case>/<name>"): {ANONYMOUS: 401, SELF: 404, SERVICE: 422, ADMIN: 404, METRICS: 401},
}


def test_every_route_has_a_row_in_the_matrix(client: FlaskClient) -> None:
    rules = client.application.url_map.iter_rules()
    routes = {(method, rule.rule) for rule in rules for method in (rule.methods or set()) - {"HEAD", "OPTIONS"}}
    assert routes == set(MATRIX)


@pytest.mark.parametrize("route", MATRIX, ids=" ".join)
def test_each_kind_of_caller_gets_what_the_matrix_says(client: FlaskClient, route: tuple[str, str]) -> None:
    method, rule = route
    path = rule.replace("<use_case>", "startups").replace("<surface>", "for-developer").replace("<subject>", "u002")
    callers = {
        ANONYMOUS: {},
        SELF: bearer("u001", "recs:self"),
        SERVICE: bearer(),
        ADMIN: bearer("service", "recs:admin"),
        METRICS: {"Authorization": "Bearer metrics-word"},
    }
    body = {"json": {}} if method == "POST" else {}
    got = {name: client.open(path, method=method, headers=headers, **body).status_code for name, headers in callers.items()}
    assert got == MATRIX[route]


@pytest.mark.parametrize(
    ("variables", "told"),
    [
        ({"RS_SIGNING_KEYS": ""}, "RS_SIGNING_KEYS is empty"),
        ({"RS_SIGNING_KEYS": "", "RS_INSECURE_DEV": "1"}, "RS_INSECURE_DEV=1 needs ENV=dev"),
        ({"RS_SIGNING_KEYS": "", "RS_INSECURE_DEV": "1", "ENV": "dev", "RS_HOST": "0.0.0.0"}, "loopback"),  # noqa: S104  # refused
    ],
)
def test_it_does_not_start_open(tmp_path: Any, variables: dict[str, str], told: str) -> None:
    with pytest.raises(ConfigurationError, match=told):
        create_app(load_settings(environment(tmp_path, **variables)))


def test_insecure_dev_on_loopback_needs_no_token(serve: Callable[..., FlaskClient]) -> None:
    client = serve(RS_SIGNING_KEYS="", RS_INSECURE_DEV="1", ENV="dev")
    assert client.get("/api/models").status_code == 200
    assert client.get("/metrics").status_code == 200
