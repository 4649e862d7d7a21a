"""The state of the service: a text that changes with every new model, so that cached lists of older models are discarded."""

import threading
import time
from collections.abc import Callable

from tandem.service_client.client import ServiceFailed, client

ASK_EVERY_S = 2.0


class ServiceState:
    """Remembers the service's state and asks again every `every_s` seconds, in one thread at a time.

    If the service does not answer, the last state stays valid, and so do cached lists.
    """

    def __init__(
        self,
        ask: Callable[[], str] = lambda: client().state(),
        *,
        every_s: float = ASK_EVERY_S,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._ask, self._every_s, self._clock = ask, every_s, clock
        self._lock = threading.Lock()
        self._state_name = ""
        self._again_at = float("-inf")

    def state(self) -> str:
        """Return the newest state; "" until the service has answered once."""
        if self._clock() < self._again_at or not self._lock.acquire(blocking=False):
            return self._state_name
        try:
            self._state_name = self._ask()
        except ServiceFailed:
            pass
        finally:
            self._again_at = self._clock() + self._every_s
            self._lock.release()
        return self._state_name


_state = ServiceState()


def service_state() -> str:
    """Return the state that this process knows."""
    return _state.state()


def forget_state() -> None:
    """Forget the state, so that the next call asks again; for tests and changed settings."""
    global _state
    _state = ServiceState()
