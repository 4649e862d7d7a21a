"""Authentication by short-lived signed tokens. Only the two probes are open."""

import hmac
from collections.abc import Iterable
from dataclasses import dataclass

from flask import Request

from recommendation_service.core.signing import ADMIN, ANY, MAX_TOKEN_LENGTH, SELF, Verifier
from recommendation_service.errors import ConfigurationError, Forbidden, Unauthenticated
from recommendation_service.settings import Settings

AUDIENCE = "recommendation_service"
CONTEXT = "context"
LOOPBACK = ("127.0.0.1", "::1", "localhost")


@dataclass(frozen=True, slots=True)
class Principal:
    """The subject of a verified token and its permissions."""

    subject: str
    scopes: frozenset[str]

    def may_ask_for(self, user_id: str | None) -> bool:
        """Return True for the user's own lists, for lists without a user, and for services."""
        return ANY in self.scopes or (SELF in self.scopes and user_id in (None, self.subject))

    def may_ask_about(self, about: str) -> bool:
        """Return True unless it is a context: its lists reveal data, such as of a job, so only services may request them."""
        return about != CONTEXT or ANY in self.scopes

    def require(self, scope: str) -> None:
        """Raise Forbidden unless the token carries `scope`."""
        if scope not in self.scopes:
            raise Forbidden(f"this needs a token with the scope {scope}")


EVERYONE = Principal("insecure-dev", frozenset({SELF, ANY, ADMIN}))


class Authenticator:
    """Verifies tokens against the key ring; with `insecure_dev`, accepts every request."""

    def __init__(self, settings: Settings, *, audience: str = AUDIENCE) -> None:
        """Raises ConfigurationError when there is no key and the settings do not allow that."""
        refuse_to_start_open(settings, [settings.host])
        self._verifier = Verifier(settings.keys(), audience=audience)
        self._open = settings.insecure_dev
        self._metrics_token = settings.metrics_token.get_secret_value()

    def principal(self, request: Request) -> Principal:
        """Return the caller of an API route. Raises Unauthenticated, whose message has public facts only."""
        if self._open:
            return EVERYONE
        return self._verify(_bearer(request))

    def admit_operator(self, request: Request) -> None:
        """Raise Forbidden unless the caller has RS_METRICS_TOKEN, or a token for all users or for administration."""
        if self._open:
            return
        token = _bearer(request)
        if self._metrics_token and hmac.compare_digest(token.encode(), self._metrics_token.encode()):
            return
        principal = self._verify(token)
        if not principal.scopes & {ANY, ADMIN}:
            raise Forbidden(f"this needs RS_METRICS_TOKEN or a token with the scope {ANY} or {ADMIN}")

    def _verify(self, token: str) -> Principal:
        claims = self._verifier.claims(token)
        return Principal(claims.subject, claims.scopes)


def _bearer(request: Request) -> str:
    scheme, _, token = request.headers.get("Authorization", "").partition(" ")
    if scheme.lower() != "bearer" or not token or not token.isascii() or len(token) > MAX_TOKEN_LENGTH:
        raise Unauthenticated("send a token: Authorization: Bearer <token>")
    return token.strip()


def refuse_to_start_open(settings: Settings, hosts: Iterable[str]) -> None:
    """Raise ConfigurationError unless tokens are verified, or this is a developer's own machine on purpose."""
    if settings.insecure_dev:
        outside = [host for host in hosts if host not in LOOPBACK]
        if settings.env != "dev" or outside:
            raise ConfigurationError(
                "RS_INSECURE_DEV=1 needs ENV=dev and a loopback RS_HOST such as 127.0.0.1; set RS_SIGNING_KEYS instead"
            )
    elif not settings.keys():
        raise ConfigurationError(
            "RS_SIGNING_KEYS is empty: set kid:secret with a secret of 32 bytes or more,"
            " or RS_INSECURE_DEV=1 with ENV=dev on a loopback address"
        )
