"""One cleaner, one client, and what the marketplace holds: see `marketplace`."""

from collections.abc import Callable

import pytest

from sites.cleaning.models import Cleaner, Client
from tandem.service_client.client import RecommendationClient
from tests.sites.cleaning import marketplace
from tests.sites.cleaning.callers import Market


@pytest.fixture
def cleaner() -> Cleaner:
    """Somebody who joined long ago and did nothing yet."""
    return marketplace.make_cleaner("Maria")


@pytest.fixture
def client_of_jobs() -> Client:
    """Somebody with jobs to give."""
    return marketplace.make_client("Nikos")


@pytest.fixture
def market(service_at: Callable[[str], RecommendationClient]) -> Market:
    """People with accounts and a job, and no recommendation service."""
    service_at("http://127.0.0.1:9")
    return Market()
