"""Signed tokens between Django and the service, and for the callers of both.

HS256 JWTs over a key ring ("kid:secret,kid:secret"): the first key signs and all keys verify, so that you can change a key
without refusing valid tokens.
"""

import math
import time
import uuid
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Any

import jwt

from recommendation_service.errors import ConfigurationError, Unauthenticated

ISSUER = "backend"
ALGORITHM = "HS256"
SELF, ANY, ADMIN = "recs:self", "recs:any", "recs:admin"
LONGEST_SECONDS = 24 * 3600
LEEWAY_SECONDS = 30
MIN_KEY_BYTES = 32
MAX_TOKEN_LENGTH = 4096
REQUIRED = ["iss", "aud", "sub", "scope", "iat", "exp", "jti"]
NOT_TRUSTED = "the token is not valid; sign it with a key of RS_SIGNING_KEYS"
EXPIRED = "the token has expired; ask for a new one"
REMEMBERED = 4096  # verified tokens, 0.5 kB each


@dataclass(frozen=True, slots=True)
class Claims:
    """The subject and the permissions of a verified token."""

    subject: str
    scopes: frozenset[str]
    expires: float = field(default=math.inf, compare=False)  # Unix seconds


def key_ring(raw: str) -> dict[str, bytes]:
    """Return the keys by key id, the signing key first; empty if `raw` is.

    Raises ConfigurationError for a key without an id or shorter than 32 bytes; the message never contains a key.
    """
    pairs = [pair.strip().partition(":") for pair in raw.split(",") if pair.strip()]
    for kid, _, secret in pairs:
        if not kid or len(secret.encode()) < MIN_KEY_BYTES:
            raise ConfigurationError(f"RS_SIGNING_KEYS: each key is kid:secret, the secret {MIN_KEY_BYTES} bytes or longer")
    return {kid: secret.encode() for kid, _, secret in pairs}


def sign(
    keys: Mapping[str, bytes],
    *,
    subject: str,
    scopes: Sequence[str],
    audience: Sequence[str],
    seconds: int,
    now: float | None = None,
) -> str:
    """Return a token for `subject`: a user id, or "service".

    Raises ConfigurationError without a key, and for a lifetime above 24 hours.
    """
    if not keys:
        raise ConfigurationError("RS_SIGNING_KEYS is empty: set kid:secret with a secret of 32 bytes or longer")
    if not 0 < seconds <= LONGEST_SECONDS:
        raise ConfigurationError(f"the lifetime of a token is 1 to {LONGEST_SECONDS} seconds, not {seconds}")
    kid, secret = next(iter(keys.items()))
    issued = int(time.time() if now is None else now)
    claims = {
        "iss": ISSUER,
        "aud": list(audience),
        "sub": subject,
        "scope": " ".join(scopes),
        "iat": issued,
        "exp": issued + seconds,
        "jti": str(uuid.uuid4()),
    }
    return jwt.encode(claims, secret, algorithm=ALGORITHM, headers={"kid": kid})


def verify(token: str, keys: Mapping[str, bytes], *, audience: str) -> Claims:
    """Return the claims of a token for `audience`. Raises Unauthenticated, whose message has public facts only."""
    if len(token) > MAX_TOKEN_LENGTH or not token.isascii():
        raise Unauthenticated(NOT_TRUSTED)
    try:
        key = keys[jwt.get_unverified_header(token)["kid"]]
        claims = jwt.decode(
            token,
            key,
            algorithms=[ALGORITHM],
            audience=audience,
            issuer=ISSUER,
            leeway=LEEWAY_SECONDS,
            options={"require": REQUIRED},
        )
        return _claims(claims)
    except jwt.ExpiredSignatureError as error:
        raise Unauthenticated(EXPIRED) from error
    except jwt.ImmatureSignatureError as error:
        raise Unauthenticated("the token was issued in the future; check the clocks of both machines") from error
    except (jwt.PyJWTError, KeyError, TypeError, ValueError) as error:
        raise Unauthenticated(NOT_TRUSTED) from error


class Verifier:
    """Verifies tokens for one audience, and remembers the newest REMEMBERED that were valid: a caller sends one many times."""

    def __init__(self, keys: Mapping[str, bytes], *, audience: str) -> None:
        """`keys` must not change."""
        self._verified = lru_cache(REMEMBERED)(lambda token: verify(token, keys, audience=audience))

    def claims(self, token: str) -> Claims:
        """Return the claims of a token. Raises Unauthenticated; an error is not remembered."""
        claims = self._verified(token)
        if time.time() >= claims.expires + LEEWAY_SECONDS:
            raise Unauthenticated(EXPIRED)
        return claims


def _claims(claims: dict[str, Any]) -> Claims:
    subject, scope = claims["sub"], claims["scope"]
    if not isinstance(subject, str) or not subject or not isinstance(scope, str):
        raise ValueError("sub and scope must be text")
    if not isinstance(claims["aud"], list):
        raise ValueError("aud must be a list")
    if claims["exp"] - claims["iat"] > LONGEST_SECONDS + LEEWAY_SECONDS:
        raise ValueError("the lifetime of the token is too long")
    return Claims(subject, frozenset(scope.split()), float(claims["exp"]))
