"""The ranking of popular items: one catalogue's slow query keeps no other catalogue waiting."""

import threading
import time

import pytest

from tandem.selectors import popular
from tandem.selectors.deadlines import DatabaseLate
from tandem.surfaces import BoundSurface, bound_surface


@pytest.fixture(autouse=True)
def _no_items(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(popular, "_first_items", lambda *_arguments: [])


def test_a_slow_query_of_one_catalogue_keeps_no_other_waiting(monkeypatch: pytest.MonkeyPatch) -> None:
    started, may_end = threading.Event(), threading.Event()

    def read(bound: BoundSurface) -> list[tuple[str, float]]:
        if bound.catalogue == "startups":
            started.set()
            assert may_end.wait(10)
        return [(bound.catalogue, 1.0)]

    monkeypatch.setattr(popular, "_read", read)
    slow = threading.Thread(target=popular.popular_ids, args=[bound_surface("startups", "for-developer")])
    slow.start()
    assert started.wait(10)
    answers: list[list[tuple[str, float]]] = []
    other = threading.Thread(
        target=lambda: answers.append(popular.popular_ids(bound_surface("posts", "hybrid-recommendations")))
    )
    other.start()
    other.join(5)
    may_end.set()
    slow.join(10)
    assert answers == [[("posts", 1.0)]]


def test_an_old_ranking_is_given_while_it_is_read_again(monkeypatch: pytest.MonkeyPatch) -> None:
    bound, started, may_end = bound_surface("startups", "for-developer"), threading.Event(), threading.Event()
    monkeypatch.setattr(popular, "_read", lambda _bound: [("old", 1.0)])
    assert popular.popular_ids(bound) == [("old", 1.0)]

    def read(_bound: BoundSurface) -> list[tuple[str, float]]:
        started.set()
        assert may_end.wait(10)
        return [("new", 1.0)]

    monkeypatch.setattr(popular, "_read", read)
    monkeypatch.setattr(popular, "SECONDS", 0.0)
    slow = threading.Thread(target=popular.popular_ids, args=[bound])
    slow.start()
    assert started.wait(10)
    answers: list[list[tuple[str, float]]] = []
    other = threading.Thread(target=lambda: answers.append(popular.popular_ids(bound)))
    other.start()
    other.join(5)
    may_end.set()
    slow.join(10)
    assert answers == [[("old", 1.0)]]


@pytest.mark.django_db(transaction=True)
def test_a_ranking_that_takes_too_long_for_a_list_is_read_beside_it(monkeypatch: pytest.MonkeyPatch) -> None:
    bound, read = bound_surface("startups", "for-developer"), popular._read
    asked: list[int] = []

    def late(given: BoundSurface) -> list[tuple[str, float]]:
        asked.append(threading.get_ident())
        if len(asked) == 1:
            raise DatabaseLate("no time left")
        return [*read(given), ("found", 2.0)]

    monkeypatch.setattr(popular, "_read", late)
    assert popular.popular_ids(bound) == []
    for _ in range(500):
        if ranking := popular.popular_ids(bound):
            break
        time.sleep(0.01)
    assert ranking == [("found", 2.0)]
    assert len(set(asked)) == len(asked) == 2
