"""So many requests a minute for each user; a guard against floods, not an exact count."""

from typing import Any

from rest_framework.request import Request
from rest_framework.throttling import UserRateThrottle

from tandem import tokens
from tandem.api.authentication import scopes_of
from tandem.cache import CACHE_ERRORS


class PerUser(UserRateThrottle):
    """REST framework's own throttle, which lets everybody pass while the cache it counts in is away."""

    def get_cache_key(self, request: Request, view: Any) -> str | None:
        """Whom to count for; None for a service, which asks for many people."""
        return None if tokens.ANY in scopes_of(request.user) else super().get_cache_key(request, view)

    def allow_request(self, request: Request, view: Any) -> bool:
        """Whether this request may be answered now."""
        try:
            return bool(super().allow_request(request, view))
        except CACHE_ERRORS:
            return True
