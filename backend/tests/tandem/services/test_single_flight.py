"""Single flight, with real threads."""

import threading
import time
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

from tandem.services.recommend import SingleFlight


def test_the_same_question_asked_by_many_at_once_is_answered_once() -> None:
    flight, calls, everyone = SingleFlight(), [], threading.Barrier(50)

    def work() -> dict[str, Any]:
        calls.append(1)
        time.sleep(0.5)
        return {"items": [1]}

    def ask(_: int) -> dict[str, Any]:
        everyone.wait(30)  # nobody comes after the answer, however slow the machine starts threads
        return flight.do("key", work)

    with ThreadPoolExecutor(50) as pool:
        answers = list(pool.map(ask, range(50)))
    assert answers == [{"items": [1]}] * 50
    assert len(calls) == 1


def test_everyone_gets_their_own_copy() -> None:
    flight, gate = SingleFlight(), threading.Event()

    def work() -> dict[str, Any]:
        gate.wait(2)
        return {"items": [1]}

    with ThreadPoolExecutor(2) as pool:
        running = [pool.submit(flight.do, "key", work) for _ in range(2)]
        time.sleep(0.1)
        gate.set()
        first, second = (one.result() for one in running)
    first["items"].append(2)
    assert second == {"items": [1]}


def test_different_questions_do_not_wait_for_each_other() -> None:
    flight, gate = SingleFlight(), threading.Event()
    with ThreadPoolExecutor(1) as pool:
        slow = pool.submit(flight.do, "slow", lambda: {"done": gate.wait(2)})
        assert flight.do("quick", lambda: {"n": 1}) == {"n": 1}
        gate.set()
        assert slow.result() == {"done": True}


def test_a_failure_reaches_all_who_wait_and_the_next_one_tries_again() -> None:
    flight = SingleFlight()

    def work() -> dict[str, Any]:
        time.sleep(0.1)
        raise LookupError("gone")

    with ThreadPoolExecutor(5) as pool:
        running = [pool.submit(flight.do, "key", work) for _ in range(5)]
    assert all(isinstance(one.exception(), LookupError) for one in running)
    with pytest.raises(LookupError):
        flight.do("key", work)
    assert flight.do("key", lambda: {"n": 2}) == {"n": 2}
