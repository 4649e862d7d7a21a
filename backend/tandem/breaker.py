"""Stop asking a service that does not answer, and notice when it does again.

Written here because pybreaker holds its lock while the guarded call runs, which would put all threads of a worker in
one queue, and waits by the wall clock. docs/decisions has the page.
"""

import threading
import time
from collections.abc import Callable


class CircuitBreaker:
    """Opens after `failures` in a row; then lets one probe through every `rest_s` seconds until one succeeds.

    Per process, thread-safe, never held while a call runs. `clock` gives monotonic seconds.
    """

    def __init__(self, *, failures: int = 5, rest_s: float = 2.0, clock: Callable[[], float] = time.monotonic) -> None:
        self._failures = failures
        self._rest_s = rest_s
        self._clock = clock
        self._lock = threading.Lock()
        self._in_a_row = 0
        self._next_probe = 0.0

    @property
    def is_open(self) -> bool:
        """True while failures have the upper hand; a probe may still be let through."""
        return self._in_a_row >= self._failures

    def may_pass(self) -> bool:
        """Whether to make this call. While open, True once per rest: that call is the probe."""
        with self._lock:
            if not self.is_open:
                return True
            now = self._clock()
            if now < self._next_probe:
                return False
            self._next_probe = now + self._rest_s
            return True

    def succeeded(self) -> None:
        """A call was answered: closed again."""
        with self._lock:
            self._in_a_row = 0

    def failed(self) -> None:
        """A call was not answered, or not with an answer."""
        with self._lock:
            self._in_a_row += 1
            if self.is_open:
                self._next_probe = self._clock() + self._rest_s
