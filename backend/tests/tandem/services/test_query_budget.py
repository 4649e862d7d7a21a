"""How many statements a list costs: a budget of work, the same on every database."""

from collections.abc import Callable, Iterator

import pytest
from django.core.signals import request_finished, request_started
from django.db import connection
from django.test.utils import CaptureQueriesContext

from sites.startups.models import Developer, Startup
from tandem.models import Impression
from tests.support import board
from tests.support.faults import FaultServer, good
from tests.tandem.services.asking import Point, ask, ids

pytestmark = pytest.mark.django_db(transaction=True)

UNCACHED, CACHED = 6, 1


@pytest.fixture
def web_request() -> Iterator[None]:
    """What Django sends around a view."""
    request_started.send(sender=None, environ={})
    yield
    request_finished.send(sender=None)


@pytest.fixture
def served(service_at: Point, startups: list[Startup], ada: Developer) -> Iterator[None]:
    for startup in startups[:4]:
        board.did(str(ada.pk), startup.pk, "like")
    board.hides(str(ada.pk), startups[9].pk)
    with FaultServer(good(ids(startups)[5:])) as server:
        service_at(server.url)
        yield


def statements(ada: Developer) -> list[str]:
    with CaptureQueriesContext(connection) as queries:
        assert not ask(ada)["degraded"]
    return [query["sql"] for query in queries.captured_queries]


def test_a_list_costs_few_statements_and_writes_nothing_before_the_answer(
    served: None, web_request: None, ada: Developer, startups: list[Startup], record_property: Callable[[str, object], None]
) -> None:
    first, second = statements(ada), statements(ada)
    record_property("uncached", len(first))  # read by `make adoption`
    record_property("cached", len(second))
    assert len(first) <= UNCACHED, first
    assert all(sql.startswith("SELECT") for sql in first)
    assert len(second) <= CACHED
    board.did(str(ada.pk), startups[5].pk, "view")
    assert len(statements(ada)) <= UNCACHED


def test_the_impression_is_there_when_the_response_was_sent(served: None, ada: Developer) -> None:
    request_started.send(sender=None, environ={})
    answer = ask(ada)
    assert not Impression.objects.exists()
    request_finished.send(sender=None)
    assert str(Impression.objects.get().pk) == answer["request_id"]


def test_a_response_that_was_never_closed_loses_no_impression(served: None, ada: Developer) -> None:
    request_started.send(sender=None, environ={})
    answer = ask(ada)
    request_started.send(sender=None, environ={})
    assert str(Impression.objects.get().pk) == answer["request_id"]
    request_finished.send(sender=None)


def test_outside_a_request_it_is_recorded_at_once(served: None, ada: Developer) -> None:
    ask(ada)
    assert Impression.objects.count() == 1
