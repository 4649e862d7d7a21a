"""Calls to the Django backend, which has the tables of events and of shown lists."""

import json
from collections.abc import Mapping
from typing import Any

import urllib3

from recommendation_service.core.signing import sign
from recommendation_service.errors import ConfigurationError, Unavailable
from recommendation_service.settings import Settings, load_settings

AUDIENCE = "backend"
TOKEN_SECONDS = 60
TIMEOUT_S = 5.0


class Backend:
    """The REST API of the backend at `url`, such as http://127.0.0.1:8000, with a token of a service."""

    def __init__(self, url: str, *, settings: Settings | None = None) -> None:
        """Raises ConfigurationError if RS_SIGNING_KEYS is empty, because the backend refuses requests without a token."""
        keys = (settings or load_settings()).keys()
        if not keys:
            raise ConfigurationError("RS_SIGNING_KEYS is empty; set it to the value that the backend uses")
        self._url, self._keys = url.rstrip("/"), dict([next(iter(keys.items()))])
        self._pool = urllib3.PoolManager(retries=False, timeout=TIMEOUT_S)

    def request(self, method: str, path: str, body: Mapping[str, Any] | None = None) -> dict[str, Any]:
        """Return the JSON of the answer. Raises Unavailable, with the backend's reason, for every other answer and for none."""
        token = sign(self._keys, subject="service", scopes=("recs:any",), audience=[AUDIENCE], seconds=TOKEN_SECONDS)
        headers = {"Authorization": f"Bearer {token}", "Content-Type": "application/json"}
        raw = None if body is None else json.dumps(body).encode()
        try:
            answer = self._pool.request(method, f"{self._url}{path}", body=raw, headers=headers)
            content = json.loads(answer.data)
        except (urllib3.exceptions.HTTPError, ValueError) as error:
            raise Unavailable(f"the backend at {self._url} gave no answer ({type(error).__name__})") from error
        if not 200 <= answer.status < 300:
            raise Unavailable(f"the backend refused {method} {path} with status {answer.status}: {content.get('detail', '')}")
        return dict(content)
