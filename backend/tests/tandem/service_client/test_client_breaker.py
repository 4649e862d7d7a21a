"""The breaker's three states, on a clock of its own."""

import threading

from hypothesis import given
from hypothesis import strategies as st

from tandem.service_client.client import CircuitBreaker


class Clock:
    def __init__(self) -> None:
        self.now = 100.0

    def __call__(self) -> float:
        return self.now


def opened(clock: Clock) -> CircuitBreaker:
    breaker = CircuitBreaker(failures=5, rest_s=2.0, clock=clock)
    for _ in range(5):
        breaker.failed()
    return breaker


def test_it_opens_after_five_failures_in_a_row_and_not_after_four() -> None:
    breaker = CircuitBreaker(failures=5, clock=Clock())
    for _ in range(4):
        breaker.failed()
    assert breaker.may_pass()
    breaker.failed()
    assert not breaker.may_pass()


def test_a_success_between_failures_starts_the_count_again() -> None:
    breaker = CircuitBreaker(failures=2, clock=Clock())
    breaker.failed()
    breaker.succeeded()
    breaker.failed()
    assert breaker.may_pass()


def test_after_the_rest_exactly_one_probe_passes() -> None:
    clock = Clock()
    breaker = opened(clock)
    clock.now += 1.99
    assert not breaker.may_pass()
    clock.now += 0.02
    assert [breaker.may_pass() for _ in range(3)] == [True, False, False]


def test_a_good_probe_closes_it_and_a_bad_one_makes_it_rest_again() -> None:
    clock = Clock()
    breaker = opened(clock)
    clock.now += 2.1
    assert breaker.may_pass()
    breaker.failed()
    clock.now += 1.9
    assert not breaker.may_pass()
    clock.now += 0.2
    assert breaker.may_pass()
    breaker.succeeded()
    assert all(breaker.may_pass() for _ in range(10))


def test_a_probe_that_never_returns_does_not_keep_it_open_for_ever() -> None:
    clock = Clock()
    breaker = opened(clock)
    clock.now += 2.1
    assert breaker.may_pass()
    clock.now += 2.1
    assert breaker.may_pass()


def test_many_threads_get_one_probe_between_them() -> None:
    clock = Clock()
    breaker = opened(clock)
    clock.now += 3
    passed: list[bool] = []
    threads = [threading.Thread(target=lambda: passed.append(breaker.may_pass())) for _ in range(20)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sum(passed) == 1


@given(st.lists(st.booleans(), max_size=60))
def test_it_is_open_exactly_when_the_last_five_calls_failed(outcomes: list[bool]) -> None:
    breaker = CircuitBreaker(failures=5, clock=Clock())
    for good in outcomes:
        (breaker.succeeded if good else breaker.failed)()
    assert breaker.is_open == (len(outcomes) >= 5 and not any(outcomes[-5:]))
