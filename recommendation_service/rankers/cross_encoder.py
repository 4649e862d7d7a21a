"""The ranker that reads texts: a cross-encoder scores the text of a query together with the text of an item.

The model runs in its own process (`cross_encoder_server`), so that torch is never loaded by the serving process. The
client keeps connections alive, has one deadline for a whole call, and pauses after repeated failures.
"""

import json
import math
import socket
import threading
import time
from collections import deque
from collections.abc import Callable, Mapping, Sequence
from functools import lru_cache
from http.client import HTTPConnection, HTTPException, RemoteDisconnected
from typing import Any, ClassVar
from urllib.parse import urlsplit

import numpy as np

from recommendation_service.core.numeric import Floats
from recommendation_service.core.signing import sign
from recommendation_service.domain.answer import Skip
from recommendation_service.domain.catalogue import Catalogue
from recommendation_service.domain.query import Query
from recommendation_service.domain.slate import Candidates
from recommendation_service.errors import ConfigurationError
from recommendation_service.publishing.store import Artifact
from recommendation_service.rankers.base import CannotAnswer, Ranker, TooLate
from recommendation_service.settings import Settings

AUDIENCE = "cross_encoder"  # of the tokens that the worker accepts
TOKEN_SECONDS = 60
MAX_BODY_BYTES = 64 * 1024
MAX_IDLE = 8
FAILURES, REST_S = 3, 2.0

Pair = tuple[str, str]


class PairClient:
    """Scores pairs at `url`, such as http://127.0.0.1:5001. Thread-safe, one per process and address.

    After three failures in a row, calls fail at once for two seconds, so that a stopped worker takes no time.
    Raises ConfigurationError unless `url` is plain http with a host and without a path or credentials.
    """

    def __init__(self, url: str, key: tuple[str, bytes] | None, *, clock: Callable[[], float] = time.monotonic) -> None:
        """`key` is the id and secret that tokens are signed with; None: the worker is open, on a developer's machine."""
        parts = urlsplit(url)
        if parts.scheme != "http" or not parts.hostname or parts.path.strip("/") or parts.query or parts.username:
            raise ConfigurationError(
                f"CROSS_ENCODER_URL must look like http://host:port, not {parts.scheme}://{parts.hostname or ''}"
            )
        self._host, self._port, self._key, self._clock = parts.hostname, parts.port or 80, key, clock
        self._idle: deque[_Connection] = deque()
        self._lock = threading.Lock()
        self._failures, self._rests_until = 0, 0.0
        self._last: CannotAnswer | None = None  # the last failure; None: it was a timeout

    def scores(self, pairs: Sequence[Pair], *, budget_s: float) -> Floats:
        """Return one score per pair, (k,). Raises TooLate after `budget_s`, CannotAnswer if the worker is unavailable."""
        with self._lock:
            if self._failures >= FAILURES and self._clock() < self._rests_until:
                raise TooLate if self._last is None else CannotAnswer(self._last.code, self._last.detail)
        try:
            candidates = self._request(pairs, time.monotonic() + budget_s, budget_s)
        except (TooLate, CannotAnswer) as error:
            self._failed(error if isinstance(error, CannotAnswer) else None)
            raise
        with self._lock:
            self._failures = 0
        return candidates

    def close(self) -> None:
        """Close the idle connections."""
        while idle := self._pop_idle():
            idle.close()

    def _failed(self, error: CannotAnswer | None) -> None:
        with self._lock:
            self._failures += 1
            self._last = error
            self._rests_until = self._clock() + REST_S

    def _request(self, pairs: Sequence[Pair], over: float, budget_s: float) -> Floats:
        body = json.dumps({"pairs": pairs, "budget_ms": 1000 * budget_s}).encode()
        try:
            status, raw = self._exchange(body, over)
        except TimeoutError as error:
            raise TooLate from error
        except (OSError, HTTPException) as error:
            if time.monotonic() >= over:
                raise TooLate from error
            detail = f"the cross-encoder's worker cannot be reached ({type(error).__name__})"
            raise CannotAnswer("unreachable", detail) from error
        if status == 503:
            raise TooLate
        if status in (401, 403):
            raise CannotAnswer("refused", "the cross-encoder's worker refused the token; give both the same RS_SIGNING_KEYS")
        if status != 200:
            raise CannotAnswer("failed", f"the cross-encoder's worker answered with HTTP status {status}; see its log")
        return _checked(raw, len(pairs))

    def _exchange(self, body: bytes, over: float) -> tuple[int, bytes]:
        """Return status and body, over an idle connection if there is one that is still open."""
        while True:
            idle = self._pop_idle()
            connection = idle or _Connection(self._host, self._port)
            connection.over = over
            try:
                connection.request("POST", "/scores", body, self._headers())
                with connection.getresponse() as response:
                    raw = response.read(MAX_BODY_BYTES + 1)
            except BaseException as error:
                connection.close()
                # the worker closed it while it was idle; a request changes nothing, so the next connection is tried
                if idle and isinstance(error, RemoteDisconnected | ConnectionResetError | BrokenPipeError):
                    continue
                raise
            if response.will_close or len(raw) > MAX_BODY_BYTES or len(self._idle) >= MAX_IDLE:
                connection.close()
            else:
                self._idle.append(connection)
            return response.status, raw

    def _pop_idle(self) -> "_Connection | None":
        try:
            return self._idle.pop()
        except IndexError:
            return None

    def _headers(self) -> Mapping[str, str]:
        plain = {"Content-Type": "application/json"}
        if self._key is None:
            return plain
        token = sign(dict([self._key]), subject="service", scopes=(), audience=[AUDIENCE], seconds=TOKEN_SECONDS)
        return {**plain, "Authorization": f"Bearer {token}"}


@lru_cache(maxsize=8)
def client_of(url: str, key: tuple[str, bytes] | None) -> PairClient:
    """Return the client of this process for that address; it stays when models are replaced."""
    return PairClient(url, key)


def _checked(raw: bytes, wanted: int) -> Floats:
    try:
        candidates = json.loads(raw)["scores"]
        numbers = [float(number) for number in candidates]
    except (ValueError, KeyError, TypeError, RecursionError) as error:
        raise CannotAnswer("failed", "the cross-encoder's worker gave no scores") from error
    if len(numbers) != wanted or not all(math.isfinite(number) for number in numbers):
        raise CannotAnswer("failed", f"the cross-encoder's worker did not give {wanted} finite scores")
    return np.array(numbers, dtype=np.float32)


class _Connection(HTTPConnection):
    """A connection whose connects, reads and writes all end at `over`, in monotonic seconds."""

    over = math.inf

    def connect(self) -> None:
        self.timeout = _left(self.over)
        super().connect()
        plain = self.sock
        self.sock = _DeadlineSocket(plain.family, plain.type, plain.proto, fileno=plain.detach())
        self.sock.connection = self


class _DeadlineSocket(socket.socket):
    """Applies one deadline to all reads: http.client limits each read, so slow bytes could add up to minutes."""

    connection: _Connection

    def recv_into(self, *args: Any, **kwargs: Any) -> int:
        self.settimeout(_left(self.connection.over))
        return super().recv_into(*args, **kwargs)

    def sendall(self, *args: Any, **kwargs: Any) -> None:
        self.settimeout(_left(self.connection.over))
        super().sendall(*args, **kwargs)


def _left(over: float) -> float:
    """Return the seconds until then. Raises TimeoutError if it has passed."""
    left = over - time.monotonic()
    if left <= 0:
        raise TimeoutError
    return min(left, 3600.0)


RECENT = 5  # liked items in a query text; more would not fit the model's input
MAX_LENGTH = 1_000  # characters of a query or a document


class CrossEncoder(Ranker):
    """Scores of a worker process that reads query and document together, within a time budget."""

    label: ClassVar[str] = "the cross-encoder"

    def __init__(self, name: str, catalogue: Catalogue, client: PairClient) -> None:
        """Sends nothing: the worker may start later than the service."""
        super().__init__(name, "cross_encoder")
        self._catalogue = catalogue
        self._client = client

    def scores(self, query: Query, candidates: Candidates, *, budget_s: float) -> Floats | None:
        """Return (k,) float32, higher is better; None if nothing is known that could make a query text.

        Raises TooLate after `budget_s`, CannotAnswer if the worker is unavailable.
        """
        text = query_text(query)
        if not text:
            return None
        pairs = [(text, document_text(self._catalogue, row)) for row in candidates.rows.tolist()]
        return self._client.scores(pairs, budget_s=budget_s)


def from_settings(
    name: str, _artifact: Artifact | None, catalogue: Catalogue, settings: Settings
) -> CrossEncoder | Skip | None:
    """Return the ranker of CROSS_ENCODER_URL; None if none is configured, and a Skip for a model without a worker."""
    if settings.cross_encoder_url:
        key = next(iter(settings.keys().items()), None)
        return CrossEncoder(name, catalogue, client_of(settings.cross_encoder_url, key))
    if settings.cross_encoder_model is None:
        return None
    detail = "CROSS_ENCODER_MODEL is set and CROSS_ENCODER_URL is not; start serve_cross_encoder and set its address"
    return Skip(engine=name, code="unreachable", detail=detail)


def query_text(query: Query) -> str:
    """Return the query as text: titles of the subjects or recently liked items, their categories, the profile; "": unknown."""
    liked, _ = query.history.liked()
    rows = (query.subject if query.subject.size else liked[:RECENT]).tolist()
    titles = [query.catalogue.titles[row] for row in rows]
    facet = query.catalogue.facets.get("category")
    kinds = [kind for row in rows for kind in facet.of(row)] if facet is not None else []
    profile_values = [value for _, values in sorted(query.profile.items()) for value in values]
    return _joined([", ".join(dict.fromkeys(part)) for part in (titles, kinds, profile_values)])


def document_text(catalogue: Catalogue, row: int) -> str:
    """Return an item as text: title, category, tags, and every other attribute, such as its price range, by name."""
    facets = {name: ", ".join(facet.of(row)) for name, facet in catalogue.facets.items()}
    plain = [facets.pop(name, "") for name in ("category", "tags")]
    named = [f"{name.replace('_', ' ')}: {values}" for name, values in sorted(facets.items()) if values]
    return _joined([catalogue.titles[row], *plain, *named])


def _joined(parts: list[str]) -> str:
    return ". ".join(part for part in parts if part)[:MAX_LENGTH]
