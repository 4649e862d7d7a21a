"""The service's word: asked for seldom, by one thread, and kept when there is no answer."""

import threading

from tandem.service_client.client import ServiceFailed
from tandem.service_client.model_state import ServiceState


class Service:
    """Says its words one after another; None is a failure."""

    def __init__(self, *words: str | None) -> None:
        self.words = list(words)
        self.asked = 0

    def __call__(self) -> str:
        self.asked += 1
        word = self.words.pop(0)
        if word is None:
            raise ServiceFailed("timeout", "late")
        return word


def test_it_is_asked_once_in_the_stated_time() -> None:
    now, service = [0.0], Service("one", "two")
    state = ServiceState(service, every_s=2.0, clock=lambda: now[0])
    assert [state.state(), state.state()] == ["one", "one"]
    now[0] = 2.0
    assert state.state() == "two"
    assert service.asked == 2


def test_a_service_that_does_not_answer_changes_nothing() -> None:
    now, service = [0.0], Service(None, "one", None)
    state = ServiceState(service, every_s=2.0, clock=lambda: now[0])
    words = []
    for now[0] in (0.0, 2.0, 4.0):
        words.append(state.state())
    assert words == ["", "one", "one"]


def test_a_slow_answer_is_waited_for_by_one_thread_only() -> None:
    asked, answer = threading.Event(), threading.Event()

    def slow() -> str:
        asked.set()
        assert answer.wait(5)
        return "late"

    state = ServiceState(slow)
    waiting = threading.Thread(target=state.state)
    waiting.start()
    assert asked.wait(5)
    assert state.state() == ""
    answer.set()
    waiting.join(5)
    assert state.state() == "late"
