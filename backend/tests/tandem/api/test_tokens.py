"""Django's own doors: which tokens open them, and which never do."""

import time
import uuid
from typing import Any

import jwt
import pytest
from django.conf import settings

from recommendation_service.errors import ConfigurationError, Unauthenticated
from tandem.service_client import tokens
from tests.support import board

KEY = b"k" * 40
NOW = int(time.time())
CLAIMS: dict[str, Any] = {
    "iss": "backend",
    "aud": ["backend"],
    "sub": "u1",
    "scope": "recs:self",
    "iat": NOW,
    "exp": NOW + 3600,  # made when the file is read, used whenever its test's turn comes
    "jti": str(uuid.uuid4()),
}


def forged(
    *, key: bytes | str = KEY, algorithm: str = "HS256", kid: str | None = "test", without: str = "", **claims: Any
) -> str:
    body = {name: value for name, value in {**CLAIMS, **claims}.items() if name != without}
    return jwt.encode(body, key, algorithm=algorithm, headers={} if kid is None else {"kid": kid})


def test_an_honest_token_opens() -> None:
    assert tokens.verify(forged()) == tokens.Claims("u1", frozenset({"recs:self"}))


FORGERIES = {
    "no signature": forged(key="", algorithm="none"),
    "another key": forged(key=b"x" * 40),
    "another algorithm": forged(key=b"k" * 64, algorithm="HS512"),
    "no kid": forged(kid=None),
    "unknown kid": forged(kid="other"),
    "expired": forged(iat=NOW - 200, exp=NOW - 100),
    "from the future": forged(iat=NOW + 50_000, exp=NOW + 50_100, nbf=NOW + 50_000),
    "for the other service only": forged(aud=["recommendation_service"]),
    "audience as a word": forged(aud="backend"),
    "another issuer": forged(iss="someone"),
    "no subject": forged(sub=""),
    "scope a list": forged(scope=["recs:any"]),
    "lives two days": forged(exp=NOW + 2 * 86_400),
    **{f"without {name}": forged(without=name) for name in CLAIMS},
    "not a token": "abc.def.ghi",
    "empty parts": "..",
    "endless": "a" * 10_000,
    "not ascii": "é.é.é",
}


@pytest.mark.filterwarnings("ignore::jwt.warnings.InsecureKeyLengthWarning")
@pytest.mark.parametrize("name", FORGERIES)
def test_a_forged_token_opens_nothing(name: str) -> None:
    with pytest.raises(Unauthenticated) as caught:
        tokens.verify(FORGERIES[name])
    assert "kkk" not in caught.value.message


def test_a_clock_half_a_minute_off_is_forgiven_and_more_is_not() -> None:
    now = int(time.time())
    tokens.verify(forged(exp=now - 20))
    with pytest.raises(Unauthenticated, match="expired"):
        tokens.verify(forged(exp=now - 40))


def test_every_key_of_the_ring_verifies_and_the_first_signs(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(settings.TANDEM, "SIGNING_KEYS", f"new:{'n' * 32},test:{'k' * 40}")
    assert tokens.verify(forged()).subject == "u1"
    token = tokens.issue(subject="u2", audience=["backend"])
    assert jwt.get_unverified_header(token)["kid"] == "new"
    assert tokens.verify(token).subject == "u2"


@pytest.mark.parametrize("ring", ["short:abc", ":" + "k" * 40, "nosecret"])
def test_a_bad_key_ring_says_what_it_must_look_like(ring: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(settings.TANDEM, "SIGNING_KEYS", ring)
    with pytest.raises(ConfigurationError, match="kid:secret"):
        tokens.issue(subject="u1")


def test_without_a_key_nothing_is_signed_and_nothing_opens(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(settings.TANDEM, "SIGNING_KEYS", "")
    with pytest.raises(ConfigurationError, match="RS_SIGNING_KEYS is empty"):
        tokens.issue(subject="u1")
    with pytest.raises(Unauthenticated):
        tokens.verify(forged(key=b"k" * 40))


@pytest.mark.django_db
@pytest.mark.parametrize("word", ["Bearer ", "Bearer", "Bearer x", "bearer a.b.c", "Bearer \udc80", "Basic dTpw"])
def test_a_header_that_is_no_token_is_a_401_with_a_challenge(word: str, client: Any) -> None:
    response = client.get(board.PATH.format("u1"), HTTP_AUTHORIZATION=word)
    assert response.status_code == 401
    assert response["Content-Type"] == "application/problem+json"
    assert response["WWW-Authenticate"].startswith("Bearer")
    assert response.json()["code"] == "unauthenticated"
