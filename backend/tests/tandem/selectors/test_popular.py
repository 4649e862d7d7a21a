"""The ranking of popular items: one catalogue's slow query keeps no other catalogue waiting."""

import threading

import pytest

from tandem.selectors import popular
from tandem.surfaces import BoundSurface, bound_surface


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
