"""Requests per minute of one user; a guard against floods, not an exact count."""

from ipaddress import ip_address, ip_network
from typing import Any

from django.core.cache import BaseCache
from rest_framework.request import Request
from rest_framework.throttling import UserRateThrottle

from tandem.api.authentication import scopes_of
from tandem.cache import CACHE_ERRORS, cache
from tandem.conf import tandem_settings
from tandem.service_client import tokens


class PerUser(UserRateThrottle):
    """DRF's throttle at the rate TANDEM["THROTTLE"], counted in Tandem's cache. Without the cache, every request passes."""

    scope = "tandem"

    @property
    def cache(self) -> BaseCache:  # type: ignore[override]  # a class attribute in DRF; here the alias is a setting
        """Return Tandem's cache."""
        return cache()

    def get_rate(self) -> str | None:
        """Return the rate of the settings; None: no limit."""
        return tandem_settings().throttle or None

    def get_cache_key(self, request: Request, view: Any) -> str | None:
        """Return the key to count under; None for a service, which requests lists of many users."""
        return None if tokens.ANY in scopes_of(request.user) else super().get_cache_key(request, view)

    def get_ident(self, request: Request) -> str:
        """Return the address that an anonymous caller is counted by."""
        return peer_address(request.META.get("REMOTE_ADDR") or "", request.META.get("HTTP_X_FORWARDED_FOR") or "")

    def allow_request(self, request: Request, view: Any) -> bool:
        """True if this request may be answered now."""
        try:
            return bool(super().allow_request(request, view))
        except CACHE_ERRORS:
            return True


def peer_address(connected: str, forwarded: str) -> str:
    """Return the address of the caller behind the proxies of TANDEM["TRUSTED_PROXIES"].

    `connected` is the address at the other end of the connection, `forwarded` the X-Forwarded-For header. Anyone can send that
    header, so an entry counts only if a trusted proxy added it: from the right, the first address that is no trusted proxy.
    """
    trusted = [ip_network(network) for network in tandem_settings().trusted_proxies]
    peer = connected
    for entry in reversed(forwarded.split(",")):
        try:
            if not any(ip_address(peer) in network for network in trusted):
                return peer
            peer = str(ip_address(entry.strip()))
        except ValueError:  # not an address, such as of a Unix socket or a made-up entry
            return peer
    return peer
