"""Tokens that Django sends to the recommendation service, and tokens that Django's own API accepts."""

import time
from collections.abc import Sequence
from functools import lru_cache

from recommendation_service.core import signing
from recommendation_service.core.signing import ADMIN, ANY, LONGEST_SECONDS, SELF, Claims
from tandem.conf import tandem_settings

__all__ = ["ADMIN", "ANY", "LONGEST_SECONDS", "SELF", "Claims", "issue", "key_ring", "service_token", "verify"]

BACKEND = "backend"
SERVICE = "recommendation_service"
SERVICE_TOKEN_SECONDS = 60
REUSED_SECONDS = 20  # one token serves the requests for one user for so long


def key_ring() -> dict[str, bytes]:
    """Return the keys of TANDEM["SIGNING_KEYS"] by key id, the signing key first. Raises ConfigurationError for a short key."""
    return signing.key_ring(tandem_settings().signing_keys)


def issue(
    *,
    subject: str,
    scopes: Sequence[str] = (SELF,),
    audience: Sequence[str] = (SERVICE,),
    seconds: int = SERVICE_TOKEN_SECONDS,
    now: float | None = None,
) -> str:
    """Return a signed token, by default for the service. Raises ConfigurationError without a key."""
    return signing.sign(key_ring(), subject=subject, scopes=scopes, audience=audience, seconds=seconds, now=now)


def service_token(subject: str, scope: str) -> str:
    """Return a token for the service that is valid for at least 40 more seconds; "" without keys.

    Raises ConfigurationError for a short key.
    """
    return _service_token(tandem_settings().signing_keys, subject, scope, int(time.time() // REUSED_SECONDS))


@lru_cache(maxsize=1024)
def _service_token(keys: str, subject: str, scope: str, _period: int) -> str:
    return issue(subject=subject, scopes=(scope,)) if signing.key_ring(keys) else ""


def verify(token: str) -> Claims:
    """Return the claims of a token for Django's API. Raises Unauthenticated without private details."""
    return signing.verify(token, key_ring(), audience=BACKEND)
