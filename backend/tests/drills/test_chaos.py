"""Faults of the database, each with every fault of the service: every list endpoint of every site, and every reply is judged.

On SQLite. `make chaos` runs the long form alone.
"""

import itertools
import sqlite3
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import pytest
from django.db import DatabaseError, InterfaceError, InternalError, OperationalError, connection
from django.test import Client

from tandem.selectors import deadlines
from tandem.service_client.client import RecommendationClient
from tests.support import board
from tests.support.faults import Behaviour, FaultServer, good, http, resets, says, waits
from tests.support.list_endpoints import ENDPOINTS, Listed

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.timeout(600)]

DEADLINE_S = 0.3
LATE_S = 2 * DEADLINE_S + 0.7  # a margin for a machine that runs other work beside it
ASKED = 2  # replies per pair of faults

Fault = Callable[[], Any]
Refuses = Callable[[int, str], bool]  # of the number and the text of a statement


def _refusing(refuses: Refuses, error: type[Exception] = OperationalError) -> Fault:
    @contextmanager
    def fault() -> Iterator[None]:
        count = 0

        def execute(run: Callable[..., Any], sql: str, *rest: Any) -> Any:
            nonlocal count
            count += 1
            if refuses(count, sql):
                raise error("injected")
            return run(sql, *rest)

        with connection.execute_wrapper(execute):
            yield

    return fault


@contextmanager
def _locked_by_another() -> Iterator[None]:
    other = sqlite3.connect(connection.settings_dict["NAME"], isolation_level=None)
    other.execute("BEGIN IMMEDIATE")
    try:
        yield
    finally:
        other.execute("ROLLBACK")
        other.close()


WRITES = ("INSERT", "UPDATE", "DELETE", "SAVEPOINT", "BEGIN")
BROKEN: dict[str, Fault] = {
    "away": _refusing(lambda _number, _sql: True),
    "closed by the server": _refusing(lambda _number, _sql: True, InterfaceError),
    "a damaged file": _refusing(lambda _number, _sql: True, DatabaseError),
    "no own tables": _refusing(lambda _number, sql: "tandem_" in sql),
    "a full disk": _refusing(lambda _number, sql: sql.startswith(WRITES)),
    "every second statement": _refusing(lambda number, _sql: number % 2 == 0),
    "every third statement": _refusing(lambda number, _sql: number % 3 == 0, InternalError),
    "from the second statement on": _refusing(lambda number, _sql: number >= 2),
    "from the fifth statement on": _refusing(lambda number, _sql: number >= 5, InterfaceError),
    "locked by another": _locked_by_another,
}
SERVICES: dict[str, Behaviour | None] = {
    "good": None,
    "resets": resets,
    "500": says(http(b"{}", status="500 Internal Server Error")),
    "not JSON": says(http(b"<html>", kind="text/html")),
    "cut short": says(http(b'{"use_case": "st', length=4_000)),
    "silent": waits(2.0),
}

SHORT = ("good", "500")


def _breaches(reply: Any, one: Listed, seconds: float) -> list[str]:
    """What is wrong with a reply; empty when every promise holds."""
    if reply.status_code != 200:
        return [f"status {reply.status_code}"]
    body = reply.json()
    ids = [str(row.get("item_id") or row.get("id") or row.get("course_id") or row["product_id"]) for row in body[one.rows]]
    rules = {
        "no items": not ids,
        "an item twice": len(set(ids)) != len(ids),
        "an unknown item": not one.catalogue.issuperset(ids),
        "degraded and its reasons disagree": "degradation" in body and body["degraded"] != bool(body["degradation"]),
        f"late: {seconds:.1f} s": seconds > LATE_S,
    }
    return [rule for rule, broken in rules.items() if broken]


@pytest.mark.parametrize(
    "services", [pytest.param(SHORT, id="short"), pytest.param(tuple(SERVICES), id="long", marks=pytest.mark.slow)]
)
@pytest.mark.parametrize("name", ENDPOINTS)
def test_every_list_comes_in_time_whatever_is_broken(
    name: str, services: tuple[str, ...], service_at: Callable[[str], RecommendationClient], settings: Any
) -> None:
    settings.TANDEM = {**settings.TANDEM, "CACHE_SECONDS": 0}  # every reply is made anew
    one = ENDPOINTS[name]()
    client = Client(raise_request_exception=False)
    usual = good(one.item_ids, use_case=one.use_case, surface=one.surface)
    with FaultServer(usual) as server:
        service_at(server.url)
        assert client.get(one.path, headers=board.service_header()).status_code == 200  # the last good list
        assert server.asked
    wrong: dict[str, list[str]] = {}
    waited, degraded, asked = [], 0, 0
    for broken, service in itertools.product(BROKEN, services):
        deadlines._paused.clear()
        with FaultServer(SERVICES[service] or usual) as server:
            service_at(server.url)
            with BROKEN[broken]():
                for _ in range(ASKED):
                    begun = time.monotonic()
                    reply = client.get(one.path, headers=board.service_header())
                    waited.append(time.monotonic() - begun)
                    found = _breaches(reply, one, waited[-1])
                    degraded += not found and reply.json()["degraded"]
                    if not found and service != "good" and server.asked and not reply.json()["degraded"]:
                        found = ["not degraded without the service"]
                    if found:
                        wrong[f"database: {broken}, service: {service}"] = found
            asked += len(server.asked)
    deadlines._paused.clear()
    waited.sort()
    figures = f"p50 {1000 * waited[len(waited) // 2]:.0f} ms, slowest {1000 * waited[-1]:.0f} ms, {degraded} degraded"
    print(f"{name} on {connection.vendor}: {len(BROKEN) * len(services)} pairs of faults, {len(waited)} replies, {figures}")  # noqa: T201  # pytest -s shows it
    assert wrong == {}
    assert asked or name == "hybrid-recommendations"  # its use case keeps the pages of a list
