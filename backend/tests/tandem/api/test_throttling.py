"""By which address an anonymous caller is counted."""

from typing import Any

import pytest
from django.test import Client

from tandem.api.throttling import peer_address

PROXIES = ("10.0.0.0/8", "fd00::/8")


@pytest.mark.parametrize(
    ("connected", "forwarded", "address"),
    [
        ("203.0.113.9", "", "203.0.113.9"),
        ("203.0.113.9", "198.51.100.1", "203.0.113.9"),  # not from a proxy: made up
        ("10.1.2.3", "198.51.100.1", "198.51.100.1"),
        ("10.1.2.3", "1.1.1.1, 198.51.100.1", "198.51.100.1"),  # the caller wrote the first
        ("10.1.2.3", "198.51.100.1, 10.9.9.9", "198.51.100.1"),  # two proxies
        ("fd00::1", "2001:DB8::1", "2001:db8::1"),
        ("10.1.2.3", "10.9.9.9", "10.9.9.9"),
        ("10.1.2.3", "", "10.1.2.3"),
        ("10.1.2.3", "198.51.100.1, nonsense", "10.1.2.3"),
        ("", "198.51.100.1", ""),
    ],
)
def test_only_what_a_trusted_proxy_added_counts(connected: str, forwarded: str, address: str, settings: Any) -> None:
    settings.TANDEM = {**settings.TANDEM, "TRUSTED_PROXIES": PROXIES}
    assert peer_address(connected, forwarded) == address


@pytest.mark.django_db
def test_a_made_up_header_does_not_pass_the_throttle_of_the_schema(client: Client, settings: Any) -> None:
    settings.TANDEM = {**settings.TANDEM, "THROTTLE": "2/min"}
    answers = [client.get("/api/docs/", headers={"X-Forwarded-For": f"198.51.100.{number}"}).status_code for number in range(4)]
    assert answers == [200, 200, 429, 429]
