"""A server that misbehaves in one chosen way, on a loopback port, and counts what it was asked."""

import gzip
import json
import socket
import threading
import time
from collections.abc import Callable
from contextlib import suppress
from types import TracebackType
from typing import Any

Behaviour = Callable[["FaultServer", socket.socket, dict[str, Any]], bool]  # True: keep the connection


class FaultServer:
    """Accepts connections and lets `behave` answer each request. Use it as a context manager."""

    def __init__(self, behave: Behaviour) -> None:
        self.behave = behave
        self.asked: list[dict[str, Any]] = []
        self.headers: list[str] = []
        self.connections = 0
        self.closing = threading.Event()
        self._listener = socket.create_server(("127.0.0.1", 0))
        self._listener.settimeout(0.05)
        self._open: list[socket.socket] = []
        self._threads: list[threading.Thread] = []
        self.url = f"http://127.0.0.1:{self._listener.getsockname()[1]}"

    def __enter__(self) -> "FaultServer":
        self._start(self._accept)
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self.closing.set()
        for thread in self._threads:
            thread.join(2)
        self._listener.close()

    def drop_connections(self) -> None:
        """Close every open connection, as a restart does."""
        for one in self._open:
            with suppress(OSError):
                one.shutdown(socket.SHUT_RDWR)

    def _start(self, work: Callable[..., None], *args: Any) -> None:
        thread = threading.Thread(target=work, args=args, daemon=True)
        thread.start()
        self._threads.append(thread)

    def _accept(self) -> None:
        while not self.closing.is_set():
            try:
                accepted, _ = self._listener.accept()
            except TimeoutError:
                continue
            self.connections += 1
            self._open.append(accepted)
            self._start(self._talk, accepted)

    def _talk(self, accepted: socket.socket) -> None:
        accepted.settimeout(0.05)
        with accepted, suppress(OSError):
            while (request := self._request(accepted)) is not None:
                self.asked.append(request)
                if not self.behave(self, accepted, request):
                    return

    def _request(self, accepted: socket.socket) -> dict[str, Any] | None:
        got = b""
        while not self.closing.is_set():
            try:
                chunk = accepted.recv(65536)
            except TimeoutError:
                continue
            if not chunk:
                return None
            got += chunk
            head, found, body = got.partition(b"\r\n\r\n")
            length = next(
                (int(line[16:]) for line in head.decode().split("\r\n") if line.lower().startswith("content-length: ")), 0
            )
            if found and len(body) >= length:
                self.headers.append(head.decode())
                return dict(json.loads(body)) if body else {}
        return None


def http(
    body: bytes, *, status: str = "200 OK", kind: str = "application/json", extra: str = "", length: int | None = None
) -> bytes:
    """One HTTP response as bytes."""
    size = len(body) if length is None else length
    return f"HTTP/1.1 {status}\r\nContent-Type: {kind}\r\nContent-Length: {size}\r\n{extra}\r\n".encode() + body


def answer_for(request: dict[str, Any], item_ids: list[str], **changes: Any) -> dict[str, Any]:
    """A good answer to `request` that recommends `item_ids`, with `changes` on top."""
    shown = item_ids[: request.get("limit", 10)]
    answer = {
        "request_id": request.get("request_id") or "00000000-0000-4000-8000-000000000000",
        "use_case": "startups",
        "surface": "for-developer",
        "user_id": request.get("user_id"),
        "method_used": "als",
        "degraded": False,
        "degradation": [],
        "model_version": "als_v1",
        "generated_at": "2026-01-01T00:00:00+00:00",
        "interaction_count": len(request.get("history") or []),
        "probabilities": {},
        "stages": [],
        "relaxed": [],
        "recommendations": [
            {
                "item_id": item_id,
                "title": f"served {item_id}",
                "score": 1.0 - place / 100,
                "position": place + 1,
                "reasons": ["because"],
                "parts": {},
            }
            for place, item_id in enumerate(shown)
        ],
    }
    return {**answer, **changes}


def good(item_ids: list[str], *, delay_s: float = 0.0, **changes: Any) -> Behaviour:
    """Answers as the service does."""

    def behave(server: FaultServer, accepted: socket.socket, request: dict[str, Any]) -> bool:
        time.sleep(delay_s)
        accepted.sendall(http(json.dumps(answer_for(request, item_ids, **changes)).encode()))
        return True

    return behave


def serves(item_ids: list[str], state: list[str]) -> Behaviour:
    """Answers as the service does, `state[-1]` being its word for what it serves."""

    def behave(server: FaultServer, accepted: socket.socket, request: dict[str, Any]) -> bool:
        body = answer_for(request, item_ids) if request else {"status": "ok", "state": state[-1]}
        accepted.sendall(http(json.dumps(body).encode(), extra=f"X-Serving-State: {state[-1]}\r\n"))
        return True

    return behave


def says(response: bytes) -> Behaviour:
    """Answers everything with the same bytes, then closes."""

    def behave(server: FaultServer, accepted: socket.socket, request: dict[str, Any]) -> bool:
        accepted.sendall(response)
        return False

    return behave


def waits(seconds: float, response: bytes = b"") -> Behaviour:
    """Says nothing for so long, then `response`."""

    def behave(server: FaultServer, accepted: socket.socket, request: dict[str, Any]) -> bool:
        server.closing.wait(seconds)
        accepted.sendall(response)
        return False

    return behave


def dribbles(response: bytes, *, pause_s: float) -> Behaviour:
    """Sends one byte, waits, sends the next."""

    def behave(server: FaultServer, accepted: socket.socket, request: dict[str, Any]) -> bool:
        for place in range(len(response)):
            accepted.sendall(response[place : place + 1])
            if server.closing.wait(pause_s):
                break
        return False

    return behave


def pours(megabytes: int) -> Behaviour:
    """A body that never seems to end."""

    def behave(server: FaultServer, accepted: socket.socket, request: dict[str, Any]) -> bool:
        accepted.settimeout(5)
        accepted.sendall(http(b"", length=megabytes * 1_000_000))
        for _ in range(megabytes):
            if server.closing.is_set():
                break
            accepted.sendall(b" " * 1_000_000)
        return False

    return behave


def resets(server: FaultServer, accepted: socket.socket, request: dict[str, Any]) -> bool:
    """Takes the question and hangs up."""
    return False


def bomb() -> bytes:
    """A small gzip body that would become 50 MB."""
    return http(gzip.compress(b" " * 50_000_000), extra="Content-Encoding: gzip\r\n")
