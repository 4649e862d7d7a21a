"""Every route of every site against bodies that nobody should send: refused in one line, never an error of the server."""

import re
from collections.abc import Callable
from http import HTTPStatus
from typing import Any
from uuid import UUID

import pytest
from django.contrib.auth.models import User
from django.test import Client

from tandem.api.problem_details import PROBLEM_JSON
from tandem.service_client.client import RecommendationClient
from tests.support import board
from tests.tandem.api.test_authorization import routes

pytestmark = pytest.mark.django_db

JSON = "application/json"
FORM = "application/x-www-form-urlencoded"
MULTIPART = "multipart/form-data; boundary=x"
BODIES = {
    "deep arrays": (b"[" * 100_000, JSON),
    "deep objects": (b'{"a":' * 100_000, JSON),
    "900 levels": (b"[" * 900 + b"]" * 900, JSON),
    "long number": (b'{"limit": ' + b"9" * 100_000 + b"}", JSON),
    "infinite number": (b'{"limit": 1e999}', JSON),
    "NaN": (b'{"limit": NaN}', JSON),
    "Infinity": (b'[{"limit": -Infinity}]', JSON),
    "invalid UTF-8": (b'{"user_id": "\xff\xfe"}', JSON),
    "UTF-16": ('{"user_id": "a"}'.encode("utf-16"), JSON),
    "a key twice": (b'{"user_id": "a", "user_id": "b"}', JSON),
    "another charset": (b'{"user_id": "\xe9"}', "application/json; charset=latin-1"),
    "an unknown charset": (b'{"user_id": "\xe9"}', "application/json; charset=none-such"),
    "wrong type": (b"<a/>", "text/xml"),
    "no type": (b"{}", ""),
    "too large": (b'{"a": "' + b"a" * 1_100_000 + b'"}', JSON),
    "too many fields": (b"&".join(b"a%d=1" % number for number in range(1100)), FORM),
    "NUL in a form": (b"csrfmiddlewaretoken=%00&title=%00&user_id=%00&item=%00&key=%00", FORM),
    "bad UTF-8 in a form": (b"title=%ff%fe&user_id=%ff", FORM),
    "a form too large": (b"a=" + b"a" * 1_100_000, FORM),
    "broken multipart": (b'--x\r\nContent-Disposition: form-data; name="a"\r\n', MULTIPART),
    "multipart without boundary": (b"abc", "multipart/form-data"),
}
NEVER_READ = {name for name, (_, kind) in BODIES.items() if not kind.startswith((FORM, "multipart"))}
REFUSED = (HTTPStatus.BAD_REQUEST, HTTPStatus.REQUEST_ENTITY_TOO_LARGE, HTTPStatus.UNSUPPORTED_MEDIA_TYPE)
SAMPLES = {"int": "1", "uuid": str(UUID(int=1)), "slug": "posts", "str": "1", "path": "1"}
PARAMETER = re.compile(r"<(?:(\w+):)?\w+>")


def addresses() -> list[str]:
    """One address of each route, with a sample for each parameter."""
    plain = [route for route in routes() if not route.endswith("$")]  # the others send a missing slash, and read no body
    assert len(plain) > 150
    return sorted({"/" + PARAMETER.sub(lambda found: SAMPLES[found[1] or "str"], route) for route in plain})


@pytest.fixture
def root(client: Client, service_at: Callable[[str], RecommendationClient]) -> Client:
    """A visitor whom no permission stops before the body is read. Exceptions are answers, as on a server."""
    service_at("http://127.0.0.1:9")
    board.make_startups(3)
    account = User.objects.create_superuser("root")
    board.make_developer("Root", account)
    client.force_login(account)
    client.raise_request_exception = False
    return client


@pytest.mark.parametrize("name", BODIES)
def test_no_route_fails_at_a_bad_body(name: str, root: Client, settings: Any) -> None:
    settings.TANDEM = {**settings.TANDEM, "THROTTLE": ""}
    body, kind = BODIES[name]
    for address in addresses():
        if address.startswith("/admin/log") or "jsi18n" in address:
            continue  # Django's own, which end the session
        for method in ("POST", "PUT", "PATCH") if address.startswith("/api/") else ("POST",):
            answer = root.generic(method, address, body, content_type=kind)
            assert answer.status_code < 500, (method, address, answer.status_code)
            if answer.headers["Content-Type"] == PROBLEM_JSON:
                problem = answer.json()
                assert "\n" not in problem["detail"], address
                if name in NEVER_READ:
                    refused = (*REFUSED, HTTPStatus.NOT_FOUND, HTTPStatus.METHOD_NOT_ALLOWED)
                    assert answer.status_code in refused, (method, address, answer.status_code)


@pytest.mark.parametrize("name", sorted(NEVER_READ))
@pytest.mark.parametrize("address", ["/api/v1/interactions", "/api/v1/feedback", "/api/v1/cleaning/jobs"])
def test_a_body_that_cannot_be_read_is_told_why(address: str, name: str, root: Client) -> None:
    body, kind = BODIES[name]
    answer = root.generic("POST", address, body, content_type=kind)
    assert answer.status_code in REFUSED, answer.content
    if name == "too large":
        assert answer.status_code == HTTPStatus.REQUEST_ENTITY_TOO_LARGE
