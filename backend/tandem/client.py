"""The hop to the recommendation service: one kept-alive pool, one deadline for everything, one breaker.

`urllib3` times out per read, so a server that sends a byte a second would hold a page for minutes. Here the socket
itself knows when the whole call must be over.
"""

import os
import socket
import threading
import time
from collections.abc import Callable, Mapping
from contextvars import ContextVar
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

import orjson
from urllib3 import HTTPConnectionPool, Timeout
from urllib3.connection import HTTPConnection
from urllib3.exceptions import ConnectTimeoutError, HTTPError, NewConnectionError, ProtocolError
from urllib3.exceptions import TimeoutError as LateError
from urllib3.response import BaseHTTPResponse

from recommendation_service.errors import ConfigurationError
from tandem import tokens
from tandem.breaker import CircuitBreaker
from tandem.conf import tandem_settings
from tandem.responses import BadAnswer, checked

MAX_BODY_BYTES = 256 * 1024
MAX_ASK_BYTES = 250_000  # the service takes 256,000; more than it takes would look like a fault of its own
CHUNK_BYTES = 64 * 1024
POOL_SIZE = 16
NOBODY = "-"  # whom a token is for when a list is for nobody in particular

_deadline: ContextVar[float] = ContextVar("deadline", default=float("inf"))  # monotonic seconds


def _time_left() -> float:
    return _deadline.get() - time.monotonic()


class ServiceFailed(Exception):
    """No answer from the service.

    `code` is unreachable, timeout, bad_answer, circuit_open, not_known_yet, not_trained or too_large.
    """

    def __init__(self, code: str, detail: str) -> None:
        super().__init__(f"{code}: {detail}")
        self.code = code
        self.detail = detail


class _NotThere(BadAnswer):
    """The service answered, and does not know what was asked about."""


class _NotReady(BadAnswer):
    """The service answered that it cannot say yet."""


class _DeadlineSocket(socket.socket):
    """A socket whose reads and writes end at the deadline of the call they belong to, however many they are."""

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
class Answered:
    """A checked answer, and the word for what the service served when it gave it."""

    answer: dict[str, Any]
    state: str


class RecommendationClient:
    """Asks the service at `url`, such as http://127.0.0.1:5000. Thread-safe; each process has its own connections.

    Raises ConfigurationError unless `url` is plain http with a host and without a path or credentials.
    """

    def __init__(
        self, url: str, *, deadline_s: float = 0.3, connect_s: float = 0.05, breaker: CircuitBreaker | None = None
    ) -> None:
        parts = urlsplit(url)
        if parts.scheme != "http" or not parts.hostname or parts.path.strip("/") or parts.query or parts.username:
            raise ConfigurationError(
                f"RECOMMENDATION_SERVICE_URL must look like http://host:port, not {parts.scheme}://{parts.hostname or ''}"
            )
        self._host, self._port = parts.hostname, parts.port or 80
        self._deadline_s, self._connect_s = deadline_s, connect_s
        self.breaker = breaker or CircuitBreaker()
        self._lock = threading.Lock()
        self._pool: tuple[int, HTTPConnectionPool] | None = None

    def recommend(
        self,
        ask: Mapping[str, Any],
        *,
        use_case: str,
        surface: str,
        user_id: str | None,
        limit: int,
        as_service: bool = False,
    ) -> Answered:
        """The checked answer to one Ask, which is the JSON body as docs/reference says. Raises ServiceFailed.

        Asked for the user alone, or `as_service`, which lists about a context need: they say things about somebody's job.
        The code not_known_yet, for an item that is newer than the service's export, says nothing bad of the service.
        """

        def check(body: bytes) -> dict[str, Any]:
            return checked(body, use_case=use_case, surface=surface, user_id=user_id, limit=limit)

        try:
            path = f"/api/recommendations/{use_case}/{surface}"
            scope = tokens.ANY if as_service else tokens.SELF
            return self._asked(path, orjson.dumps(ask), _token_header(user_id, scope), check)
        except _NotThere as error:
            if not ask.get("item_ids"):
                self.breaker.failed()
                raise self._failure(error) from error
            self.breaker.succeeded()
            told = "the service does not know this item yet; its next export brings it"
            raise ServiceFailed("not_known_yet", told) from error

    def recommend_among(self, ask: Mapping[str, Any], *, use_case: str, surface: str) -> Answered:
        """The checked answer to an Ask that brings its own context and offers: about these offers and no other item.

        Asked as a service, since it is about somebody's job and not about a person's list. Raises ServiceFailed, with the
        code too_large before anything is sent.
        """
        body = orjson.dumps(ask)
        if len(body) > MAX_ASK_BYTES:
            raise ServiceFailed("too_large", f"the question is {len(body)} bytes, at most {MAX_ASK_BYTES} are sent")
        offered = {offer["item_id"] for offer in ask["offers"]}

        def check(body: bytes) -> dict[str, Any]:
            answer = checked(body, use_case=use_case, surface=surface, user_id=None, limit=ask["limit"])
            if any(item["item_id"] not in offered for item in answer["recommendations"]):
                raise BadAnswer("it names items that were not offered")
            return answer

        try:
            return self._asked(f"/api/recommendations/{use_case}/{surface}", body, _token_header(None, tokens.ANY), check)
        except _NotThere as error:
            self.breaker.failed()
            raise self._failure(error) from error

    def estimate(
        self, asked: Mapping[str, Any], *, use_case: str, name: str, check: Callable[[bytes], dict[str, Any]]
    ) -> dict[str, Any]:
        """What `check` makes of the estimates asked for, which raises BadAnswer. Asked as a service. Raises ServiceFailed.

        The code not_trained, for an estimate without a model, says nothing of the lists that the same service answers.
        """
        body, quiet = orjson.dumps(asked), (_NotThere, _NotReady)
        try:
            path = f"/api/estimates/{use_case}/{name}"
            return self._asked(path, body, _token_header(None, tokens.ANY), check, quiet).answer
        except quiet as error:
            raise ServiceFailed("not_trained", "the service has no model for this estimate yet") from error

    def _asked(
        self,
        path: str,
        body: bytes,
        headers: Mapping[str, str],
        check: Callable[[bytes], dict[str, Any]],
        quiet: tuple[type[BadAnswer], ...] = (_NotThere,),
    ) -> Answered:
        """What `check` makes of the answer, within the deadline and past the breaker. Raises ServiceFailed.

        What is `quiet` is raised as it is, and nothing is said of it to the breaker.
        """
        if not self.breaker.may_pass():
            raise ServiceFailed("circuit_open", "the service failed a moment ago; it is asked again shortly")
        over = _deadline.set(time.monotonic() + self._deadline_s)
        try:
            found, state = self._exchange("POST", path, body, headers)
            answer = check(found)
        except quiet:
            raise
        except (BadAnswer, HTTPError, OSError) as error:
            self.breaker.failed()
            raise self._failure(error) from error
        finally:
            _deadline.reset(over)
        self.breaker.succeeded()
        return Answered(answer, state)

    def state(self) -> str:
        """The word for all that the service serves now: it changes with every new model. Raises ServiceFailed."""
        if self.breaker.is_open:
            raise ServiceFailed("circuit_open", "the service failed a moment ago; it is asked again shortly")
        over = _deadline.set(time.monotonic() + self._deadline_s)
        try:
            body, _ = self._exchange("GET", "/readyz", None, {})
            return str(orjson.loads(body)["state"])
        except (BadAnswer, HTTPError, OSError, ValueError, KeyError, TypeError) as error:
            self.breaker.failed()
            raise self._failure(error) from error
        finally:
            _deadline.reset(over)

    def models(self) -> list[dict[str, Any]]:
        """Every export and model as one worker of the service holds it: the rows of GET /api/models. Raises ServiceFailed."""
        over = _deadline.set(time.monotonic() + self._deadline_s)
        try:
            body, _ = self._exchange("GET", "/api/models", None, _token_header(None, tokens.ADMIN))
            rows = orjson.loads(body)["models"]
            return [dict(row) for row in rows]
        except (BadAnswer, HTTPError, OSError, ValueError, KeyError, TypeError) as error:
            raise self._failure(error) from error
        finally:
            _deadline.reset(over)

    def _failure(self, error: Exception) -> ServiceFailed:
        if isinstance(error, BadAnswer):
            return ServiceFailed("bad_answer", f"the service's answer was refused: {error}")
        if isinstance(error, ConnectTimeoutError):
            return ServiceFailed("unreachable", f"the service did not take a connection within {self._connect_s:g} s")
        if isinstance(error, LateError | TimeoutError) or _time_left() <= 0:
            return ServiceFailed("timeout", f"the service did not answer within {self._deadline_s:g} s")
        return ServiceFailed("unreachable", "the service cannot be reached")

    def _exchange(self, method: str, path: str, body: bytes | None, headers: Mapping[str, str]) -> tuple[bytes, str]:
        """The body, and the service's own word for what it serves."""
        try:
            response = self._begin(method, path, body, headers)
        except (NewConnectionError, ProtocolError):
            if _time_left() <= 0:
                raise
            response = self._begin(
                method, path, body, headers
            )  # asking changes nothing there, so a lost connection is tried again
        try:
            found = _body_of(response)
        except BaseException:
            response.close()  # what is left of it must not be read as the next answer
            raise
        response.release_conn()
        return found, response.headers.get("X-Serving-State", "")[:64]

    def _begin(self, method: str, path: str, body: bytes | None, headers: Mapping[str, str]) -> BaseHTTPResponse:
        """Send the question and read the answer's headers."""
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
        """This process's pool: a fork starts with an empty one, since two processes must not share a socket."""
        pool = self._pool
        if pool is None or pool[0] != os.getpid():
            with self._lock:
                if self._pool is None or self._pool[0] != os.getpid():
                    self._pool = (os.getpid(), _DeadlinePool(self._host, self._port, maxsize=POOL_SIZE, block=False))
                pool = self._pool
        return pool[1]


def _body_of(response: BaseHTTPResponse) -> bytes:
    """The whole body of a good answer. Raises BadAnswer before reading more than the cap."""
    if response.status == 404:
        raise _NotThere("HTTP status 404")
    if response.status == 503:
        raise _NotReady("HTTP status 503")
    if response.status != 200:
        raise BadAnswer(f"HTTP status {response.status}")
    kind = response.headers.get("Content-Type", "").partition(";")[0].strip().lower()
    if kind != "application/json":
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


def _token_header(user_id: str | None, scope: str = tokens.SELF) -> dict[str, str]:
    if not tandem_settings().signing_keys:
        return {}  # a developer's own machine, where the service runs with RS_INSECURE_DEV
    return {"Authorization": f"Bearer {tokens.issue(subject=user_id or NOBODY, scopes=(scope,))}"}


_client: RecommendationClient | None = None


def client() -> RecommendationClient:
    """This process's client, made from the settings on first use."""
    global _client
    if _client is None:
        conf = tandem_settings()
        _client = RecommendationClient(conf.service_url, deadline_s=conf.deadline_s, connect_s=conf.connect_timeout_s)
    return _client


def forget_client() -> None:
    """Make a new client at the next call; for tests and changed settings."""
    global _client
    _client = None
