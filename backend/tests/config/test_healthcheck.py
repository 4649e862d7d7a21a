"""The container's own question: is Django alive?"""

import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer

import pytest

from config.healthcheck import is_alive


class Site(BaseHTTPRequestHandler):
    status = 200
    seen: list[tuple[str, str, str]] = []

    def do_GET(self) -> None:
        Site.seen.append((self.path, self.headers["Host"], self.headers["X-Forwarded-Proto"]))
        self.send_response(Site.status)
        self.end_headers()

    def log_message(self, *_: object) -> None: ...


@pytest.fixture
def port() -> Iterator[int]:
    server = HTTPServer(("127.0.0.1", 0), Site)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    Site.seen, Site.status = [], 200
    yield server.server_port
    server.shutdown()
    server.server_close()
    thread.join()


def test_it_asks_livez_with_a_host_the_site_accepts(port: int) -> None:
    assert is_alive({"ALLOWED_HOSTS": ".example.org, other.example"}, port)
    assert Site.seen == [("/livez", "example.org", "https")]


def test_an_answer_that_is_not_200_is_no_life(port: int) -> None:
    Site.status = 503
    assert not is_alive({}, port)


def test_nobody_listening_is_no_life(port: int) -> None:
    assert not is_alive({}, 1)
