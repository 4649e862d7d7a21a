"""The tokens that Django sends to the recommendation service, and those that its own doors accept."""

from collections.abc import Sequence

from recommendation_service.core import signing
from recommendation_service.core.signing import ADMIN, ANY, LONGEST_SECONDS, SELF, Claims
from tandem.conf import tandem_settings

__all__ = ["ADMIN", "ANY", "LONGEST_SECONDS", "SELF", "Claims", "issue", "key_ring", "verify"]

OWN_DOORS = "backend"
SERVICE = "recommendation_service"
HOP_SECONDS = 60


def key_ring() -> dict[str, bytes]:
    """The keys of RS_SIGNING_KEYS by key id, the signing one first. Raises ConfigurationError for a short one."""
    return signing.key_ring(tandem_settings().signing_keys)


def issue(
    *,
    subject: str,
    scopes: Sequence[str] = (SELF,),
    audience: Sequence[str] = (SERVICE,),
    seconds: int = HOP_SECONDS,
    now: float | None = None,
) -> str:
    """A signed token for `subject`, as `signing.sign` makes it; without more said, one for the hop to the service."""
    return signing.sign(key_ring(), subject=subject, scopes=scopes, audience=audience, seconds=seconds, now=now)


def verify(token: str) -> Claims:
    """The claims of a token meant for Django's own doors. Raises Unauthenticated, saying only what is public."""
    return signing.verify(token, key_ring(), audience=OWN_DOORS)
