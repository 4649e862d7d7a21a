"""What the service serves now, as one word, so that a list made by yesterday's model is not kept today."""

import threading
import time
from collections.abc import Callable

from tandem.service_client.client import ServiceFailed, client

ASK_EVERY_S = 2.0


class ServiceState:
    """Remembers the service's word and asks again every `every_s` seconds, in one thread at a time.

    A service that does not answer changes nothing: the last word stands, and kept lists go on being good.
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
        """The newest word, "" while there never was one."""
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
    """The word of this process."""
    return _state.state()


def forget_state() -> None:
    """Ask anew at the next need; for tests and changed settings."""
    global _state
    _state = ServiceState()
