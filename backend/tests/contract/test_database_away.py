"""While the database does not answer, every list endpoint of every site answers all the same; the rest says 503 in a line."""

from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.db import OperationalError, connections
from django.test import Client
from django.urls import get_resolver

from tandem.models import Impression, UserInteraction
from tandem.service_client.client import RecommendationClient
from tests.support import board
from tests.support.faults import FaultServer, good
from tests.support.list_endpoints import ENDPOINTS

pytestmark = pytest.mark.django_db(transaction=True)
Point = Callable[[str], RecommendationClient]
DEAD = "http://127.0.0.1:9"


@contextmanager
def away() -> Iterator[list[str]]:
    """Refuse every statement on every database; gives the statements that were tried."""
    tried: list[str] = []

    def refuse(_run: Any, sql: str, *_rest: Any) -> Any:
        tried.append(sql)
        raise OperationalError("the server closed the connection unexpectedly")

    with ExitStack() as stack:
        for connection in connections.all():
            stack.enter_context(connection.execute_wrapper(refuse))
        yield tried


@pytest.mark.parametrize("name", ENDPOINTS)
def test_the_list_comes_from_the_service(name: str, service_at: Point) -> None:
    one = ENDPOINTS[name]()
    with FaultServer(good(one.item_ids, use_case=one.use_case, surface=one.surface)) as server, away() as tried:
        service_at(server.url)
        reply = Client().get(one.path, headers=board.service_header())
    assert reply.status_code == 200, reply.content
    assert reply.json()["degraded"]
    assert {"engine": "database", "code": "unreachable"}.items() <= reply.json()["degradation"][-1].items()
    rows = reply.json()[one.rows]
    assert [str(row.get("item_id") or row.get("id") or row.get("course_id") or row["product_id"]) for row in rows] == (
        one.item_ids[: len(rows)]
    )
    assert len(rows) >= 4
    assert all(row.get("title") or row["name"] for row in rows)
    assert tried


@pytest.mark.parametrize("name", ENDPOINTS)
def test_without_the_service_too_the_list_is_what_was_popular_before(name: str, service_at: Point) -> None:
    one = ENDPOINTS[name]()
    assert one.user_id is not None
    service_at(DEAD)
    before = Client().get(one.path, headers=board.service_header()).json()[one.rows]
    assert before
    with away():
        reply = Client().get(one.path, headers=board.service_header())
    assert reply.status_code == 200, reply.content
    assert reply.json()["degraded"]
    assert reply.json()[one.rows]


@pytest.mark.parametrize("path", ["/startups/", "/posts/", "/shop/", "/courses/", "/cleaning/", "/admin/login/", "/"])
def test_a_page_says_503_in_one_line(path: str) -> None:
    client = Client(raise_request_exception=False)
    client.force_login(User.objects.create_superuser("root"))
    with away():
        reply = client.get(path)
    if path == "/admin/login/" and reply.status_code in (200, 302):
        return
    assert (reply.status_code, reply["Retry-After"]) == (503, "5")
    assert reply.content.decode().count("\n") == 0


def test_events_are_refused_with_the_time_to_try_again() -> None:
    ada, (startup,) = board.make_developer("Ada"), board.make_startups(1)
    row = {"user_id": str(ada.pk), "item_id": str(startup.pk), "event": "like", "use_case": "startups"}
    with away():
        reply = Client(raise_request_exception=False).post(
            "/api/v1/interactions", row, content_type="application/json", headers=board.service_header()
        )
    assert (reply.status_code, reply["Retry-After"], reply.json()["code"]) == (503, "5", "no_database")
    assert UserInteraction.objects.count() == 0


def test_every_url_without_a_database_is_never_an_error_of_ours() -> None:
    client = Client(raise_request_exception=False)
    client.force_login(User.objects.create_superuser("root"))
    wrong = {}
    with away():
        for pattern in sorted(_paths()):
            for headers in ({}, board.service_header()):
                reply = client.get(f"/{pattern}", headers=headers)
                if reply.status_code >= 500 and reply.status_code != 503:
                    wrong[pattern] = reply.status_code
    assert wrong == {}
    assert Impression.objects.count() == 0


def _paths() -> set[str]:
    """Every URL of the project, with something that could be meant by each of its parameters."""
    values = {"uuid": "00000000-0000-0000-0000-000000000001", "int": "1", "slug": "startups", "str": "1", "path": "1"}
    paths = set()

    def walk(patterns: Any, prefix: str) -> None:
        for entry in patterns:
            route = prefix + str(entry.pattern)
            if hasattr(entry, "url_patterns"):
                walk(entry.url_patterns, route)
            elif "(" not in route and "^" not in route:
                for kind, value in values.items():
                    while f"<{kind}:" in route:
                        start = route.index(f"<{kind}:")
                        route = route[:start] + value + route[route.index(">", start) + 1 :]
                paths.add(route)

    walk(get_resolver().url_patterns, "")
    return paths
