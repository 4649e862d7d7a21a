"""One answer for many who ask the same at the same time."""

import threading
from collections.abc import Callable
from concurrent.futures import Future
from copy import deepcopy
from typing import Any


class SingleFlight:
    """Within one process, the same question asked while it is being answered waits for that answer."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._running: dict[str, Future[dict[str, Any]]] = {}

    def do(self, key: str, work: Callable[[], dict[str, Any]]) -> dict[str, Any]:
        """What `work` gives; followers get their own copy, and the same exception where there is one."""
        with self._lock:
            running = self._running.get(key)
            mine: Future[dict[str, Any]] = Future()
            if running is None:
                self._running[key] = mine
        if running is not None:
            return deepcopy(running.result())
        try:
            made = work()
            mine.set_result(made)
        except BaseException as error:
            mine.set_exception(error)
            raise
        finally:
            with self._lock:
                del self._running[key]
        return deepcopy(made)
