"""Who is asking: a Bearer token of ours, beside Django's session."""

from dataclasses import dataclass, field
from typing import Any, ClassVar

from rest_framework.authentication import BaseAuthentication
from rest_framework.request import Request

from recommendation_service.errors import Unauthenticated
from tandem import tokens

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
    """`Authorization: Bearer <JWT>` signed with a key of RS_SIGNING_KEYS for the audience "backend"."""

    def authenticate(self, request: Request) -> tuple[TokenUser, tokens.Claims] | None:
        """The token's user, or None when no Bearer token was sent. Raises Unauthenticated for one that is not trusted."""
        scheme, _, word = request.META.get("HTTP_AUTHORIZATION", "").partition(" ")
        if scheme.lower() != "bearer":
            return None
        if not word.strip():
            raise Unauthenticated("send a token: Authorization: Bearer <token>")
        claims = tokens.verify(word.strip())
        return TokenUser(claims.subject, claims.scopes), claims

    def authenticate_header(self, request: Request) -> str:
        """The challenge of a 401."""
        return CHALLENGE


def scopes_of(user: Any) -> frozenset[str]:
    """The scopes of a token's user; none for an account."""
    found: frozenset[str] = getattr(user, "scopes", frozenset())
    return found
