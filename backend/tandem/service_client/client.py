"""HTTP client of the recommendation service: one connection pool, one deadline per call, one circuit breaker per use case.

`urllib3` limits each read, so a server that sends one byte per second would hold a page for minutes. The socket class
here applies the deadline of the whole call to every read and write.
"""

import os
import socket
import threading
import time
from collections import defaultdict
from collections.abc import Callable, Mapping
from contextvars import ContextVar
from dataclasses import dataclass
from functools import lru_cache
from http import HTTPStatus
from typing import Any, TypeVar
from urllib.parse import urlsplit

import orjson
from django.utils.module_loading import import_string
from urllib3 import HTTPConnectionPool, Timeout
from urllib3.connection import HTTPConnection
from urllib3.exceptions import ConnectTimeoutError, HTTPError, NewConnectionError, ProtocolError
from urllib3.exceptions import TimeoutError as LateError
from urllib3.response import BaseHTTPResponse

from recommendation_service.domain.request import EstimateRequest, RecommendationRequest
from recommendation_service.errors import ConfigurationError
from tandem.conf import tandem_settings
from tandem.service_client import tokens
from tandem.service_client.responses import BadAnswer, checked

Read = TypeVar("Read")
MAX_BODY_BYTES = 256 * 1024
PROBLEM_JSON = "application/problem+json"
MAX_REQUEST_BYTES = 250_000  # the service accepts 256,000
CHUNK_BYTES = 64 * 1024
POOL_SIZE = 16
NO_USER = "-"  # subject of the token for a list without a user
STATUS = "/readyz"  # breaker of the calls about the whole service; no use case has this name

_deadline: ContextVar[float] = ContextVar("deadline", default=float("inf"))  # monotonic seconds


def _time_left() -> float:
    return _deadline.get() - time.monotonic()


class CircuitBreaker:
    """Opens after `failures` consecutive failures; then lets one call through every `rest_s` seconds until one succeeds.

    Thread-safe; the lock is never held during a call. `clock` gives monotonic seconds. docs/decisions/0008 says why no
    library is used.
    """

    def __init__(self, *, failures: int = 5, rest_s: float = 2.0, clock: Callable[[], float] = time.monotonic) -> None:
        self._failures = failures
        self._rest_s = rest_s
        self._clock = clock
        self._lock = threading.Lock()
        self._consecutive = 0
        self._next_probe = 0.0

    @property
    def is_open(self) -> bool:
        """True after too many consecutive failures; a probe may still pass."""
        return self._consecutive >= self._failures

    def may_pass(self) -> bool:
        """Return True if this call may be made. While open, True once per rest: that call is the probe."""
        with self._lock:
            if not self.is_open:
                return True
            now = self._clock()
            if now < self._next_probe:
                return False
            self._next_probe = now + self._rest_s
            return True

    def succeeded(self) -> None:
        """Close the breaker: the service answered."""
        with self._lock:
            self._consecutive = 0

    def failed(self) -> None:
        """Count one fault of the service."""
        with self._lock:
            self._consecutive += 1
            if self.is_open:
                self._next_probe = self._clock() + self._rest_s


class ServiceFailed(Exception):
    """The service gave no usable answer.

    `code` is unreachable, timeout, bad_answer, circuit_open, item_not_exported, not_trained, invalid_request, too_large or
    misconfigured.
    """

    def __init__(self, code: str, detail: str) -> None:
        super().__init__(f"{code}: {detail}")
        self.code = code
        self.detail = detail


class _Refused(BadAnswer):
    """The service works and refused this request: a 4xx status, or its own 503 for data that it does not have yet."""

    def __init__(self, status: int) -> None:
        super().__init__(f"HTTP status {status}")
        self.status = status


class _DeadlineSocket(socket.socket):
    """A socket whose reads and writes all end at the deadline of their call."""

    def recv_into(self, *args: Any, **kwargs: Any) -> int:
        self._tighten()
        return super().recv_into(*args, **kwargs)

    def sendall(self, *args: Any, **kwargs: Any) -> None:
        self._tighten()
        super().sendall(*args, **kwargs)

    def _tighten(self) -> None:
        left = _time_left()
        if left <= 0:
            raise TimeoutError("the deadline has passed")
        self.settimeout(min(left, 3600.0))


class _DeadlineConnection(HTTPConnection):
    def _new_conn(self) -> socket.socket:
        plain = super()._new_conn()
        return _DeadlineSocket(plain.family, plain.type, plain.proto, fileno=plain.detach())


class _DeadlinePool(HTTPConnectionPool):
    ConnectionCls = _DeadlineConnection


@dataclass(frozen=True, slots=True)
class ServiceAnswer:
    """A validated answer and the service's state when it was made."""

    answer: dict[str, Any]
    state: str


class RecommendationClient:
    """Calls the service at `url`, such as http://127.0.0.1:5000. Thread-safe; each process has its own connections.

    Raises ConfigurationError unless `url` is plain http with a host and without a path or credentials.
    """

    def __init__(self, url: str, *, deadline_s: float = 0.3, connect_s: float = 0.05) -> None:
        parts = urlsplit(url)
        if parts.scheme != "http" or not parts.hostname or parts.path.strip("/") or parts.query or parts.username:
            raise ConfigurationError(
                f"RECOMMENDATION_SERVICE_URL must look like http://host:port, not {parts.scheme}://{parts.hostname or ''}"
            )
        self._host, self._port = parts.hostname, parts.port or 80
        self._deadline_s, self._connect_s = deadline_s, connect_s
        self._breakers: defaultdict[str, CircuitBreaker] = defaultdict(CircuitBreaker)
        self._lock = threading.Lock()
        self._pool: tuple[int, HTTPConnectionPool] | None = None

    def breaker(self, use_case: str) -> CircuitBreaker:
        """Return the breaker of one use case; its faults do not stop the requests of other use cases."""
        return self._breakers[use_case]

    def recommend(
        self, request: RecommendationRequest, *, use_case: str, surface: str, as_service: bool = False
    ) -> ServiceAnswer:
        """Return the validated answer to a request; of a request with offers, it names these offers and no other item.

        The token is for the request's user alone, or for the whole service with `as_service`, which context surfaces need.
        Raises ServiceFailed. The code item_not_exported means that the request names an item which is newer than the
        service's export; too_large is raised before anything is sent.
        """
        body = request.model_dump_json().encode()
        if len(body) > MAX_REQUEST_BYTES:
            raise ServiceFailed("too_large", f"the request has {len(body)} bytes; at most {MAX_REQUEST_BYTES} are sent")

        def check(response_body: bytes) -> dict[str, Any]:
            return checked(response_body, request, use_case=use_case, surface=surface)

        try:
            headers = _token_header(request.user_id, tokens.ANY if as_service else tokens.SELF)
            return self._call(use_case, f"/api/recommendations/{use_case}/{surface}", body, headers, check)
        except _Refused as error:
            if error.status == HTTPStatus.NOT_FOUND and request.item_ids:
                detail = "the service does not know this item yet; its next export brings it"
                raise ServiceFailed("item_not_exported", detail) from error
            raise self._failure(error) from error

    def estimate(
        self, request: EstimateRequest, *, use_case: str, name: str, check: Callable[[bytes], dict[str, Any]]
    ) -> dict[str, Any]:
        """Return the requested estimates as `check` reads them; `check` raises BadAnswer. Raises ServiceFailed.

        The code not_trained means that the estimator has no model yet.
        """
        try:
            path, body = f"/api/estimates/{use_case}/{name}", request.model_dump_json().encode()
            return self._call(use_case, path, body, _token_header(None, tokens.ANY), check).answer
        except _Refused as error:
            if error.status in (HTTPStatus.NOT_FOUND, HTTPStatus.SERVICE_UNAVAILABLE):
                raise ServiceFailed("not_trained", "the service has no model for this estimate yet") from error
            raise self._failure(error) from error

    def _call(
        self, use_case: str, path: str, body: bytes, headers: Mapping[str, str], check: Callable[[bytes], dict[str, Any]]
    ) -> ServiceAnswer:
        """Post `body` unless the use case's breaker is open. Raises ServiceFailed for a fault, _Refused for a refusal."""
        breaker = self.breaker(use_case)
        if not breaker.may_pass():
            raise _circuit_open()
        reset_token = _deadline.set(time.monotonic() + self._deadline_s)
        try:
            response_body, state = self._exchange("POST", path, body, headers)
            answer = check(response_body)
        except _Refused:
            breaker.succeeded()  # a refusal is an answer: the service works
            raise
        except (BadAnswer, HTTPError, OSError) as error:
            breaker.failed()
            raise self._failure(error) from error
        finally:
            _deadline.reset(reset_token)
        breaker.succeeded()
        return ServiceAnswer(answer, state)

    def state(self) -> str:
        """Return the service's state, which changes with every new model. Raises ServiceFailed."""
        breaker = self.breaker(STATUS)
        if not breaker.may_pass():
            raise _circuit_open()
        try:
            state = self._get("/readyz", {}, "state", str)
        except ServiceFailed:
            breaker.failed()
            raise
        breaker.succeeded()
        return state

    def models(self) -> list[dict[str, Any]]:
        """Return every export and model that one worker of the service has loaded. Raises ServiceFailed."""
        return self._get("/api/models", _token_header(None, tokens.ADMIN), "models", lambda rows: [dict(row) for row in rows])

    def _get(self, path: str, headers: Mapping[str, str], key: str, read: Callable[[Any], Read]) -> Read:
        reset_token = _deadline.set(time.monotonic() + self._deadline_s)
        try:
            body, _ = self._exchange("GET", path, None, headers)
            return read(orjson.loads(body)[key])
        except (BadAnswer, HTTPError, OSError, ValueError, KeyError, TypeError) as error:
            raise self._failure(error) from error
        finally:
            _deadline.reset(reset_token)

    def _failure(self, error: Exception) -> ServiceFailed:
        if isinstance(error, BadAnswer):
            return ServiceFailed("bad_answer", f"the service's answer was refused: {error}")
        if isinstance(error, ConnectTimeoutError):
            return ServiceFailed("unreachable", f"the service did not take a connection within {self._connect_s:g} s")
        if isinstance(error, LateError | TimeoutError) or _time_left() <= 0:
            return ServiceFailed("timeout", f"the service did not answer within {self._deadline_s:g} s")
        return ServiceFailed("unreachable", "the service cannot be reached")

    def _exchange(self, method: str, path: str, body: bytes | None, headers: Mapping[str, str]) -> tuple[bytes, str]:
        """Return the body and the service's state."""
        try:
            response = self._begin(method, path, body, headers)
        except (NewConnectionError, ProtocolError):
            if _time_left() <= 0:
                raise
            response = self._begin(method, path, body, headers)  # a request changes nothing, so it is safe to repeat
        try:
            content = _body_of(response)
        except BaseException:
            response.close()  # the rest of this body must not be read as the next answer
            raise
        response.release_conn()
        return content, response.headers.get("X-Serving-State", "")[:64]

    def _begin(self, method: str, path: str, body: bytes | None, headers: Mapping[str, str]) -> BaseHTTPResponse:
        """Send the request and read the headers of the answer."""
        left = max(0.001, _time_left())
        return self._connections().urlopen(
            method,
            path,
            body=body,
            headers={**headers, "Content-Type": "application/json", "Accept-Encoding": "identity"},
            timeout=Timeout(connect=min(self._connect_s, left), read=left),
            retries=False,
            redirect=False,
            preload_content=False,
            decode_content=False,
        )

    def _connections(self) -> HTTPConnectionPool:
        """Return the pool of this process; after a fork a new one, because two processes must not share a socket."""
        pool = self._pool
        if pool is None or pool[0] != os.getpid():
            with self._lock:
                if self._pool is None or self._pool[0] != os.getpid():
                    self._pool = (os.getpid(), _DeadlinePool(self._host, self._port, maxsize=POOL_SIZE, block=False))
                pool = self._pool
        return pool[1]


def _body_of(response: BaseHTTPResponse) -> bytes:
    """Return the whole body of a 200 answer. Raises BadAnswer before it reads more than the cap, _Refused for a refusal.

    Of the 503 answers, only problem+json comes from the service itself: it has no export or model of this yet.
    """
    content_type = response.headers.get("Content-Type", "").partition(";")[0].strip().lower()
    own_503 = response.status == HTTPStatus.SERVICE_UNAVAILABLE and content_type == PROBLEM_JSON
    if own_503 or 400 <= response.status < 500:
        raise _Refused(response.status)
    if response.status != HTTPStatus.OK:
        raise BadAnswer(f"HTTP status {response.status}")
    if content_type != "application/json":
        raise BadAnswer("it is not application/json")
    if response.headers.get("Content-Encoding", "identity").lower() != "identity":
        raise BadAnswer("it is compressed, which was not asked for")
    body = bytearray()
    try:
        while chunk := response.read(CHUNK_BYTES):
            body += chunk
            if len(body) > MAX_BODY_BYTES:
                raise BadAnswer("it is larger than 256 kB")
    except ProtocolError as error:
        raise BadAnswer("it ended too early") from error
    return bytes(body)


def _circuit_open() -> ServiceFailed:
    return ServiceFailed("circuit_open", "the service failed several times in a row; it is called again shortly")


def _token_header(user_id: str | None, scope: str = tokens.SELF) -> dict[str, str]:
    """Return the header with a token; empty without keys, for a service that runs with RS_INSECURE_DEV."""
    try:
        token = tokens.service_token(user_id or NO_USER, scope)
    except ConfigurationError as error:
        raise ServiceFailed("misconfigured", error.message) from error
    return {"Authorization": f"Bearer {token}"} if token else {}


def client() -> RecommendationClient:
    """Return the client of this process for the settings as they are now."""
    conf = tandem_settings()
    return _client(conf.backend, conf.service_url, conf.deadline_s, conf.connect_timeout_s)


@lru_cache(maxsize=4)
def _client(backend: str, url: str, deadline_s: float, connect_s: float) -> RecommendationClient:
    made: RecommendationClient = import_string(backend)(url, deadline_s=deadline_s, connect_s=connect_s)
    return made


def forget_client() -> None:
    """Discard the client, its connections and its circuit breakers; for tests."""
    _client.cache_clear()
