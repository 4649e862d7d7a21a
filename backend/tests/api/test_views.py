"""The probes."""

from typing import Any

import pytest
from django.db import OperationalError, connection
from django.test import Client


def test_livez_touches_nothing(client: Client) -> None:
    response = client.get("/livez")  # without the database mark, a query would fail the test
    assert (response.status_code, response.json()) == (200, {"status": "alive"})


@pytest.mark.django_db
def test_readyz_is_200_while_the_database_answers(client: Client) -> None:
    assert client.get("/readyz").status_code == 200


@pytest.mark.django_db
def test_readyz_is_503_when_it_does_not_and_tells_no_secret(client: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: Any, **__: Any) -> None:
        raise OperationalError("password authentication failed for user tandem at 10.0.0.7")

    monkeypatch.setattr(connection, "cursor", refuse)
    response = client.get("/readyz")
    assert response.status_code == 503
    assert b"10.0.0.7" not in response.content


@pytest.mark.parametrize("path", ["/livez", "/readyz"])
def test_probes_are_read_only(path: str, client: Client) -> None:
    assert client.post(path).status_code == 405
