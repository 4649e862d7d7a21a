"""An open-model load: so many questions a second, whether or not the earlier ones were answered."""

import itertools
import threading
import time
from collections.abc import Mapping, Sequence
from urllib.parse import urlencode

import urllib3

from tests.drills.judge import Person, Reply

RATE = 50.0
THREADS = 48  # enough for a second of standstill at that rate
PATIENCE_S = 8.0
LIMITS = (1, 5, 10, 20)


class Load:
    """Asks `url` for these people in turn. `start`, then `finish`: every question has a Reply, also the unanswered."""

    def __init__(self, url: str, header: Mapping[str, str], people: Sequence[Person], seconds: float) -> None:
        self._url = f"{url}/api/recommendations/startups"
        self._header = {**header, "Connection": "close"}  # no reply may depend on a connection an earlier one opened
        self._people = people
        self._total = round(RATE * seconds)
        self._next = itertools.count()
        self._pool = urllib3.PoolManager(retries=False, timeout=PATIENCE_S, maxsize=THREADS)
        self._replies: list[Reply] = []
        self._threads = [threading.Thread(target=self._ask_on, daemon=True) for _ in range(THREADS)]
        self.late_s = 0.0  # the longest that this machine overslept: its own fault, not the server's
        self._begun = 0.0

    def start(self) -> None:
        """Begin to ask."""
        self._begun = time.monotonic() + 0.05
        for thread in self._threads:
            thread.start()

    def finish(self) -> list[Reply]:
        """Wait for the last answer; all replies in the order in which they were due."""
        for thread in self._threads:
            thread.join()
        self._pool.clear()
        return sorted(self._replies, key=lambda reply: reply.due)

    def _ask_on(self) -> None:
        while (number := next(self._next)) < self._total:
            due = self._begun + number / RATE
            early = due - time.monotonic()
            if early > 0:
                time.sleep(early)
                self.late_s = max(self.late_s, time.monotonic() - due)
            self._replies.append(self._ask(number, due))

    def _ask(self, number: int, due: float) -> Reply:
        person = self._people[number % len(self._people)]
        limit = LIMITS[number // len(self._people) % len(LIMITS)]
        address = f"{self._url}/{person.surface}/{person.user_id}?{urlencode({'limit': limit})}"
        status, body, problem = 0, b"", ""
        try:
            answer = self._pool.request("GET", address, headers=self._header)
            status, body = answer.status, answer.data
        except urllib3.exceptions.HTTPError as error:
            problem = type(error).__name__
        return Reply(person, limit, due, time.monotonic() - due, status, body, problem)
