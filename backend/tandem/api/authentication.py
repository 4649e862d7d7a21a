"""Bearer tokens, used next to Django's sessions."""

from dataclasses import dataclass, field
from typing import Any, ClassVar

from rest_framework.authentication import BaseAuthentication
from rest_framework.request import Request

from recommendation_service.errors import Unauthenticated
from tandem.service_client import tokens

CHALLENGE = 'Bearer realm="backend"'


@dataclass(frozen=True, slots=True)
class TokenUser:
    """The holder of a verified token. Not a Django account: it has an id and scopes, and no permissions."""

    token_subject: str
    scopes: frozenset[str] = field(default_factory=frozenset)
    is_authenticated: ClassVar[bool] = True
    is_anonymous: ClassVar[bool] = False
    is_active: ClassVar[bool] = True
    is_staff: ClassVar[bool] = False
    is_superuser: ClassVar[bool] = False

    @property
    def pk(self) -> str:
        """What throttling counts by; never equal to an account's number."""
        return f"token:{self.token_subject}"


class BearerAuthentication(BaseAuthentication):
    """`Authorization: Bearer <JWT>` signed with a key of TANDEM["SIGNING_KEYS"] for the audience "backend"."""

    def authenticate(self, request: Request) -> tuple[TokenUser, tokens.Claims] | None:
        """Return the token's user, or None without a Bearer token. Raises Unauthenticated for a token that is not trusted."""
        scheme, _, token = request.META.get("HTTP_AUTHORIZATION", "").partition(" ")
        if scheme.lower() != "bearer":
            return None
        if not token.strip():
            raise Unauthenticated("send a token: Authorization: Bearer <token>")
        claims = tokens.verify(token.strip())
        return TokenUser(claims.subject, claims.scopes), claims

    def authenticate_header(self, request: Request) -> str:
        """Return the challenge of a 401."""
        return CHALLENGE


def scopes_of(user: Any) -> frozenset[str]:
    """Return the scopes of a token's user; none for an account."""
    scopes: frozenset[str] = getattr(user, "scopes", frozenset())
    return scopes
